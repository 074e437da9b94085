"""Connect's single message transforms: what each makes of a record's topic and fields.

https://kafka.apache.org/documentation/#connect_transforms
https://debezium.io/documentation/reference/stable/transformations/
One function a transform, in `TRANSFORMS`. A transform that is not there makes the fields unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from airflow_lineage_provider.systems.kafka_connect.record import Record, RecordField, find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ENVELOPE = frozenset({"after", "op"})
_KAFKA = "org.apache.kafka.connect.transforms."
_DEBEZIUM = "io.debezium.transforms."
_CONFLUENT = "io.confluent.connect.transforms."
ANY_TOPIC = "*"
"""A topic that a value of each record names."""


@dataclass(frozen=True, slots=True)
class TransformStep:
    """A configured transform: its class without a `$Key` or `$Value`, which of the two, and its options."""

    alias: str
    kind: str
    part: str
    options: Mapping[str, str]

    def words(self, *keys: str) -> list[str]:
        """Return the comma-separated words of the first of these options that is given."""
        given = next((self.options[key] for key in keys if self.options.get(key)), "")
        return [word.strip() for word in given.split(",") if word.strip()]


def apply_transforms(record: Record, config: Mapping[str, str]) -> Record:
    """Return the record behind all transforms of a connector's configuration, in their order."""
    for alias in (word.strip() for word in config.get("transforms", "").split(",")):
        if alias:
            record = _apply(record, _step(alias, config), config)
    return record


def _apply(record: Record, step: TransformStep, config: Mapping[str, str]) -> Record:
    applies = _decide(record, step.options, config)
    if applies is False or step.part == "Key" or step.kind in PASSING:
        return record
    change = TRANSFORMS.get(step.kind)
    label = f"transform {step.alias} ({step.kind.rpartition('.')[2]})"
    if change is None:
        return record.unknown(f"{label} is not known: its columns are not claimed")
    if applies is None:
        return record.unknown(f"{label} applies by a predicate on each record: its columns are not claimed")
    try:
        return change(record, step)
    except re.error as error:
        return record.unknown(f"{label} has a pattern that cannot be read ({error})")


def _step(alias: str, config: Mapping[str, str]) -> TransformStep:
    prefix = f"transforms.{alias}."
    options = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
    kind, _, part = options.get("type", "").partition("$")
    return TransformStep(alias, kind, part, options)


def _decide(record: Record, options: Mapping[str, str], config: Mapping[str, str]) -> bool | None:
    """Return whether a transform applies to the record; None where that differs from record to record.

    A tombstone has no value, so a transform for tombstones alone does not change columns.
    """
    name = options.get("predicate", "")
    if not name:
        return True
    negated = options.get("negate", "").strip().lower() == "true"
    kind = config.get(f"predicates.{name}.type", "").rpartition(".")[2]
    if kind == "RecordIsTombstone":
        return negated
    if kind != "TopicNameMatches":
        return None
    try:
        matches = re.fullmatch(java_regex(config.get(f"predicates.{name}.pattern", "")), record.topic)
    except re.error:
        return None
    return (matches is not None) is not negated


def java_regex(pattern: str) -> str:
    """Return a Java regular expression as Python's; the two differ in how they name groups."""
    return re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", pattern)


def java_replacement(text: str) -> str:
    """Return a Java replacement (`$1`, `${name}`) as Python's."""
    escaped = re.sub(r"\\(.)", r"\1", text).replace("\\", r"\\")
    return re.sub(r"\$(?:\{(\w+)\}|(\d))", lambda m: rf"\g<{m[1] or m[2]}>", escaped)


def reroute(topic: str, regex: str, replacement: str) -> str:
    """Return what RegexRouter makes of a topic: the replacement where all of it matches."""
    found = re.fullmatch(java_regex(regex), topic)
    return found.expand(java_replacement(replacement)) if found else topic


def _regex_router(record: Record, step: TransformStep) -> Record:
    topic = reroute(record.topic, step.options.get("regex", ""), step.options.get("replacement", ""))
    return replace(record, topic=topic)


def _logical_table_router(record: Record, step: TransformStep) -> Record:
    """The topic changes, and the source's identifier is added to the key only."""
    given = step.options
    topic = reroute(record.topic, given.get("topic.regex", ""), given.get("topic.replacement", ""))
    return replace(record, topic=topic)


