"""Queries for the columns of a warehouse's tables, with the precision, scale and length of their types.

dbt's own catalog queries leave those out on several warehouses: on Snowflake every decimal is NUMBER. An
adapter without a query here is asked through dbt's catalog.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_INFORMATION_SCHEMA = """
select table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
from {information_schema}.columns
where lower(table_schema) = {schema} and lower(table_name) in ({tables})
order by table_name, ordinal_position
"""
# The type is complete: information_schema.columns has `decimal(10,2)` and `varchar(20)`.
_COMPLETE_TYPES = """
select table_name, column_name, {type}, null, null, null
from {information_schema}.columns
where lower(table_schema) = {schema} and lower(table_name) in ({tables})
order by table_name, ordinal_position
"""
_POSTGRES = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), null, null, null
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and lower(n.nspname) = {schema} and lower(c.relname) in ({tables})
order by c.relname, a.attnum
"""
_DUCKDB = """
select table_name, column_name, data_type, null, null, null
from duckdb_columns()
where lower(database_name) = {database} and lower(schema_name) = {schema} and lower(table_name) in ({tables})
order by table_name, column_index
"""
_REDSHIFT = """
select table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
from svv_columns
where lower(table_schema) = {schema} and lower(table_name) in ({tables})
order by table_name, ordinal_position
"""
_BIGQUERY = """
select table_name, column_name, data_type, null, null, null
from `{plain_database}`.`{plain_schema}`.INFORMATION_SCHEMA.COLUMNS
where lower(table_name) in ({tables})
order by table_name, ordinal_position
"""
_QUERIES = {
    "athena": _COMPLETE_TYPES.replace("{type}", "data_type"),
    "bigquery": _BIGQUERY,
    "databricks": _COMPLETE_TYPES.replace("{type}", "full_data_type"),
    "duckdb": _DUCKDB,
    "fabric": _INFORMATION_SCHEMA,
    "postgres": _POSTGRES,
    "redshift": _REDSHIFT,
    "snowflake": _INFORMATION_SCHEMA,
    "sqlserver": _INFORMATION_SCHEMA,
    "synapse": _INFORMATION_SCHEMA,
    "trino": _COMPLETE_TYPES.replace("{type}", "data_type"),
}
# Names that can stand in the text of a query on every warehouse.
_SAFE = re.compile(r"[^'\"`\\\n]+")

DECIMALS = {"DECIMAL", "NUMERIC", "NUMBER"}
SIZED = {"CHAR", "CHARACTER", "CHARACTER VARYING", "NCHAR", "NVARCHAR", "TEXT", "VARCHAR"}


def columns_query(adapter_type: str, database: str, schema: str, tables: Iterable[str]) -> str | None:
    """Return a query for the columns of some tables of a schema; None where dbt's catalog must do.

    Its rows are (table, column, type, length, precision, scale) in the order of the columns; the last three
    are null where the type is complete.
    """
    query = _QUERIES.get(adapter_type)
    names = sorted({table.lower() for table in tables})
    if query is None or not all(
        _SAFE.fullmatch(name) for name in (schema, *names, *filter(None, [database]))
    ):
        return None
    return query.format(
        information_schema=f"{database}.information_schema" if database else "information_schema",
        database=f"'{database.lower()}'",
        schema=f"'{schema.lower()}'",
        plain_database=database,
        plain_schema=schema,
        tables=", ".join(f"'{name}'" for name in names),
    )


def full_type(row: Sequence[object]) -> str:
    """Return the type in a row of the query, with the parameters that its other columns have.

    >>> full_type(("orders", "amount", "NUMBER", None, 10, 2))
    'NUMBER(10,2)'
    """
    _, _, name, length, precision, scale = row
    kind = str(name)
    if kind.upper() in DECIMALS and precision is not None:
        return f"{kind}({precision},{scale or 0})"
    if kind.upper() in SIZED and isinstance(length, int) and length > 0:
        return f"{kind}({length})"
    return kind
