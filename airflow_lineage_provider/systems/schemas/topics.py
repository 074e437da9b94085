"""A topic's schema over its versions: which subjects it has, and what each version changed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.movement import MovedDataset, MovedField, Movement
from airflow_lineage_provider.graph import ColumnRef, impact
from airflow_lineage_provider.graph.findings import Code, Finding
from airflow_lineage_provider.graph.impact import consumers
from airflow_lineage_provider.graph.model import EVERY_COLUMN
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.schemas.fields import schema_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from airflow_lineage_provider.events.naming import DatasetName
    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.systems.schemas.registry import SchemaRegistryClient

STRATEGIES = ("topic_name", "record_name", "topic_record_name")
SHOWN = 10
_KEY_OR_VALUE = frozenset({"key", "value"})


@dataclass(frozen=True, slots=True)
class TopicSchema:
    """A version of a subject of a topic."""

    subject: str
    version: int
    kind: str
    fields: tuple[MovedField, ...]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What a version did to a field, by its dotted path; `was` and `now` are types."""

    code: Code
    path: str
    subject: str
    version: int
    was: str = ""
    now: str = ""


def topic_subjects(
    client: SchemaRegistryClient, topic: str, strategy: str, records: Sequence[str]
) -> tuple[str, ...]:
    """Return the subjects of a topic's values, by the producer's subject name strategy.

    `records` are the full names of the records that `record_name` needs, because the registry does not know
    which topic they go to. Raises InputError, and SystemReadError where there is no such subject.
    """
    if strategy == "topic_name":
        return (f"{topic}-value",)
    if strategy == "topic_record_name":
        prefix = f"{topic}-"
        found = client.subjects(prefix)
        subjects = [name for name in found if name.removeprefix(prefix) not in _KEY_OR_VALUE]
        if records:
            subjects = [name for name in subjects if name.removeprefix(prefix) in records]
        if not subjects:
            raise SystemReadError(
                f"{client} has no subject {prefix}RECORD: check the topic and subject_strategy"
            )
        return tuple(subjects)
    if strategy == "record_name":
        if not records:
            raise InputError(
                "subject_strategy 'record_name' needs records, the full names of the topic's records"
            )
        return tuple(records)
    raise InputError(f"{strategy!r} is no subject_strategy; use {', '.join(STRATEGIES)}")


def topic_schemas(
    client: SchemaRegistryClient, subjects: Iterable[str], since: Mapping[str, int]
) -> tuple[list[TopicSchema], list[FieldChange]]:
    """Return the newest schema of each subject, and what the versions after `since` changed, oldest first.

    `since` gives the version of the last look by subject; a subject that it does not name is read for the
    first time and has no changes. Raises SystemReadError.
    """
    newest, changes = [], []
    for subject in subjects:
        versions = client.versions(subject)
        if not versions:
            raise SystemReadError(f"{client} has no subject {subject}: check the topic and subject_strategy")
        known = since.get(subject)
        # The version of the last look may have been deleted since: then the one before it is the base.
        base = [version for version in versions if known is not None and version <= known][-1:]
        later = [version for version in versions if known is not None and version > known]
        read = [_read(client, subject, version) for version in (base + later or versions[-1:])]
        newest.append(read[-1])
        for before, after in pairwise(read):
            changes += field_changes(before, after)
    return newest, changes


def _read(client: SchemaRegistryClient, subject: str, version: int) -> TopicSchema:
    found = client.schema(subject, version)
    if found is None:
        raise SystemReadError(
            f"{client} has no version {version} of subject {subject} any more", unreachable=True
        )
    return TopicSchema(subject, version, found.kind, schema_fields(found, client))


def field_changes(before: TopicSchema, after: TopicSchema) -> list[FieldChange]:
    """Return the fields that a version added, removed or retyped, nested ones by their dotted path."""
    old, new = dict(_types(before.fields)), dict(_types(after.fields))
    gone, come = _outermost(old.keys() - new.keys()), _outermost(new.keys() - old.keys())
    retyped = [path for path in old if path in new and old[path] != new[path]]
    subject, version = after.subject, after.version
    return [
        *(FieldChange(Code.FIELD_REMOVED, path, subject, version, was=old[path]) for path in gone),
        *(FieldChange(Code.FIELD_ADDED, path, subject, version, now=new[path]) for path in come),
        *(FieldChange(Code.FIELD_RETYPED, path, subject, version, old[path], new[path]) for path in retyped),
    ]