def _timestamp_router(record: Record, step: TransformStep) -> Record:
    """The timestamp is any, as a `*` says."""
    form = step.options.get("topic.format", "${topic}-${timestamp}")
    return replace(record, topic=form.replace("${topic}", record.topic).replace("${timestamp}", ANY_TOPIC))


def _route_by_value(record: Record, _step: TransformStep) -> Record:
    return replace(record, topic=ANY_TOPIC)


def _extract_field(record: Record, step: TransformStep) -> Record:
    name = step.options.get("field", "")
    field = find(record.fields or (), name)
    if field is None and step.options.get("field.syntax.version", "").upper() == "V2":
        field = _at(record.fields or (), name.split("."))
    if field is None:
        return record if record.value is None else record.unknown(f"{step.alias}: there is no field {name!r}")
    return replace(record, value=replace(field, name=""))


def _at(fields: tuple[RecordField, ...], path: list[str]) -> RecordField | None:
    field = find(fields, path[0])
    return field if field is None or len(path) == 1 else _at(field.fields, path[1:])


def _replace_field(record: Record, step: TransformStep) -> Record:
    """Kafka drops fields first and renames the rest."""
    include, exclude = step.words("include", "whitelist"), step.words("exclude", "blacklist")
    renames = dict(pair.split(":", 1) for pair in step.words("renames") if ":" in pair)
    return _fields(
        record,
        lambda fields: tuple(
            replace(field, name=renames.get(field.name, field.name))
            for field in fields
            if field.name not in exclude and (not include or field.name in include)
        ),
    )


def _flatten(record: Record, step: TransformStep) -> Record:
    delimiter = step.options.get("delimiter", ".")
    return _fields(
        record,
        lambda fields: tuple(
            replace(leaf, name=path.replace(".", delimiter)) if field.is_record else field
            for field in fields
            for path, leaf in field.leaves()
        ),
    )


def _hoist_field(record: Record, step: TransformStep) -> Record:
    if record.value is None:
        return record
    return record.with_fields([replace(record.value, name=step.options.get("field", ""))])


def _insert_field(record: Record, step: TransformStep) -> Record:
    kinds = {
        "topic": "string",
        "partition": "int32",
        "offset": "int64",
        "timestamp": "timestamp",
        "static": "string",
    }
    named = {kind: step.options.get(f"{kind}.field", "").rstrip("!?") for kind in kinds}
    added = [RecordField(name, kinds[kind]) for kind, name in named.items() if name]
    return _fields(record, lambda fields: (*fields, *added))


def _cast(record: Record, step: TransformStep) -> Record:
    specs = [spec.partition(":") for spec in step.words("spec")]
    if any(not separator for _, separator, _ in specs):  # the value itself, which is no record
        kinds = {"": specs[0][0]}
    else:
        kinds = {name: kind for name, _, kind in specs}

    def cast(field: RecordField) -> RecordField:
        kind = kinds[field.name]
        origins = tuple(origin.transformed(f"Cast to {kind}") for origin in field.origins)
        return replace(field, type=kind, origins=origins)

    if record.value is not None and not record.value.is_record:
        return replace(record, value=cast(record.value)) if "" in kinds else record
    return _fields(record, lambda fields: tuple(cast(f) if f.name in kinds else f for f in fields))


def _mask_field(record: Record, step: TransformStep) -> Record:
    return _change(record, step.words("fields"), "MaskField", masking=True)


def _timestamp_converter(record: Record, step: TransformStep) -> Record:
    kind = step.options.get("target.type", "")
    return _change(record, step.words("field"), f"TimestampConverter to {kind}")


def _header_from(record: Record, step: TransformStep) -> Record:
    """A field that is moved to a header is no longer in the value."""
    moved = step.words("fields") if step.options.get("operation") == "move" else []
    return _fields(record, lambda fields: tuple(field for field in fields if field.name not in moved))


def _header_to_value(record: Record, step: TransformStep) -> Record:
    """A header becomes a field; what headers are made of is not known."""
    names = step.words("fields")
    if any("." in name for name in names):
        return record.unknown(f"{step.alias}: a header is put into a field of a field")
    return _fields(record, lambda fields: (*fields, *(RecordField(name) for name in names)))


