"""Equality of data types in a dialect: sqlglot parses a type, the tables here add synonyms and defaults.

The synonyms of a type, and its default parameters, are those of the vendors' manuals:
Snowflake "Summary of data types", PostgreSQL chapter 8, BigQuery "Data types", Databricks and Spark "Data
types", DuckDB "Data types", Redshift "Data types", Trino "Data types", SQL Server "Data types", MySQL
chapter 13, Hive "Data types".
"""

from __future__ import annotations

import re
from enum import Enum

from sqlglot import exp
from sqlglot.errors import SqlglotError

from airflow_lineage_provider.sql.limits import SqlError

_T = exp.DataType.Type
_Kinds = dict[Enum, Enum]
_Parameters = dict[Enum, tuple[str, ...]]

# Names that the parser does not know, or parses as another type.
_SPELLED: dict[str, dict[str, str]] = {
    "postgres": {"SERIAL2": "SMALLINT", "SERIAL4": "INTEGER", "SERIAL8": "BIGINT"},
    "duckdb": {"GUID": "UUID", "VARINT": "BIGNUM", "OID": "BIGINT"},
    "tsql": {"REAL": "FLOAT(24)"},
    "mysql": {"REAL": "DOUBLE"},
}
_INTEGERS = {_T.TINYINT, _T.SMALLINT, _T.MEDIUMINT, _T.INT, _T.BIGINT}
_UNSIGNED = {_T.UTINYINT, _T.USMALLINT, _T.UMEDIUMINT, _T.UINT, _T.UBIGINT}
_ONE_DECIMAL: _Kinds = dict.fromkeys(_INTEGERS, _T.DECIMAL)
_FIXED_TEXT: _Kinds = {_T.NCHAR: _T.CHAR, _T.BPCHAR: _T.CHAR}
_ANY: _Kinds = {
    _T.TEXT: _T.VARCHAR,
    _T.NVARCHAR: _T.VARCHAR,
    _T.TIMESTAMPNTZ: _T.TIMESTAMP,
    _T.DATETIME: _T.TIMESTAMP,
    _T.SMALLSERIAL: _T.SMALLINT,
    _T.SERIAL: _T.INT,
    _T.BIGSERIAL: _T.BIGINT,
    **_FIXED_TEXT,
}
_SPARK: _Kinds = _ANY | {_T.TIMESTAMPLTZ: _T.TIMESTAMPTZ}
_SYNONYMS: dict[str, _Kinds] = {
    "snowflake": _ANY
    | _ONE_DECIMAL
    | dict.fromkeys((*_FIXED_TEXT, _T.CHAR), _T.VARCHAR)
    | {_T.FLOAT: _T.DOUBLE, _T.VARBINARY: _T.BINARY},
    "oracle": _ANY | _ONE_DECIMAL,
    "bigquery": _ANY | dict.fromkeys(_INTEGERS, _T.BIGINT) | {_T.FLOAT: _T.DOUBLE},
    "spark": _SPARK,
    "spark2": _SPARK,
    "databricks": _SPARK,
    "tsql": {},  # VARCHAR and NVARCHAR, DATETIME and DATETIME2 are not the same there
    "fabric": {},
    "mysql": _ANY | {_T.TEXT: _T.TEXT, _T.BOOLEAN: _T.TINYINT},
}
_WHOLE: _Parameters = dict.fromkeys(_INTEGERS, ("38", "0"))
_MICROSECONDS: _Parameters = dict.fromkeys(
    (_T.TIMESTAMP, _T.TIMESTAMPTZ, _T.TIME, _T.TIMETZ, _T.INTERVAL), ("6",)
)
_ONE_LETTER: _Parameters = {_T.CHAR: ("1",), _T.NCHAR: ("1",)}
_HIVE: _Parameters = {_T.DECIMAL: ("10", "0")}
_TSQL_PARAMETERS: _Parameters = _ONE_LETTER | {
    _T.DECIMAL: ("18", "0"),
    _T.FLOAT: ("53",),
    _T.DATETIME2: ("7",),
    _T.TIMESTAMPTZ: ("7",),
    _T.TIME: ("7",),
}
_TRINO: _Parameters = _ONE_LETTER | {
    _T.DECIMAL: ("38", "0"),
    **dict.fromkeys((_T.TIMESTAMP, _T.TIMESTAMPTZ, _T.TIME, _T.TIMETZ), ("3",)),
}
_DEFAULTS: dict[str, _Parameters] = {
    "snowflake": _WHOLE
    | _ONE_LETTER
    | {_T.DECIMAL: ("38", "0"), _T.BINARY: ("8388608",), _T.VARBINARY: ("8388608",)}
    | dict.fromkeys((_T.VARCHAR, _T.TEXT, _T.NVARCHAR), ("16777216",))
    | dict.fromkeys(
        (_T.TIMESTAMP, _T.TIMESTAMPNTZ, _T.DATETIME, _T.TIMESTAMPLTZ, _T.TIMESTAMPTZ, _T.TIME), ("9",)
    ),
    "postgres": _ONE_LETTER | _MICROSECONDS,
    "redshift": _ONE_LETTER
    | _MICROSECONDS
    | {_T.DECIMAL: ("18", "0"), _T.BPCHAR: ("256",), _T.VARBINARY: ("64000",)}
    | dict.fromkeys((_T.VARCHAR, _T.TEXT, _T.NVARCHAR), ("256",)),
    "bigquery": {_T.DECIMAL: ("38", "9")},
    "duckdb": {_T.DECIMAL: ("18", "3"), _T.TIMESTAMP: ("6",), _T.TIMESTAMPNTZ: ("6",)},
    "hive": _HIVE,
    "spark": _HIVE,
    "spark2": _HIVE,
    "databricks": _HIVE,
    "trino": _TRINO,
    "presto": _TRINO,
    "tsql": _TSQL_PARAMETERS,
    "fabric": _TSQL_PARAMETERS,
    "mysql": _ONE_LETTER | _HIVE | dict.fromkeys((_T.DATETIME, _T.TIMESTAMPTZ, _T.TIME), ("0",)),
    "oracle": _WHOLE,
}
# The parser gives some of them their default parameters.
_BARE_DECIMAL = re.compile(r"\b(?:dec|decimal|number|numeric)\b(?!\s*\()", re.IGNORECASE)
# Types whose parameters catalogs and documents often leave out.
_OFTEN_BARE = {_T.VARCHAR, _T.NVARCHAR, _T.TEXT, _T.DECIMAL}
_SINGLE_PRECISION = 24  # FLOAT(n) is a REAL up to this n


