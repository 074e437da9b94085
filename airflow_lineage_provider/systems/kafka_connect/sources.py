"""Source connectors: the tables that each reads, and the records that it makes of their rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_lineage_provider.systems.jdbc import parse_jdbc
from airflow_lineage_provider.systems.kafka_connect.record import FieldOrigin, Record, RecordField
from airflow_lineage_provider.systems.kafka_connect.transforms import java_regex
from airflow_lineage_provider.systems.table_names import table_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from airflow_lineage_provider.events.naming import DatasetName
    from airflow_lineage_provider.systems.kafka_connect.client import Connector

Table = tuple[str, str]
"""Schema and table; of MySQL the database and the table."""


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table that a source connector reads, its columns (name, type) where known, and its record."""

    dataset: DatasetName
    table: Table
    columns: Sequence[tuple[str, str]] | None
    record: Record


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A class of source connectors."""

    engine: Callable[[Mapping[str, str]], str]
    candidates: Callable[[Connector], list[Table]]
    """Tables that the configuration and the topics in use name."""
    selects: Callable[[Mapping[str, str], Table], bool]
    read: Callable[[Mapping[str, str], Table, Sequence[tuple[str, str]] | None], SourceTable]


_DEBEZIUM_ENGINES = {
    "io.debezium.connector.postgresql.PostgresConnector": "postgres",
    "io.debezium.connector.mysql.MySqlConnector": "mysql",
    "io.debezium.connector.mariadb.MariaDbConnector": "mysql",
}
_JDBC_SOURCES = (
    "io.confluent.connect.jdbc.JdbcSourceConnector",
    "io.aiven.connect.jdbc.JdbcSourceConnector",
)
_DEFAULT_NAMING = "io.debezium.schema.SchemaTopicNamingStrategy"
_DEFAULT_NAMINGS = {"", _DEFAULT_NAMING, "io.debezium.schema.DefaultTopicNamingStrategy"}
_MASKING = re.compile(r"column\.mask\.(?:with|hash)\..*")
_UNSAFE = re.compile(r"[^a-zA-Z0-9._\-]")


def _debezium_prefix(config: Mapping[str, str]) -> str:
    return config.get("topic.prefix") or config.get("database.server.name") or ""


def _debezium_candidates(connector: Connector) -> list[Table]:
    """Return the tables that the include list names outright, else those of the topics in use."""
    listed = _listed(connector.config, "table.include.list", "table.whitelist")
    named = [entry.replace("\\.", ".") for entry in listed if re.fullmatch(r"[\w$-]+\\?\.[\w$-]+", entry)]
    tables = [(schema, table) for schema, _, table in (name.partition(".") for name in named)]
    start = _debezium_prefix(connector.config) + "."
    for topic in connector.topics or ():
        parts = topic.removeprefix(start).split(".") if topic.startswith(start) else []
        if len(parts) == 2:  # noqa: PLR2004 - schema and table
            tables.append((parts[0], parts[1]))
    return list(dict.fromkeys(tables))


def _debezium_selects(config: Mapping[str, str], table: Table) -> bool:
    name, schema = ".".join(table), table[0]
    mysql = _debezium_engine(config) == "mysql"
    over = "database" if mysql else "schema"
    return _allowed(config, over, schema) and _allowed(config, "table", name)


def _allowed(config: Mapping[str, str], what: str, name: str) -> bool:
    """Debezium's lists are regular expressions that match all of a name, whatever its case."""
    include = _listed(config, f"{what}.include.list", f"{what}.whitelist")
    exclude = _listed(config, f"{what}.exclude.list", f"{what}.blacklist")
    return (not include or _matches(include, name)) and not _matches(exclude, name)


def _matches(patterns: Iterable[str], name: str) -> bool:
    for pattern in patterns:
        try:
            if re.fullmatch(java_regex(pattern), name, re.IGNORECASE):
                return True
        except re.error:
            continue
    return False


def _listed(config: Mapping[str, str], *keys: str) -> list[str]:
    given = next((config[key] for key in keys if config.get(key)), "")
    return [word.strip() for word in given.split(",") if word.strip()]


def _debezium_engine(config: Mapping[str, str]) -> str:
    return _DEBEZIUM_ENGINES[config.get("connector.class", "")]