def _extract_new_record_state(record: Record, step: TransformStep) -> Record:
    """Take the row after the change, and the envelope's fields that are asked for."""
    envelope = record.fields
    if envelope is None or not {field.name for field in envelope} >= _ENVELOPE:
        return record
    if step.options.get("route.by.field"):
        record = _route_by_value(record, step)
    after = find(envelope, "after")
    prefix = step.options.get("add.fields.prefix", "__")
    added = []
    for word in step.words("add.fields"):
        path, _, alias = word.partition(":")
        name = f"{prefix}{alias or path.replace('.', '_')}"
        found = _at(envelope, path.split(".")) or _at(envelope, ["source", path])
        added.append(replace(found, name=name) if found else RecordField(name))
    modes = {step.options.get("delete.handling.mode"), step.options.get("delete.tombstone.handling.mode")}
    if modes & {"rewrite", "rewrite-with-tombstone"}:
        added.append(RecordField("__deleted", "string"))
    return record.with_fields([*(after.fields if after else ()), *added]) if record.value else record


def _event_router(record: Record, step: TransformStep) -> Record:
    """The outbox pattern: the topic is named by a column, and the value is the payload column."""
    envelope = record.fields
    after = find(envelope or (), "after")
    if envelope is None or after is None:
        return record
    option = step.options.get
    replacement = option("route.topic.replacement", "outbox.event.${routedByValue}")
    topic = replacement.replace("${routedByValue}", "*")
    payload = find(after.fields, option("table.field.event.payload", "payload"))
    envelope_fields = []
    for placement in step.words("table.fields.additional.placement"):
        column, place, alias = (*placement.split(":"), "", "")[:3]
        found = find(after.fields, column)
        if place == "envelope":
            envelope_fields.append(
                replace(found, name=alias or column) if found else RecordField(alias or column)
            )
    routed = replace(record, topic=topic)
    if payload is None:
        return routed.unknown(f"{step.alias}: the table has no payload column")
    if option("table.expand.json.payload", "false").lower() == "true":
        return routed.unknown(f"{step.alias}: the fields of an expanded JSON payload are not known")
    if envelope_fields:
        return routed.with_fields([replace(payload, name="payload"), *envelope_fields])
    return replace(routed, value=replace(payload, name=""))


def _fields(record: Record, change: Callable[[tuple[RecordField, ...]], tuple[RecordField, ...]]) -> Record:
    """Change the fields of a value that is a record; any other value stays."""
    if record.value is None or not record.value.is_record:
        return record
    return record.with_fields(change(record.value.fields))


def _change(record: Record, names: list[str], expression: str, *, masking: bool = False) -> Record:
    """Transform the fields of these names; without names, a value that is no record."""

    def change(leaf: RecordField) -> RecordField:
        origins = tuple(origin.transformed(expression, masking=masking) for origin in leaf.origins)
        return replace(leaf, origins=origins)

    if record.value is not None and not record.value.is_record and not names:
        return replace(record, value=change(record.value))
    return _fields(
        record,
        lambda fields: tuple(f.map_leaves(change) if f.name in names else f for f in fields),
    )


TRANSFORMS: dict[str, Callable[[Record, TransformStep], Record]] = {
    f"{_KAFKA}RegexRouter": _regex_router,
    f"{_KAFKA}TimestampRouter": _timestamp_router,
    f"{_CONFLUENT}ExtractTopic": _route_by_value,
    f"{_CONFLUENT}MessageTimestampRouter": _timestamp_router,
    f"{_KAFKA}ExtractField": _extract_field,
    f"{_KAFKA}ReplaceField": _replace_field,
    f"{_KAFKA}Flatten": _flatten,
    f"{_KAFKA}HoistField": _hoist_field,
    f"{_KAFKA}InsertField": _insert_field,
    f"{_KAFKA}Cast": _cast,
    f"{_KAFKA}MaskField": _mask_field,
    f"{_KAFKA}TimestampConverter": _timestamp_converter,
    f"{_KAFKA}HeaderFrom": _header_from,
    f"{_DEBEZIUM}ExtractNewRecordState": _extract_new_record_state,
    f"{_DEBEZIUM}HeaderToValue": _header_to_value,
    f"{_DEBEZIUM}ByLogicalTableRouter": _logical_table_router,
    f"{_DEBEZIUM}outbox.EventRouter": _event_router,
}

PASSING = frozenset(
    {
        *(
            f"{_KAFKA}{name}"
            for name in ("ValueToKey", "SetSchemaMetadata", "Filter", "InsertHeader", "DropHeaders")
        ),
        *(
            f"{_DEBEZIUM}{name}"
            for name in ("Filter", "ExtractChangedRecordState", "partitions.PartitionRouting")
        ),
        f"{_CONFLUENT}TombstoneHandler",
        f"{_CONFLUENT}Filter",
    }
)
"""Transforms that change neither the topic nor the fields of the value."""