def same_type(a: str, b: str, dialect: str) -> bool:
    """Tell whether two type names mean the same type in a dialect: `TIMESTAMP` and `TIMESTAMP_NTZ(9)`.

    The length of a text type, and precision and scale of a decimal, matter only where both state them.
    Raises `SqlError` for other text.
    """
    try:
        left, right = _parsed(a, dialect), _parsed(b, dialect)
        if any(_is_bare(node) or _BARE_DECIMAL.search(text) for node, text in ((left, a), (right, b))):
            left, right = _without_parameters(left), _without_parameters(right)
        return canonical_type(left, dialect) == canonical_type(right, dialect)
    except RecursionError:
        raise SqlError(f"the type {a[:40]!r} or {b[:40]!r} is nested too deeply") from None


def canonical_type(node: exp.Expr, dialect: str) -> exp.Expr:
    """Return the canonical form of a type: equal trees are the same type in the dialect."""
    if not isinstance(node, exp.DataType) or not isinstance(node.this, _T):
        return node.copy()
    if node.this is _T.USERDEFINED:
        return exp.DataType(this=node.this, kind=node.text("kind").casefold())
    kind: Enum = node.this
    parts = _parameters(node, dialect)
    if kind in {_T.FLOAT, _T.DOUBLE} and parts:  # FLOAT(n)
        kind = _T.FLOAT if int(parts[0].name) <= _SINGLE_PRECISION else _T.DOUBLE
        parts = []
    else:
        kind = _SYNONYMS.get(dialect, _ANY).get(kind, kind)
    return exp.DataType(this=kind, expressions=parts, values=_sizes(node, dialect))


def _parsed(text: str, dialect: str) -> exp.Expr:
    known = _SPELLED.get(dialect, {}).get(text.strip().upper(), text)
    try:
        return exp.DataType.build(known, dialect=dialect or None, udt=True)
    except (SqlglotError, ValueError, AttributeError) as error:
        raise SqlError(f"{text!r} is not a type: {str(error).splitlines()[0]}") from None


def _parameters(node: exp.DataType, dialect: str) -> list[exp.Expr]:
    """Return precision and scale, length, or element types, with the dialect's defaults."""
    default = _DEFAULTS.get(dialect, {}).get(node.this, ())
    if node.this in _INTEGERS | _UNSIGNED:
        return _numbers(default)  # INT(11) is a display width
    if not node.expressions:
        return _numbers(default)
    if node.this is _T.DECIMAL and len(node.expressions) == 1:
        return _numbers((node.expressions[0].name, "0"))
    return [_part(one, dialect) for one in node.expressions]


def _part(node: exp.Expr, dialect: str) -> exp.Expr:
    if isinstance(node, exp.ColumnDef):  # a field of a STRUCT
        name = exp.to_identifier(node.name.casefold())
        return exp.ColumnDef(this=name, kind=canonical_type(node.args["kind"], dialect))
    return canonical_type(node, dialect)


def _numbers(texts: tuple[str, ...]) -> list[exp.Expr]:
    return [exp.DataTypeParam(this=exp.Literal.number(text)) for text in texts]


def _sizes(node: exp.DataType, dialect: str) -> list[exp.Expr] | None:
    """Return the size of an array; Postgres ignores it."""
    return None if dialect == "postgres" else node.args.get("values")


def _is_bare(node: exp.Expr) -> bool:
    return any(one.this in _OFTEN_BARE and not one.expressions for one in node.find_all(exp.DataType))


def _without_parameters(node: exp.Expr) -> exp.Expr:
    bare = node.copy()
    for one in bare.find_all(exp.DataType):
        if one.this in _OFTEN_BARE:
            one.set("expressions", None)
    return bare
