"""Equality of expressions, compared as normalized syntax trees."""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from airflow_lineage_provider.sql.datatypes import canonical_type
from airflow_lineage_provider.sql.limits import SqlError
from airflow_lineage_provider.sql.names import Names
from airflow_lineage_provider.sql.parse import parse

_MOST_CACHED = 4096


def same_expression(a: str, b: str, dialect: str) -> bool:
    """Tell whether two expressions differ only in spelling.

    Spacing, comments, case, aliases, the qualifiers of columns, redundant parentheses and equivalent
    spellings (`x::int` and `CAST(x AS INTEGER)`, `<>` and `!=`, `NVL` and `COALESCE`) make no difference;
    the order and the nesting of operations do. Raises `SqlError` where one of them is not an expression.
    """
    return _normal(a, dialect) == _normal(b, dialect)


@lru_cache(maxsize=_MOST_CACHED)
def _normal(text: str, dialect: str) -> exp.Expr:
    node = _expression(text, dialect)
    names = Names(Dialect.get_or_raise(dialect or None), dialect)
    root = exp.Paren(this=node.copy())
    for part in reversed(list(root.bfs())):
        if part is not root:
            fresh = _simplified(part, names, dialect)
            if fresh is not part:
                part.replace(fresh)
    simplified: exp.Expr = root.this
    return simplified


def _expression(text: str, dialect: str) -> exp.Expr:
    """Parse an expression in the dialect, or else as plain SQL."""
    failure: SqlError | None = None
    for name in dict.fromkeys((dialect, "")):
        try:
            statements, problems = parse(f"SELECT {text}", Dialect.get_or_raise(name or None))
        except SqlError as error:
            failure = failure or error
            continue
        if problems:
            failure = failure or SqlError(problems[0].message)
            continue
        if len(statements) == 1 and isinstance(statements[0], exp.Select):
            items = statements[0].expressions
            if len(items) == 1:
                item: exp.Expr = items[0].unalias()
                return item
        failure = SqlError(f"{text!r} is not one expression")
    raise failure or SqlError(f"{text!r} is not an expression")


def _simplified(node: exp.Expr, names: Names, dialect: str) -> exp.Expr:
    node.comments = None
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
        return exp.Column(this=exp.Identifier(this=names.key(node.this), quoted=True))
    if isinstance(node, exp.Paren):
        inner: exp.Expr = node.this
        return inner.copy()
    if isinstance(node, exp.DataType):
        return canonical_type(node, dialect)
    if isinstance(node, exp.Anonymous):
        node.set("this", node.name.upper())
    return node
