"""The movements of Kafka Connect's connectors: one job a table of a source, and a topic of a sink."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.movement import ColumnSource, MovedDataset, MovedField, Movement
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.systems.kafka_connect.record import FieldOrigin, Record, RecordField
from airflow_lineage_provider.systems.kafka_connect.sinks import SINKS, sink_topics
from airflow_lineage_provider.systems.kafka_connect.sources import source_kind
from airflow_lineage_provider.systems.kafka_connect.transforms import ANY_TOPIC, apply_transforms
from airflow_lineage_provider.systems.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from airflow_lineage_provider.systems.kafka_connect.client import Connector
    from airflow_lineage_provider.systems.kafka_connect.sources import SourceTable

UNCLAIMED = "its lineage is not claimed"
_PROVIDED = re.compile(r"\$\{[^}:]+:[^}]*\}")
_RUNS = frozenset({"RUNNING", "RESTARTING", "UNASSIGNED"})


@dataclass(frozen=True, slots=True)
class ConnectContext:
    """What the connectors of a cluster share.

    `topics` are all topics that are known, for sinks with a regex; `schemas` the fields of a topic's value,
    by topic, as far as a schema registry has them; `columns` those of source tables by connector and
    (schema, table), for connectors whose database was asked.
    """

    url: str
    version: str
    bootstrap: str
    now: datetime
    topics: tuple[str, ...] = ()
    schemas: Mapping[str, tuple[MovedField, ...]] | None = None
    columns: Mapping[str, Mapping[tuple[str, str], Sequence[tuple[str, str]]]] | None = None

    def topic(self, name: str) -> DatasetName:
        """Return the name of a topic."""
        return DatasetName(f"kafka://{self.bootstrap}", name)

    def fields(self, topic: str) -> tuple[MovedField, ...]:
        """Return the fields of a topic's value; none where they are not known."""
        return (self.schemas or {}).get(topic, ())


def connect_lineage(
    connectors: Iterable[Connector], context: ConnectContext
) -> tuple[list[Observation], list[str]]:
    """Return the observations of connectors, and why others are not claimed.

    A connector that failed or does not run has at least one observation, whatever is known of its datasets.
    """
    observations: list[Observation] = []
    problems: list[str] = []
    for connector in connectors:
        found, said = _read(connector, context)
        state, error = _state(connector)
        if error and not found:
            found = [Observation(_movement(connector, context), state, error)]
        observations += found
        problems += [f"connector {connector.name}: {problem}" for problem in said]
    return observations, problems


def _read(connector: Connector, context: ConnectContext) -> tuple[list[Observation], list[str]]:
    if references := ", ".join(_references(connector)):
        said = f"{references} is set by a config provider, which the worker alone reads: {UNCLAIMED}"
        return [], [said]
    return (_source if connector.kind == "source" else _sink)(connector, context)


def _references(connector: Connector) -> list[str]:
    """Return the settings that name datasets or columns by a config provider, such as `${env:DB_HOST}`."""
    return sorted(
        name
        for name, value in connector.config.items()
        if _PROVIDED.search(value) and not name.endswith(".converter")
    )


def _source(connector: Connector, context: ConnectContext) -> tuple[list[Observation], list[str]]:
    kind, why = source_kind(connector.config)
    if kind is None:
        return [], [f"{why}: {UNCLAIMED}"]
    asked = (context.columns or {}).get(connector.name)
    candidates = list(asked) if asked is not None else kind.candidates(connector)
    tables = [table for table in candidates if kind.selects(connector.config, table)]
    if not tables:
        return [], ["its tables are not known: give the connection of its database"]
    state, error = _state(connector)
    found, problems = [], []
    for table in tables:
        read = kind.read(connector.config, table, asked.get(table) if asked is not None else None)
        routed = apply_transforms(read.record, connector.config)
        if routed.topic == ANY_TOPIC:
            problems.append(
                f"the records of {'.'.join(table)} go to topics that their values name: {UNCLAIMED}"
            )
            continue
        topics = _actual(routed.topic, connector.topics if not error else None)
        if not topics:
            problems.append(f"no record of {'.'.join(table)} has reached a topic {routed.topic} yet")
        for topic in topics:
            record = replace(routed, topic=topic)
            job = ".".join((*table, topic) if len(topics) > 1 else table)
            movement = _source_movement(connector, context, job, read, record)
            found.append(Observation(movement, state, error))
    return found, problems


