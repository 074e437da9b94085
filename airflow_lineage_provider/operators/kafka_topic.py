"""The schema of a topic as a task."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.reports.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.events.naming import DatasetName
    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.graph.findings import Finding
    from airflow_lineage_provider.systems.parties import Parties
    from airflow_lineage_provider.systems.schemas.topics import FieldChange, TopicSchema

RECENT = timedelta(days=7)
"""How far back jobs count as those that write or read the topic."""


class KafkaTopicLineageOperator(BaseOperator):
    """Emits the schema of a topic, as Schema Registry has it, and reports what changed since the last look.

    Each version since the last look is compared with the one before it. A field that was added, removed or
    retyped is a finding, with the columns that it reaches by the map; the map's policy weighs it. The event
    store keeps the version of the last look, so a change is reported once. The format, the producer and the
    consumer that the map documents of the topic are held to the registry, and to the events of the jobs that
    write and read it; `unchecked` says which statement no event can confirm.

    :param topic: the topic.
    :param bootstrap_servers: the brokers, by which the topic is named: `kafka.example.com:9092`.
    :param conn_id: a connection of type `schema_registry`.
    :param subject_strategy: how the producer names subjects: topic_name, record_name or topic_record_name.
    :param records: the full names of the topic's records, for the two last strategies.
    :param map_path: a lineage map; relative to the DAG file's folder.
    :param environment: which of the map's environments binds the topic's name.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: versions, findings, unchecked, events.
    """

    template_fields: Sequence[str] = ("topic", "bootstrap_servers", "records", "map_path", "environment")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        topic: str,
        bootstrap_servers: str,
        conn_id: str = "schema_registry_default",
        subject_strategy: str = "topic_name",
        records: Sequence[str] = (),
        map_path: str | None = None,
        environment: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.topic = topic
        self.bootstrap_servers = bootstrap_servers
        self.conn_id = conn_id
        self.subject_strategy = subject_strategy
        self.records = records
        self.map_path = map_path
        self.environment = environment
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the registry, commit the event, judge the changes."""
        from openlineage.client.event_v2 import RunState

        from airflow_lineage_provider.hooks.schema_registry import SchemaRegistryHook
        from airflow_lineage_provider.systems.observation import Observation
        from airflow_lineage_provider.systems.schemas.topics import (
            seen_versions,
            topic_movement,
            topic_schemas,
            topic_subjects,
        )
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.observations import commit_observations, last_version

        with expected_errors_fail_task():
            name, now, hook = self._name(), datetime.now(UTC), SchemaRegistryHook(self.conn_id)
            client = hook.get_conn()
            place = f"schema-registry://{urlsplit(hook.get_url()).netloc}"
            subjects = topic_subjects(client, self.topic, self.subject_strategy, _names(self.records))
            seen = seen_versions(last_version(self.store_conn_id, place, self.topic, "inputs"))
            schemas, changes = topic_schemas(client, subjects, seen)
            findings, unchecked = self._findings(name, schemas, changes)
            movement = topic_movement(name, schemas, place, now)
            summary = commit_observations(
                context, self.store_conn_id, [Observation(movement, RunState.COMPLETE)]
            )
        self._judge(findings)
        return summary | {
            "versions": {schema.subject: schema.version for schema in schemas},
            "findings": [str(finding) for finding in findings],
            "unchecked": unchecked,
        }

    def _name(self) -> DatasetName:
        from airflow_lineage_provider.events.naming import DatasetName

        first = self.bootstrap_servers.partition(",")[0].strip().rpartition("://")[2]
        if not first:
            raise InputError("bootstrap_servers is empty: name the brokers, such as kafka.example.com:9092")
        return DatasetName(f"kafka://{first}", self.topic)

    def _findings(
        self, name: DatasetName, schemas: Sequence[TopicSchema], changes: Sequence[FieldChange]
    ) -> tuple[list[Finding], list[str]]:
        from airflow_lineage_provider.graph.findings import Policy, weigh
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.lineage_map.bindings import bindings_of
        from airflow_lineage_provider.readers.documented import read_map
        from airflow_lineage_provider.systems.parties import party_findings
        from airflow_lineage_provider.systems.schemas.topics import change_findings
        from airflow_lineage_provider.systems.service_levels import format_findings
        from airflow_lineage_provider.utils.paths import path_beside_dag

        graph: Graph | None = None
        policy, logical = Policy(), name.name
        found: list[Finding] = []
        unchecked: list[str] = []
        if self.map_path:
            lineage_map = load_map(path_beside_dag(self, self.map_path))
            bindings = bindings_of(lineage_map, self.environment)
            logical = bindings.logical(name.namespace, name.name) or name.name
            graph, policy = read_map(lineage_map).graph, lineage_map.policy()
            found, unchecked = party_findings(lineage_map, logical, self._parties(name))
            found += format_findings(lineage_map, logical, {schema.kind for schema in schemas})
            if logical not in graph.datasets:
                topic = one_line(name.name)
                self.log.warning("the map has no topic %s: what a change reaches is not known", topic)
        found += change_findings(changes, logical, graph)
        for statement in unchecked:
            self.log.info("not checked: %s", one_line(statement))
        return list(weigh(found, policy)[0]), unchecked

    def _parties(self, topic: DatasetName) -> Parties:
        from airflow_lineage_provider.hooks.event_store import EventStoreHook
        from airflow_lineage_provider.store import StoreError
        from airflow_lineage_provider.systems.parties import Parties, parties_of

        with closing(EventStoreHook(self.store_conn_id).get_conn()) as store:
            try:
                events = store.events(
                    dataset=topic.name,
                    dataset_namespace=topic.namespace,
                    since=datetime.now(UTC) - RECENT,
                )
                return parties_of(events, topic)
            except StoreError as error:
                self.log.warning(
                    "the jobs of %s are not known: %s", one_line(topic.name), one_line(str(error))
                )
                return Parties()

    def _judge(self, findings: Sequence[Finding]) -> None:
        errors = [str(finding) for finding in findings if finding.severity == "error"]
        for finding in findings:
            self.log.warning("%s: %s", finding.severity.value, one_line(str(finding)))
        if errors:
            raise AirflowFailException(one_line("; ".join(errors[:20])))


def _names(given: Sequence[str] | str) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
