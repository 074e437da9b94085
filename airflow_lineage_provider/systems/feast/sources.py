"""The datasets behind Feast's data sources, by OpenLineage's names."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.records import Relation, Warehouse
from airflow_lineage_provider.events.naming import DatasetName, dataset_name, file_name
from airflow_lineage_provider.plain_json import mapping, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    Source = Mapping[str, Any]

_OPTIONS = (
    "snowflakeOptions",
    "redshiftOptions",
    "bigqueryOptions",
    "sparkOptions",
    "trinoOptions",
    "athenaOptions",
)
_DIALECTS = {"dask": "", "file": ""}
"""The SQL dialect of an offline store, where it is not the store's name."""


@dataclass(frozen=True, slots=True)
class OfflineStore:
    """The warehouse that tables of data sources are in.

    A table of a store without an address is `<project>.<database>.<schema>.<table>` in the registry's own
    namespace.
    """

    kind: str
    warehouse: Warehouse | None
    namespace: str
    project: str

    @classmethod
    def of(cls, settings: Mapping[str, Any], namespace: str, project: str) -> OfflineStore:
        """Return the store of its settings: type, account, host, port, region, cluster."""
        kind = text(settings, "type").partition(".")[0]
        host, port = text(settings, "host"), text(settings, "port")
        account = text(settings, "account")
        warehouse = None
        if (kind == "snowflake" and account) or kind == "bigquery" or (host and kind != "redshift"):
            warehouse = Warehouse(
                type=kind, account=account, host=host, port=int(port) if port.isdecimal() else None
            )
        elif kind == "redshift" and text(settings, "cluster_id"):
            region = text(settings, "region")
            host = f"{text(settings, 'cluster_id')}.cluster.{region}.redshift.amazonaws.com"
            warehouse = Warehouse(type=kind, host=host, port=5439)
        return cls(kind, warehouse, namespace, project)

    @property
    def dialect(self) -> str:
        """The SQL dialect of queries."""
        return _DIALECTS.get(self.kind, self.kind)

    def table(self, database: str, schema: str, name: str) -> DatasetName:
        """Return the dataset that a table is."""
        parts = [part.strip('`"') for part in name.split(".")]
        full = [*[one for one in (database, schema) if one][: max(0, 3 - len(parts))], *parts]
        if self.warehouse is None:
            return DatasetName(self.namespace, ".".join([self.project, *full]))
        padded = ["", "", *full][-3:]
        relation = Relation("", padded[0] or None, padded[1] or None, padded[2])
        return dataset_name(relation, self.warehouse)


@dataclass(frozen=True, slots=True)
class FeastSource:
    """A data source: its dataset and kind, or its query. `renamed` are source columns by feature."""

    dataset: DatasetName | None
    kind: str
    query: str = ""
    database: str = ""
    schema: str = ""
    renamed: Mapping[str, str] | None = None


def feast_source(source: Source, store: OfflineStore) -> FeastSource:
    """Return a batch or stream source; its dataset is None where its form is not known."""
    renamed = {str(to): str(column) for column, to in mapping(source.get("fieldMapping")).items()}
    if stream := _stream(source, store):
        return FeastSource(stream, "TOPIC", renamed=renamed)
    options = next((found for key in _OPTIONS if (found := mapping(source.get(key)))), None)
    options = options or _custom(source)
    if location := text(source, "fileOptions", "uri") or text(options, "path"):
        return FeastSource(file_name(location), "FILE", renamed=renamed)
    database, schema, query = (text(options, key) for key in ("database", "schema", "query"))
    if query:
        return FeastSource(None, "TABLE", query, database, schema, renamed)
    table = text(options, "table")
    named = store.table(database, schema, table) if table else None
    return FeastSource(named, "TABLE", renamed=renamed)


def _stream(source: Source, store: OfflineStore) -> DatasetName | None:
    if kafka := mapping(source.get("kafkaOptions")):
        broker = text(kafka, "kafkaBootstrapServers").partition(",")[0].strip().rpartition("://")[2]
        return DatasetName(f"kafka://{broker}", text(kafka, "topic"))
    if kinesis := mapping(source.get("kinesisOptions")):
        return DatasetName(f"kinesis://{text(kinesis, 'region')}", text(kinesis, "streamName"))
    if text(source, "type") == "PUSH_SOURCE":
        return DatasetName(store.namespace, f"{store.project}.{text(source, 'name')}")
    return None


def _custom(source: Source) -> Mapping[str, Any]:
    """Return the options of a source that is not Feast's own, as of Postgres: JSON in base64."""
    try:
        return mapping(json.loads(base64.b64decode(text(source, "customOptions", "configuration"))))
    except ValueError:
        return {}