def _actual(topic: str, used: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the topics in use that a topic, which may have a `*`, stands for.

    Where the worker does not track use, that is the topic itself.
    """
    if used is None:
        return (topic,)
    return (
        tuple(one for one in used if fnmatchcase(one, topic)) if "*" in topic else (topic,) * (topic in used)
    )


def _source_movement(
    connector: Connector, context: ConnectContext, job: str, read: SourceTable, record: Record
) -> Movement:
    registered = context.fields(record.topic)
    problems = record.problems
    if record.value is None and not problems:
        problems = (f"the columns of {read.dataset.name} are not known: give the connection of its database",)
    source = MovedDataset(
        read.dataset, fields=tuple(MovedField(name, kind) for name, kind in read.columns or ())
    )
    target = MovedDataset(
        context.topic(record.topic), "TOPIC", registered or _moved_fields(record.fields or ())
    )
    return _movement(
        connector,
        context,
        job,
        source,
        target,
        _columns(record.fields, read.dataset),
        problems,
    )


def _sink(connector: Connector, context: ConnectContext) -> tuple[list[Observation], list[str]]:
    config = connector.config
    target_of = SINKS.get(config.get("connector.class", ""))
    if target_of is None:
        unknown = config.get("connector.class") or "unknown"
        return [], [f"connectors of class {unknown} are not supported: {UNCLAIMED}"]
    topics = sink_topics(config, {*context.topics, *(connector.topics or ())})
    if not topics:
        return [], ["no topic matches its configuration: nothing is written"]
    state, error = _state(connector)
    found, problems = [], []
    for topic in topics:
        if not error and connector.topics is not None and topic not in connector.topics:
            problems.append(f"it has read no record of topic {topic} yet")
            continue
        fields = context.fields(topic)
        value = RecordField("", "record", fields=tuple(_origin_field(field) for field in fields))
        record = apply_transforms(Record(topic, value if fields else None), config)
        target = target_of(config, record)
        if target is None:
            return [], [f"its connection.url is of no form that is known: {UNCLAIMED}"]
        if record.topic == ANY_TOPIC or (ANY_TOPIC in record.topic and target.kind == "TABLE"):
            problems.append(f"the records of topic {topic} go where their values say: {UNCLAIMED}")
            continue
        said = (*record.problems, *target.problems)
        if target.fields is None and not said:
            said = (f"the fields of topic {topic} are not known: give a schema registry that has them",)
        name = context.topic(topic)
        movement = _movement(
            connector,
            context,
            topic,
            MovedDataset(name, "TOPIC", fields),
            MovedDataset(target.dataset, target.kind, _moved_fields(target.fields or ())),
            _columns(target.fields, name),
            said,
        )
        found.append(Observation(movement, state, error))
    return found, problems


def _movement(
    connector: Connector,
    context: ConnectContext,
    what: str = "",
    source: MovedDataset | None = None,
    target: MovedDataset | None = None,
    columns: Mapping[str, tuple[ColumnSource, ...]] | None = None,
    problems: tuple[str, ...] = (),
) -> Movement:
    """Return the movement of one table or topic; without `what`, the connector as a whole."""
    place = urlsplit(context.url).netloc.rpartition("@")[2]
    return Movement(
        job_namespace=f"kafka-connect://{place}",
        job_name=f"{connector.name}.{what}" if what else connector.name,
        started_at=context.now,
        integration="KAFKA_CONNECT",
        job_type="CONNECTOR",
        processing="STREAMING",
        engine="Kafka Connect",
        engine_version=context.version,
        inputs=(source,) if source else (),
        outputs=(target,) if target else (),
        columns=columns,
        problems=tuple(f"connector {connector.name}: {problem}" for problem in problems),
    )


def _columns(
    fields: Iterable[RecordField] | None, source: DatasetName
) -> dict[str, tuple[ColumnSource, ...]] | None:
    """Return the sources of each leaf, by its dotted path."""
    if fields is None:
        return None
    return {
        path: tuple(
            ColumnSource(source, origin.column, origin.subtype, origin.masking, origin.expression)
            for origin in leaf.origins
        )
        for field in fields
        for path, leaf in field.leaves()
    }


def _moved_fields(fields: Iterable[RecordField]) -> tuple[MovedField, ...]:
    return tuple(MovedField(field.name, field.type, "", _moved_fields(field.fields)) for field in fields)


def _origin_field(field: MovedField, prefix: str = "") -> RecordField:
    """Return a field of a topic as one that is made of itself."""
    path = f"{prefix}{field.name}"
    if field.fields and field.type not in {"array", "map"}:
        children = tuple(_origin_field(child, f"{path}.") for child in field.fields)
        return RecordField(field.name, field.type, fields=children)
    return RecordField(field.name, field.type, (FieldOrigin(path),))


def _state(connector: Connector) -> tuple[RunState, str]:
    failed = [task for task in connector.tasks if task.state == "FAILED"]
    what = f"connector {connector.name}"
    if connector.state == "FAILED":
        return RunState.FAIL, f"{what} has failed: {connector.trace or 'see the log of its worker'}"
    if failed:
        trace = failed[0].trace or "see the log of its worker"
        return RunState.FAIL, f"{what}: task {failed[0].id} has failed: {trace}"
    if connector.state not in _RUNS:
        return RunState.ABORT, f"{what} is {connector.state.lower() or 'in no known state'}: resume it"
    if not any(task.state == "RUNNING" for task in connector.tasks):
        return RunState.ABORT, f"{what} has no running task: see the log of its worker"
    return RunState.COMPLETE, ""
