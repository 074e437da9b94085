"""Names that Postgres and Redshift give to select items without an alias: of the function, type or column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlglot.dialects.dialect import Dialect

UNNAMED = "?column?"
_TYPES = {
    "int": "int4",
    "integer": "int4",
    "smallint": "int2",
    "bigint": "int8",
    "real": "float4",
    "double precision": "float8",
    "float": "float8",
    "decimal": "numeric",
    "dec": "numeric",
    "boolean": "bool",
    "char": "bpchar",
    "character": "bpchar",
    "character varying": "varchar",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
}
_TRIMS = {"LEADING": "ltrim", "TRAILING": "rtrim"}
_FIXED: dict[type[exp.Expr], str] = {
    exp.Exists: "exists",
    exp.Array: "array",
    exp.Tuple: "row",
    exp.AtTimeZone: "timezone",
}
# Functions that the parser reads with a rule of their own, which keeps no position: how they can be spelled.
_SPELLINGS: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Extract: ("extract", "date_part", "datepart"),
    exp.GroupConcat: ("string_agg", "listagg"),
    exp.JSONArrayAgg: ("json_agg", "jsonb_agg"),
    exp.StrPosition: ("position",),
}


def postgres_name(text: str, dialect: Dialect) -> str | None:
    """Return the name of a select item by its source text; None where it cannot be parsed."""
    try:
        (query,) = dialect.parse(f"SELECT {text}")
    except (SqlglotError, ValueError, RecursionError):
        return None
    if not isinstance(query, exp.Select) or len(query.expressions) != 1:
        return None
    name, _ = _figure(query.expressions[0], f"SELECT {text}")
    return name or UNNAMED


def _figure(node: exp.Expr, sql: str) -> tuple[str | None, bool]:
    """Return the name, and whether it holds in a cast or an ELSE around it."""
    for kinds, rule in _RULES:
        if isinstance(node, kinds):
            return rule(node, sql)
    if isinstance(node, exp.Anonymous) or (
        isinstance(node, (exp.Func, exp.Binary)) and node.meta.get("start") is not None
    ):
        return _called(node, sql), True
    if isinstance(node, exp.Interval):
        return "interval", False
    if type(node) in _FIXED:
        return _FIXED[type(node)], True
    name = _spelled(node, sql) if isinstance(node, exp.Func) and not isinstance(node, exp.Binary) else None
    return name, name is not None


def _called(node: exp.Expr, sql: str) -> str:
    """Return the name of a function as it is spelled."""
    if isinstance(node, exp.Anonymous):
        return str(node.name if _quoted(node) else node.name.lower())
    return sql[node.meta["start"] : node.meta["end"] + 1].lower()


def _spelled(node: exp.Func, sql: str) -> str | None:
    """Return the name of a function without a position: the one of its names that is in the text."""
    words = set(re.findall(r"\w+", sql.lower()))
    names = _SPELLINGS.get(type(node)) or tuple(name.lower() for name in node.sql_names())
    return next((name for name in names if name in words), None)


def _quoted(node: exp.Expr) -> bool:
    return isinstance(node.this, exp.Identifier) and bool(node.this.args.get("quoted"))


def _identifier(node: exp.Expr, sql: str) -> tuple[str | None, bool]:
    part = node.expression if isinstance(node, exp.Dot) else node.this
    if isinstance(part, exp.Func):  # pg_catalog.lower(x)
        return _figure(part, sql)
    return (part.name if part.args.get("quoted") else part.name.lower()), True


def _inner(node: exp.Expr, sql: str) -> tuple[str | None, bool]:
    return _figure(node.this, sql)


def _cast(node: exp.Expr, sql: str) -> tuple[str | None, bool]:
    name, strong = _figure(node.this, sql)
    return (name, True) if strong else (_type(node.args["to"]), False)


def _type(kind: exp.Expr) -> str:
    while isinstance(kind, exp.DataType) and kind.this is exp.DataType.Type.ARRAY and kind.expressions:
        kind = kind.expressions[0]
    bare = kind.copy()
    bare.set("expressions", None)
    name = bare.sql("postgres").lower()
    return _TYPES.get(name, name.rsplit(".", 1)[-1].strip('"'))


def _case(node: exp.Expr, sql: str) -> tuple[str | None, bool]:
    otherwise = node.args.get("default")
    name, strong = (None, False) if otherwise is None else _figure(otherwise, sql)
    return (name, True) if strong else ("case", False)


def _subquery(node: exp.Expr, sql: str) -> tuple[str | None, bool]:
    query = node.unnest()
    items = query.selects if isinstance(query, exp.Query) else []
    return (_figure(items[0], sql)[0] if items else None) or UNNAMED, True


def _alias(node: exp.Expr, _: str) -> tuple[str | None, bool]:
    return node.alias, True


def _trim(node: exp.Expr, _: str) -> tuple[str | None, bool]:
    return _TRIMS.get(node.args.get("position") or "", "btrim"), True


_RULES: tuple[tuple[tuple[type[exp.Expr], ...], Callable[[exp.Expr, str], tuple[str | None, bool]]], ...] = (
    ((exp.Column, exp.Dot), _identifier),
    ((exp.Alias,), _alias),
    ((exp.Cast,), _cast),
    ((exp.Case,), _case),
    ((exp.Subquery,), _subquery),
    ((exp.Trim,), _trim),
    ((exp.Paren, exp.Bracket, exp.Window, exp.Filter, exp.WithinGroup, exp.Collate, exp.IgnoreNulls), _inner),
)