def _debezium_read(
    config: Mapping[str, str], table: Table, columns: Sequence[tuple[str, str]] | None
) -> SourceTable:
    engine = _debezium_engine(config)
    database = config.get("database.dbname", "")
    port = config.get("database.port", "")
    dataset = table_dataset(
        engine,
        config.get("database.hostname", ""),
        int(port) if port.isdecimal() else None,
        database,
        *table,
    )
    topic = _UNSAFE.sub("_", ".".join((_debezium_prefix(config), *table)))
    return SourceTable(dataset, table, columns, Record(topic, _envelope(config, table, columns)))


def _envelope(
    config: Mapping[str, str], table: Table, columns: Sequence[tuple[str, str]] | None
) -> RecordField | None:
    if columns is None or config.get("topic.naming.strategy", "") not in _DEFAULT_NAMINGS:
        return None
    masks = [patterns for key, patterns in config.items() if _MASKING.fullmatch(key)]
    row = []
    for name, _ in columns:
        full = ".".join((*table, name))
        if not _allowed(config, "column", full):
            continue
        origin = FieldOrigin(name)
        if any(_matches(_words(mask), full) for mask in masks):
            origin = origin.transformed("Debezium column.mask", masking=True)
        row.append(RecordField(name, origins=(origin,)))
    fields = (
        RecordField("before", "record", fields=tuple(row)),
        RecordField("after", "record", fields=tuple(row)),
        RecordField("source", "record"),
        RecordField("op", "string"),
        RecordField("ts_ms", "int64"),
        RecordField("transaction", "record"),
    )
    return RecordField("", "record", fields=fields)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _jdbc_candidates(connector: Connector) -> list[Table]:
    config = connector.config
    database = parse_jdbc(config.get("connection.url", ""))
    default = config.get("schema.pattern") or (database.schema if database else "")
    named = _listed(config, "table.include.list", "table.whitelist")
    if not named and config.get("topic.prefix"):
        start = config["topic.prefix"]
        named = [topic.removeprefix(start) for topic in connector.topics or () if topic.startswith(start)]
    return [(schema or default, table) for schema, _, table in (name.rpartition(".") for name in named)]


def _jdbc_selects(config: Mapping[str, str], table: Table) -> bool:
    include = _listed(config, "table.include.list", "table.whitelist")
    exclude = _listed(config, "table.exclude.list", "table.blacklist")
    names = {table[1], ".".join(table)}
    return (not include or not names.isdisjoint(include)) and names.isdisjoint(exclude)


def _jdbc_engine(config: Mapping[str, str]) -> str:
    database = parse_jdbc(config.get("connection.url", ""))
    return database.engine if database else ""


def _jdbc_read(
    config: Mapping[str, str], table: Table, columns: Sequence[tuple[str, str]] | None
) -> SourceTable:
    database = parse_jdbc(config.get("connection.url", ""))
    if database is None:
        raise ValueError("the kind of a connector is asked only where its URL can be read")
    dataset = table_dataset(database.engine, database.host, database.port, database.database, *table)
    fields = [RecordField(name, origins=(FieldOrigin(name),)) for name, _ in columns or ()]
    value = RecordField("", "record", fields=tuple(fields)) if fields else None
    return SourceTable(dataset, table, columns, Record(config.get("topic.prefix", "") + table[1], value))


_DEBEZIUM = SourceKind(_debezium_engine, _debezium_candidates, _debezium_selects, _debezium_read)
_JDBC = SourceKind(_jdbc_engine, _jdbc_candidates, _jdbc_selects, _jdbc_read)


def source_kind(config: Mapping[str, str]) -> tuple[SourceKind | None, str]:
    """Return the kind of a source connector, or None and why there is none."""
    name = config.get("connector.class", "")
    if name in _DEBEZIUM_ENGINES:
        return _DEBEZIUM, ""
    if name in _JDBC_SOURCES:
        if config.get("query"):
            return None, "it reads a query and not tables"
        if parse_jdbc(config.get("connection.url", "")) is None:
            return None, "its connection.url is of no form that is known"
        return _JDBC, ""
    return None, f"connectors of class {name or 'unknown'} are not supported"
