"""The lineage of Kafka Connect as a task."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.events.movement import MovedField
    from airflow_lineage_provider.systems.kafka_connect.client import Connector
    from airflow_lineage_provider.systems.schemas.registry import SchemaRegistryClient

TableColumns = dict[tuple[str, str], list[tuple[str, str]]]


class KafkaConnectLineageOperator(BaseOperator):
    """Emits the lineage of Kafka Connect's connectors: one job a table of a source, and a topic of a sink.

    Reads what Connect says and moves no data. Understands Debezium (Postgres, MySQL, MariaDB), JDBC sources
    and sinks, the S3 and Snowflake sinks, and the transformations of Kafka and Debezium. Fails, to be tried
    again, where a connector or a task of it has failed or does not run.

    :param connectors: the names of connectors; all of the cluster without it.
    :param conn_id: a connection of type `kafka_connect`.
    :param schema_registry_conn_id: a connection of type `schema_registry`, which gives the fields of topics.
        Without it the columns of sinks are not known, and the events say so.
    :param source_conn_ids: for source connectors, the connection of the database that each reads, by the
        connector's name: it gives tables, columns and types.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: jobs by state, problems, events.
    """

    template_fields: Sequence[str] = ("connectors", "source_conn_ids")
    template_fields_renderers: ClassVar[dict[str, str]] = {"source_conn_ids": "json"}
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        connectors: Sequence[str] | None = None,
        conn_id: str = "kafka_connect_default",
        schema_registry_conn_id: str | None = None,
        source_conn_ids: Mapping[str, str] | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.connectors = connectors
        self.conn_id = conn_id
        self.schema_registry_conn_id = schema_registry_conn_id
        self.source_conn_ids = source_conn_ids or {}
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read Connect, commit the events, judge the connectors' state."""
        from airflow_lineage_provider.hooks.kafka_connect import KafkaConnectHook
        from airflow_lineage_provider.systems.kafka_connect.lineage import ConnectContext, connect_lineage
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.observations import commit_observations, judge_observations

        with expected_errors_fail_task():
            now = datetime.now(UTC)
            hook = KafkaConnectHook(self.conn_id)
            bootstrap, client = hook.get_bootstrap(), hook.get_conn()
            version = client.version()
            connectors = client.connectors(self._names())
            registry = self._registry()
            topics = _topics(connectors, registry)
            cluster = ConnectContext(
                url=hook.get_url(),
                version=version,
                bootstrap=bootstrap,
                now=now,
                topics=topics,
                schemas=_schemas(registry, topics),
                columns=self._columns(connectors),
            )
            observations, problems = connect_lineage(connectors, cluster)
            summary = commit_observations(context, self.store_conn_id, observations, problems)
            judge_observations(observations)
            return summary

    def _names(self) -> tuple[str, ...]:
        if isinstance(self.connectors, str):
            return (self.connectors,)
        return tuple(self.connectors or ())

    def _registry(self) -> SchemaRegistryClient | None:
        from airflow_lineage_provider.hooks.schema_registry import SchemaRegistryHook

        return (
            SchemaRegistryHook(self.schema_registry_conn_id).get_conn()
            if self.schema_registry_conn_id
            else None
        )

    def _columns(self, connectors: Sequence[Connector]) -> dict[str, TableColumns]:
        """Return the columns of the tables that each source connector selects, as its database says."""
        from airflow_lineage_provider.systems.database import database_columns, database_tables
        from airflow_lineage_provider.systems.kafka_connect.sources import source_kind
        from airflow_lineage_provider.utils.databases import database_url

        by_name = {connector.name: connector for connector in connectors}
        found: dict[str, TableColumns] = {}
        for name, conn_id in self.source_conn_ids.items():
            if name not in by_name:
                raise InputError(
                    f"source_conn_ids names the connector {name}, which is not among those observed"
                )
            kind, _ = source_kind(by_name[name].config)
            if kind is None:
                continue
            url, label = database_url(conn_id), f"connection {conn_id!r}"
            tables = [one for one in database_tables(url, label) if kind.selects(by_name[name].config, one)]
            found[name] = database_columns(url, tables, label)
        return found


def _topics(connectors: Sequence[Connector], registry: SchemaRegistryClient | None) -> tuple[str, ...]:
    """Return the topics that connectors use or name, and those that the registry has values of."""
    from airflow_lineage_provider.systems.kafka_connect.sinks import sink_topics

    topics: dict[str, None] = {}
    for connector in connectors:
        topics |= dict.fromkeys(connector.topics or ())
        if connector.kind == "sink":
            topics |= dict.fromkeys(sink_topics(connector.config, ()))
    if registry and any(connector.config.get("topics.regex") for connector in connectors):
        suffix = "-value"
        topics |= dict.fromkeys(s.removesuffix(suffix) for s in registry.subjects() if s.endswith(suffix))
    return tuple(topics)


def _schemas(
    registry: SchemaRegistryClient | None, topics: Sequence[str]
) -> dict[str, tuple[MovedField, ...]]:
    """Return the fields of each topic's value that the registry has."""
    from airflow_lineage_provider.systems.schemas.fields import schema_fields

    found = {}
    for topic in topics if registry else ():
        schema = registry.schema(f"{topic}-value") if registry else None
        if schema:
            found[topic] = schema_fields(schema, registry)
    return found
