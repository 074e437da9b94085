"""The tables behind Tableau: their OpenLineage names, and what the columns of custom SQL are made from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.dialect import sql_dialect
from airflow_lineage_provider.dbt.records import Relation, Warehouse
from airflow_lineage_provider.events.movement import ColumnSource
from airflow_lineage_provider.events.naming import DatasetName, dataset_name
from airflow_lineage_provider.plain_json import mapping, mappings, text
from airflow_lineage_provider.systems.table_names import is_database, table_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.sql import Lineage, Source, Table

_BRACKETED = re.compile(r"\[((?:[^\]]|\]\])*)\]")
_PARAMETER = re.compile(r"<\[Parameters\]\.\[[^\]]{1,500}\]>|<Parameters\.[^>]{1,500}>")
_SNOWFLAKE = ".snowflakecomputing.com"
_MANY = 10


@dataclass(slots=True)
class Tables:
    """The database tables and custom SQL of an answer, by their id in the Metadata API."""

    database: Mapping[str, Mapping[str, Any]]
    custom: Mapping[str, Mapping[str, Any]]
    problems: dict[str, None] = field(default_factory=dict)
    _names: dict[str, DatasetName] = field(default_factory=dict)
    _custom: dict[str, dict[str, tuple[ColumnSource, ...]]] = field(default_factory=dict)

    def sources(self, table_id: str, column: str) -> tuple[ColumnSource, ...] | None:
        """Return the columns that a column of a table or of custom SQL is made from; None: not known."""
        if table_id in self.database:
            return (ColumnSource(self._name(table_id), column),)
        if table_id not in self.custom:
            return None
        if table_id not in self._custom:
            self._custom[table_id] = self._read(self.custom[table_id])
        return self._custom[table_id].get(column.casefold())

    def _name(self, table_id: str) -> DatasetName:
        if table_id not in self._names:
            self._names[table_id] = table_name(self.database[table_id])
        return self._names[table_id]

    def _read(self, node: Mapping[str, Any]) -> dict[str, tuple[ColumnSource, ...]]:
        """Return the sources of the columns of a custom SQL query, by their names in small letters.

        Tableau knows some of the columns of the tables only, so that they are a second attempt: for names
        without a table, in a query of several.
        """
        found = [self._lineage(node, schema) for schema in ({}, self._schema(node))]
        problems = min((one.problems for one in found), key=len)
        for problem in problems[:_MANY]:
            self.problems.setdefault(f"custom SQL {text(node, 'name')!r}: {problem}")
        columns: dict[str, tuple[ColumnSource, ...]] = {}
        for column in (column for lineage in found for column in lineage.columns):
            sources = tuple(self._source(one, node) for one in column.sources if one.type == "DIRECT")
            if sources or not problems:
                columns[column.name.casefold()] = columns.get(column.name.casefold()) or sources
        return columns

    def _lineage(self, node: Mapping[str, Any], schema: Mapping[str, list[str]]) -> Lineage:
        from airflow_lineage_provider.sql import column_lineage

        database = mapping(node.get("database"))
        kind = text(node, "connectionType") or text(database, "connectionType")
        return column_lineage(
            custom_sql(text(node, "query")),
            dialect=sql_dialect(kind) if _has_dialect(kind) else "",
            schema=schema,
            default_database=text(database, "name") or None,
        )

    def _schema(self, node: Mapping[str, Any]) -> dict[str, list[str]]:
        schema = {}
        for one in mappings(node.get("tables")):
            known = self.database.get(text(one, "id"), {})
            _, space, name = table_parts(known)
            columns = [text(column, "name") for column in mappings(known.get("columns"))]
            quoted = ['"{}"'.format(part.replace('"', '""')) for part in (space, name) if part]
            schema[".".join(quoted)] = [column for column in columns if column]
        return {name: columns for name, columns in schema.items() if name and columns}

    def _source(self, source: Source, node: Mapping[str, Any]) -> ColumnSource:
        dataset = self._named(source.table, node)
        return ColumnSource(dataset, source.column, source.subtype.value, source.masking)

    def _named(self, table: Table, custom: Mapping[str, Any]) -> DatasetName:
        """Return the dataset of a table in custom SQL: the listed one of its name, else by its parts."""
        for one in mappings(custom.get("tables")):
            known = self.database.get(text(one, "id"))
            if known and _same(table, known):
                return self._name(text(one, "id"))
        database = mapping(custom.get("database"))
        place = {**database, "name": table.database or text(database, "name")}
        named = {"schema": table.schema or "", "name": table.name, "database": place}
        return table_name({**named, "connectionType": text(custom, "connectionType")})


def _same(table: Table, known: Mapping[str, Any]) -> bool:
    _, schema, name = table_parts(known)
    listed = table.schema is None or not schema or table.schema.casefold() == schema.casefold()
    return table.name.casefold() == name.casefold() and listed


def custom_sql(query: str) -> str:
    """Return custom SQL as the database receives it: parameters are a literal, `<<` and `>>` single signs."""
    return _PARAMETER.sub("'?'", query).replace("<<", "<").replace(">>", ">")


def table_parts(table: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return database, schema and name of a table; its full name is right where `schema` may not be."""
    parts = [part.replace("]]", "]") for part in _BRACKETED.findall(text(table, "fullName"))]
    database = text(table, "database", "name")
    name = parts[-1] if parts else text(table, "name")
    schema = parts[-2] if len(parts) > 1 else text(table, "schema")
    return (parts[-3] if len(parts) > 2 else database), schema, name  # noqa: PLR2004 - database.schema.table


def table_name(table: Mapping[str, Any]) -> DatasetName:
    """Return the OpenLineage name of a table that Tableau reads, as dbt's events name it."""
    server = mapping(table.get("database"))
    kind = text(table, "connectionType") or text(server, "connectionType")
    host, port = text(server, "hostName"), _port(server.get("port"))
    database, schema, name = table_parts(table)
    if kind == "snowflake":
        warehouse = Warehouse(type=kind, account=host.casefold().removesuffix(_SNOWFLAKE))
        return dataset_name(Relation("", database, schema, name), warehouse)
    if is_database(kind):
        return table_dataset(kind, host, port, database, schema, name)
    named = f"{host}:{port}" if host and port else host or database
    place = database if host else ""
    return DatasetName(f"{kind or 'unknown'}://{named}", ".".join(filter(None, (place, schema, name))))


def _port(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _has_dialect(kind: str) -> bool:
    from sqlglot.dialects.dialect import Dialect

    return Dialect.get(sql_dialect(kind)) is not None