def _outermost(paths: Iterable[str]) -> list[str]:
    """Leave out the fields of records that are themselves among the paths."""
    found: set[str] = set()
    for path in sorted(paths, key=lambda path: path.count(".")):
        parts = path.split(".")
        if not any(".".join(parts[:depth]) in found for depth in range(1, len(parts))):
            found.add(path)
    return sorted(found)


def _types(fields: Iterable[MovedField], prefix: str = "") -> Iterator[tuple[str, str]]:
    for field in fields:
        yield f"{prefix}{field.name}", field.type
        yield from _types(field.fields, f"{prefix}{field.name}.")


def change_findings(changes: Iterable[FieldChange], topic: str, graph: Graph | None) -> list[Finding]:
    """Return a finding for each change, with the columns and consumers that it reaches by the map.

    `topic` is the topic's name in the graph.
    """
    verbs = {Code.FIELD_ADDED: "added", Code.FIELD_REMOVED: "removed", Code.FIELD_RETYPED: "retyped"}
    findings = []
    for change in changes:
        types = f" from {change.was} to {change.now}" if change.was and change.now else ""
        said = f"{verbs[change.code]} the field {change.path}{types}"
        message = f"version {change.version} of {change.subject} {said}"
        # Nothing reads a field that is new.
        reached = [] if change.code is Code.FIELD_ADDED else _reached(graph, topic, change.path)
        if reached:
            more = f" and {len(reached) - SHOWN} more" if reached[SHOWN:] else ""
            message += f"; it reaches {', '.join(reached[:SHOWN])}{more}"
        findings.append(
            Finding(change.code, f"{topic}.{change.path}", message, was=change.was, now=change.now)
        )
    return findings


def _reached(graph: Graph | None, topic: str, path: str) -> list[str]:
    """Return the columns that a field reaches (a table where its columns are not known), then consumers."""
    if graph is None or topic not in graph.datasets:
        return []
    starts = [ColumnRef(topic, path), ColumnRef(topic, path.partition(".")[0])]
    start = next((ref for ref in starts if graph.column_downstream.get(ref)), starts[-1])
    found = impact(graph, [start])
    reached = (ref for ref, (hops, _) in found.nodes.items() if hops)
    columns = [ref.dataset if ref.column == EVERY_COLUMN else str(ref) for ref in reached]
    return list(dict.fromkeys([*columns, *(dataset.name for dataset in consumers(graph, found))]))


def merged_fields(schemas: Iterable[TopicSchema]) -> tuple[MovedField, ...]:
    """Return the fields of all records of a topic; a field that differs among them has no type."""
    merged: dict[str, MovedField] = {}
    for schema in schemas:
        for field in schema.fields:
            known = merged.setdefault(field.name, field)
            if known != field:
                same = known.type == field.type
                merged[field.name] = MovedField(field.name, field.type if same else "", known.description)
    return tuple(merged.values())


def topic_movement(
    topic: DatasetName, schemas: Sequence[TopicSchema], registry: str, now: datetime
) -> Movement:
    """Return the reading of a topic's schema as a job: it has an input and makes nothing."""
    version = ",".join(f"{schema.subject}:{schema.version}" for schema in schemas)
    return Movement(
        job_namespace=registry,
        job_name=topic.name,
        started_at=now,
        integration="SCHEMA_REGISTRY",
        job_type="SCHEMA",
        engine="Schema Registry",
        inputs=(MovedDataset(topic, "TOPIC", merged_fields(schemas), version=version),),
    )


def seen_versions(version: str) -> dict[str, int]:
    """Return the version of each subject that a movement of `topic_movement` says.

    >>> seen_versions("orders-value:3,orders-com.acme.Order:1")
    {'orders-value': 3, 'orders-com.acme.Order': 1}
    """
    pairs = (part.rpartition(":") for part in version.split(","))
    return {subject: int(number) for subject, _, number in pairs if subject and number.isdecimal()}
