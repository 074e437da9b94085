"""Names of output columns, and the SQL text of the expressions that define them."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError

from airflow_lineage_provider.sql.edge_kinds import COPY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot.generator import Generator

    from airflow_lineage_provider.sql.rowsets import Definition, Field
    from airflow_lineage_provider.sql.scope import Analysis

_MOST_NODES = 400  # limit for an expression with CTEs expanded


def output_name(item: exp.Expr, analysis: Analysis) -> tuple[str | None, str | None]:
    """Return (spelling, key) of a select item; (None, None) where the warehouse generates a name."""
    identifier = item.args.get("alias") if isinstance(item, exp.Alias) else None
    node = item
    while identifier is None and isinstance(node, (exp.Paren, exp.Cast, exp.Dot, exp.Column)):
        if isinstance(node, exp.Column):
            identifier = node.this
        elif isinstance(node, exp.Dot):
            identifier = node.expression
            break
        elif isinstance(node, exp.Cast) and analysis.dialect not in {"postgres", "redshift"}:
            break
        node = node.this
    if isinstance(identifier, exp.Identifier):
        return analysis.names.spelling(identifier), analysis.names.key(identifier)
    if (
        isinstance(item, exp.Subquery)
        and isinstance(item.this, exp.Select)
        and len(item.this.expressions) == 1
    ):
        return output_name(item.this.expressions[0], analysis)
    return None, None


def shown_name(field: Field, position: int, dialect: str) -> str:
    """Return the name of an output column in the result."""
    if field.name is not None:
        return field.name
    if field.definitions:
        return _made_up(field.definitions[0].node, dialect)
    return f"column{position}"


def _made_up(node: exp.Expr, dialect: str) -> str:
    """Return the name that a warehouse generates. Postgres uses the name of the function."""
    text = _generated(node, dialect)
    if dialect == "duckdb":
        return re.sub(r"\b[A-Z_0-9]+(?=\()", lambda name: name[0].lower(), text)
    if dialect in {"postgres", "redshift"}:
        called = re.match(r"(\w+)\(|(CASE)\b", text)
        return (called[1] or called[2]).lower() if called else "?column?"
    return text


def expression(field: Field, dialect: str) -> str | None:
    """Return the SQL that defines a field, in terms of base columns; None where several branches do."""
    texts = {_text(one, dialect) for one in field.definitions}
    if not texts and list(field.edges.values()) == [COPY]:
        return _generated(exp.column(next(iter(field.edges)).column, quoted=None), dialect)
    return texts.pop() if len(texts) == 1 else None


def _text(definition: Definition, dialect: str) -> str:
    node = _written_out(definition.node, definition.resolved, [_MOST_NODES])
    return _generated(node, dialect)


def _generated(node: exp.Expr, dialect: str) -> str:
    """Generate SQL. Queries are copied first, because generating can change them in place."""
    try:
        return _generator(dialect).generate(node, copy=node.find(exp.Query) is not None)
    except (SqlglotError, ValueError, AttributeError, RecursionError):  # sqlglot has no generator for it
        return node.key


@cache
def _generator(dialect: str) -> Generator:
    return Dialect.get_or_raise(dialect or None).generator(
        comments=False, unsupported_level=ErrorLevel.IGNORE
    )


def _written_out(node: exp.Expr, resolved: Mapping[int, Field], left: list[int]) -> exp.Expr:
    """Return the node with columns of CTEs and subqueries replaced by their definitions, within limits."""
    if isinstance(node, exp.Column):
        return _definition(node, resolved, left)
    columns = [c for c in node.find_all(exp.Column) if isinstance(c.this, exp.Identifier)]
    left[0] -= len(columns)
    changes: dict[int, exp.Expr] = {}
    for column in columns:
        made = _definition(column, resolved, left) if left[0] > 0 else column
        if made is not column:
            changes[id(column)] = made
    if not changes:
        return node
    return _replaced(node, changes)


def _definition(column: exp.Column, resolved: Mapping[int, Field], left: list[int]) -> exp.Expr:
    found = resolved.get(id(column))
    if found is None or len(found.definitions) != 1 or found.definitions[0].node is column:
        return column
    made = found.definitions[0]
    left[0] -= 1
    return _written_out(made.node, made.resolved, left) if left[0] > 0 else column


def _replaced(node: exp.Expr, changes: dict[int, exp.Expr]) -> exp.Expr:
    """Return a copy of the node with the columns in `changes` replaced."""
    originals = list(node.find_all(exp.Column))
    copy = node.copy()
    for original, twin in zip(originals, list(copy.find_all(exp.Column)), strict=True):
        made = changes.get(id(original))
        if made is not None:
            fresh = made.copy()
            twin.replace(exp.Paren(this=fresh) if _binds_looser(fresh, twin.parent) else fresh)
    return copy


def _binds_looser(fresh: exp.Expr, parent: exp.Expr | None) -> bool:
    """Tell whether an operator needs parentheses under this parent."""
    closed = (exp.Func, exp.Paren, exp.Alias, exp.Tuple, exp.Ordered)
    return isinstance(fresh, (exp.Binary, exp.Unary)) and not (
        isinstance(parent, closed) and not isinstance(parent, (exp.Cast, exp.Binary))
    )
