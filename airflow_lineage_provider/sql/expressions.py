"""Do two texts mean the same expression, or the same type? Compared as syntax trees, not as text."""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from airflow_lineage_provider.sql.bounds import SqlError
from airflow_lineage_provider.sql.names import Names
from airflow_lineage_provider.sql.parse import parse

_MOST_CACHED = 4096


def same_expression(a: str, b: str, dialect: str) -> bool:
    """Tell whether two expressions are the same but for spelling.

    Spacing, comments, case, aliases, the qualifiers of columns, redundant parentheses and equivalent
    spellings (`x::int` and `CAST(x AS INTEGER)`, `<>` and `!=`, `NVL` and `COALESCE`) make no difference;
    the order and the nesting of operations do. Raises `SqlError` where one is no expression.
    """
    return _normal(a, dialect) == _normal(b, dialect)


def same_type(a: str, b: str, dialect: str) -> bool:
    """Tell whether two type names mean the same type in a dialect: `NUMERIC(10, 2)` and `decimal(10,2)`.

    The length of a text type matters only where both state one. Raises `SqlError` for what is no type.
    """
    left, right = _type(a, dialect), _type(b, dialect)
    if left.this == right.this == exp.DataType.Type.TEXT and not (left.expressions and right.expressions):
        return True
    return left == right


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
    """Parse an expression; one that the dialect does not know may still be plain SQL."""
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
    raise failure or SqlError(f"{text!r} is no expression")


def _simplified(node: exp.Expr, names: Names, dialect: str) -> exp.Expr:
    node.comments = None
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
        return exp.Column(this=exp.Identifier(this=names.key(node.this), quoted=True))
    if isinstance(node, exp.Paren):
        inner: exp.Expr = node.this
        return inner.copy()
    if isinstance(node, exp.DataType):
        return _canonical(node, dialect)
    if isinstance(node, exp.Anonymous):
        node.set("this", node.name.upper())
    return node


# ---- types ---------------------------------------------------------------------------------------

_T = exp.DataType.Type
_TEXTS = {_T.VARCHAR, _T.NVARCHAR, _T.TEXT, _T.CHAR, _T.NCHAR, _T.BPCHAR, _T.NAME}
_FAMILIES = {
    **dict.fromkeys(_TEXTS, _T.TEXT),
    _T.TIMESTAMPNTZ: _T.TIMESTAMP,
    _T.DATETIME: _T.TIMESTAMP,
    _T.DATETIME2: _T.TIMESTAMP,
    _T.TIMESTAMPLTZ: _T.TIMESTAMPTZ,
}
# What a DECIMAL without precision means.
_DECIMALS = {
    "snowflake": ("38", "0"),
    "duckdb": ("18", "3"),
    "spark": ("10", "0"),
    "databricks": ("10", "0"),
    "redshift": ("18", "0"),
    "tsql": ("18", "0"),
    "bigquery": ("38", "9"),
}
_ONE_INTEGER = {"snowflake": ("38", "0"), "oracle": ("38", "0")}
_INTEGERS = {_T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT, _T.MEDIUMINT}
_ONE_FLOAT = frozenset({"snowflake", "bigquery", "postgres", "redshift"})


def _type(text: str, dialect: str) -> exp.DataType:
    try:
        built = exp.DataType.build(text, dialect=dialect or None, udt=True)
    except (SqlglotError, ValueError, AttributeError) as error:
        raise SqlError(f"{text!r} is no type: {str(error).splitlines()[0]}") from None
    return _canonical(built, dialect)


def _canonical(node: exp.DataType, dialect: str) -> exp.DataType:
    kind = node.this
    parts = [_canonical(p, dialect) if isinstance(p, exp.DataType) else p.copy() for p in node.expressions]
    if kind == _T.DECIMAL:
        parts = _decimal([p.name for p in parts], dialect)
    elif kind in _INTEGERS and dialect in _ONE_INTEGER:
        kind, parts = _T.DECIMAL, _decimal([], dialect)
    elif kind == _T.FLOAT and dialect in _ONE_FLOAT and not parts:
        kind = _T.DOUBLE
    return exp.DataType(
        this=_FAMILIES.get(kind, kind), expressions=parts, nested=bool(node.args.get("nested"))
    )


def _decimal(given: list[str], dialect: str) -> list[exp.Expr]:
    """Precision and scale, with the dialect's defaults. A precision alone has no decimals."""
    numbers = (*given, "0")[:2] if given else _DECIMALS.get(dialect, ())
    return [exp.DataTypeParam(this=exp.Literal.number(number)) for number in numbers]
