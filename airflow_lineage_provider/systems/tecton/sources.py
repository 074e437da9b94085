"""The datasets behind Tecton's data sources: tables, topics, files and streams, by OpenLineage's names.

https://docs.tecton.ai/docs/defining-features/data-sources. OpenLineage's names need an address that Tecton
knows of Snowflake, Redshift, BigQuery, Kafka, Kinesis and files only. A table of the cluster's own Hive or
Unity catalog is `hive.<database>.<table>` or `unity.<catalog>.<schema>.<table>` in the namespace of the
cluster, and so is a source whose function is Python: `<workspace>.<source>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_lineage_provider.dbt.records import Relation, Warehouse
from airflow_lineage_provider.events.naming import DatasetName, dataset_name, file_name
from airflow_lineage_provider.plain_json import mapping, mappings, text
from airflow_lineage_provider.systems.table_names import table_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Config = Mapping[str, Any]

BATCH = {
    "snowflakeDsConfig": "snowflake",
    "redshiftDsConfig": "redshift",
    "bigqueryDsConfig": "bigquery",
    "hiveDsConfig": "spark",
    "unityDsConfig": "spark",
    "fileDsConfig": "",
}
"""The configuration of a batch source, and the SQL dialect of its query."""


@dataclass(frozen=True, slots=True)
class TectonSource:
    """A data source: the datasets that it reads, or the query that it is; `problem` where neither is known.

    `columns` is empty where the definition does not list them.
    """

    name: str
    datasets: tuple[tuple[DatasetName, str], ...]
    """Each with its kind: TABLE, TOPIC or FILE."""
    columns: tuple[str, ...] = ()
    query: str = ""
    dialect: str = ""
    table_name: Callable[[str, str, str], DatasetName] | None = None
    """The dataset that a table of the query is: (database, schema, table)."""
    problem: str = ""

    @property
    def names(self) -> tuple[DatasetName, ...]:
        """The names of the datasets."""
        return tuple(name for name, _ in self.datasets)


def tecton_source(args: Config, cluster: str, workspace: str) -> TectonSource:
    """Return a data source of its definition (`virtualDataSource` of `tecton dump`)."""
    name = text(args, "info", "name")
    columns = _columns(args)
    streams = tuple(_streams(args, cluster, workspace, name))
    for key, dialect in BATCH.items():
        config = mapping(args.get(key))
        if not config:
            continue
        query, table = text(config, "query"), _NAMES[key](config, cluster)
        if query:
            return TectonSource(name, streams, columns, query, dialect, table)
        kind = "FILE" if key == "fileDsConfig" else "TABLE"
        batch = table(text(config, "database"), text(config, "schema"), text(config, "table"))
        return TectonSource(name, ((batch, kind), *streams), columns)
    if streams:
        return TectonSource(name, streams, columns)
    own = DatasetName(cluster, f"{workspace}.{name}")
    problem = f"data source {name} is a Python function: the datasets that it reads are not known"
    return TectonSource(name, ((own, "TABLE"),), columns, problem=problem)


def _streams(args: Config, cluster: str, workspace: str, name: str) -> Any:
    if kafka := mapping(args.get("kafkaDsConfig")):
        broker = text(kafka, "kafkaBootstrapServers").partition(",")[0].strip().rpartition("://")[2]
        for topic in text(kafka, "topics").split(","):
            yield DatasetName(f"kafka://{broker}", topic.strip()), "TOPIC"
    if kinesis := mapping(args.get("kinesisDsConfig")):
        yield DatasetName(f"kinesis://{text(kinesis, 'region')}", text(kinesis, "streamName")), "TOPIC"
    if args.get("pushConfig"):
        yield DatasetName(cluster, f"{workspace}.{name}"), "TOPIC"


def _columns(args: Config) -> tuple[str, ...]:
    """Return the columns of a source, where its definition has a schema."""
    schema = mapping(args.get("schema"))
    for found in (
        schema.get("tectonSchema"),
        mapping(schema.get("sparkSchema")),
        args.get("forcedBatchSchema"),
        mapping(args.get("pushConfig")).get("inputSchema"),
    ):
        listed = mappings(mapping(found).get("columns") or mapping(found).get("fields"))
        if names := tuple(text(one, "name") for one in listed if text(one, "name")):
            return names
    return ()


def _snowflake(config: Config, _: str) -> Callable[[str, str, str], DatasetName]:
    account = re.sub(r"^https?://", "", text(config, "url")).partition(".snowflakecomputing")[0]

    def named(database: str, schema: str, table: str) -> DatasetName:
        parts = table.split(".")  # the table may be `schema.table` or `database.schema.table`
        known = [database or text(config, "database"), schema or text(config, "schema") or "PUBLIC"]
        database, schema, name = [*known[: max(0, 3 - len(parts))], *parts][-3:]
        return dataset_name(
            Relation("", database, schema, name), Warehouse(type="snowflake", account=account)
        )

    return named


def _redshift(config: Config, _: str) -> Callable[[str, str, str], DatasetName]:
    endpoint = text(config, "endpoint")
    url = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    database = url.path.strip("/")

    def named(_: str, schema: str, table: str) -> DatasetName:
        prefix, _, name = table.rpartition(".")
        return table_dataset(
            "redshift", url.hostname or "", url.port, database, prefix or schema or "public", name
        )

    return named


def _bigquery(config: Config, _: str) -> Callable[[str, str, str], DatasetName]:
    def named(database: str, schema: str, table: str) -> DatasetName:
        known = (
            database or text(config, "projectId"),
            schema or text(config, "dataset"),
            table or text(config, "table"),
        )
        return DatasetName("bigquery", ".".join(part for part in known if part))

    return named


def _hive(config: Config, cluster: str) -> Callable[[str, str, str], DatasetName]:
    def named(database: str, schema: str, table: str) -> DatasetName:
        return DatasetName(cluster, f"hive.{schema or database or text(config, 'database')}.{table}")

    return named


def _unity(config: Config, cluster: str) -> Callable[[str, str, str], DatasetName]:
    def named(database: str, schema: str, table: str) -> DatasetName:
        catalog = database or text(config, "catalog")
        return DatasetName(cluster, f"unity.{catalog}.{schema or text(config, 'schema')}.{table}")

    return named


def _file(config: Config, _: str) -> Callable[[str, str, str], DatasetName]:
    return lambda *_: file_name(text(config, "uri"))


_NAMES = {
    "snowflakeDsConfig": _snowflake,
    "redshiftDsConfig": _redshift,
    "bigqueryDsConfig": _bigquery,
    "hiveDsConfig": _hive,
    "unityDsConfig": _unity,
    "fileDsConfig": _file,
}
