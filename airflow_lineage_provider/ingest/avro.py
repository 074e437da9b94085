"""Avro records in Confluent's wire format as Arrow tables.

A record is decoded by the schema that it was written with. Times are read as integers and become Arrow's in
one step, which is several times faster than one Python object for each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.model import IngestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

MAGIC = 0
HEADER = 5  # a zero byte, then the schema's id in 4 bytes
DEEPEST = 32
TIME = "arrowTime"
ZONED_TIMESTAMP = "io.debezium.time.ZonedTimestamp"
DEBEZIUM_TIMES = {
    "io.debezium.time.Date": "date",
    "io.debezium.time.Time": "time-millis",
    "io.debezium.time.MicroTime": "time-micros",
    "io.debezium.time.NanoTime": "time-nanos",
    "io.debezium.time.Timestamp": "local-timestamp-millis",
    "io.debezium.time.MicroTimestamp": "local-timestamp-micros",
    "io.debezium.time.NanoTimestamp": "local-timestamp-nanos",
}
"""The logical type that says the same as Debezium's name of a type."""


class UndecodableError(Exception):
    """A record that is no Avro record of its schema; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes the records of one schema."""

    schema: pa.Schema
    decode: Callable[[Any], dict[str, Any]]
    """Takes an Avro record with its header, or the payload of JSON; raises UndecodableError."""
    json_columns: frozenset[str]
    """Columns that have no Arrow type, such as a union of two records: they become JSON text."""

    def table(self, records: Sequence[dict[str, Any]]) -> pa.Table:
        """Return decoded records as a table, in their order."""
        import pyarrow as pa

        arrays = []
        for column in self.schema:
            values = [record[column.name] for record in records]
            if column.name in self.json_columns:
                values = [None if value is None else json.dumps(value, default=str) for value in values]
            arrays.append(pa.array(values, column.type))
        return pa.Table.from_arrays(arrays, schema=self.schema)


def schema_id(value: bytes) -> int:
    """Return the id of the schema that a record was written with. Raises UndecodableError."""
    if len(value) < HEADER or value[0] != MAGIC:
        raise UndecodableError("it does not begin with a zero byte and the id of a schema")
    return int.from_bytes(value[1:HEADER], "big")


def decoder(schema: Mapping[str, Any] | str | list[Any], named: Mapping[str, Any] | None = None) -> Decoder:
    """Return the decoder of a record schema.

    :param schema: the Avro schema.
    :param named: schemas that it refers to by name, parsed by `parse`.

    Raises IngestError for a schema that is no record.
    """
    import fastavro
    import pyarrow as pa

    known = dict(named or {})
    parsed = parse(schema, known)
    if not isinstance(parsed, dict) or parsed.get("type") != "record":
        raise IngestError(f"the Avro schema {str(schema)[:80]!r} is no record: it has no columns")
    fields, texts, zoned = [], set(), []
    for field in parsed["fields"]:
        arrow = _arrow_type(field["type"], known, DEEPEST)
        if arrow is None:
            texts.add(field["name"])
        elif arrow == pa.string() and _is_zoned(field["type"]):
            zoned.append(field["name"])
            arrow = arrow_time("timestamp-micros")
        fields.append(pa.field(field["name"], arrow or pa.string()))
    read = fastavro.schemaless_reader

    def decode(value: bytes) -> dict[str, Any]:
        stream = BytesIO(value)
        stream.seek(HEADER)
        try:
            record: Any = read(stream, parsed, None)
            for name in zoned:
                record[name] = zoned_moment(record[name])
        except Exception as error:  # noqa: BLE001 - fastavro raises whatever a wrong byte leads to
            raise UndecodableError(f"{type(error).__name__}: {error}") from None
        if left := len(value) - stream.tell():
            raise UndecodableError(f"{left} bytes are left behind the record")
        return record  # type: ignore[no-any-return] # of a record schema: a dict

    return Decoder(pa.schema(fields), decode, frozenset(texts))


def parse(schema: Any, named: dict[str, Any]) -> Any:
    """Return a schema as fastavro reads it, and add the types that it names to `named`.

    Raises IngestError for what is no Avro schema.
    """
    import fastavro

    try:
        return fastavro.parse_schema(_with_plain_times(schema, DEEPEST), named_schemas=named)
    except IngestError:
        raise
    except Exception as error:  # noqa: BLE001 - KeyError, TypeError and its own, by what is wrong
        raise IngestError(f"{str(schema)[:80]!r} is no Avro schema: {error}") from None


def _with_plain_times(schema: Any, depth: int) -> Any:
    """Take the logical types of times and UUIDs away, so that their plain values are read."""
    if depth == 0:
        raise IngestError(f"an Avro schema is nested more than {DEEPEST} levels deep")
    if isinstance(schema, list):
        return [_with_plain_times(part, depth - 1) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _with_plain_times(part, depth - 1) for key, part in schema.items() if key != "default"}
    logical = plain.get("logicalType")
    if isinstance(logical, str) and logical != "decimal":
        plain[TIME] = plain.pop("logicalType")
    elif plain.get("connect.name") in DEBEZIUM_TIMES:
        plain[TIME] = plain["connect.name"]
    if "default" in schema:
        plain["default"] = schema["default"]
    return plain


def _arrow_type(schema: Any, named: Mapping[str, Any], depth: int) -> pa.DataType | None:  # noqa: PLR0911
    """Return the Arrow type of a parsed Avro type; None where there is none."""
    import pyarrow as pa

    if depth == 0:  # a type that holds itself
        return None
    if isinstance(schema, list):
        others = [part for part in schema if part not in ("null", {"type": "null"})]
        return _arrow_type(others[0], named, depth - 1) if len(others) == 1 else None
    if isinstance(schema, str):
        return _PRIMITIVE[schema]() if schema in _PRIMITIVE else _arrow_type(named[schema], named, depth - 1)
    kind = schema["type"]
    if kind == "record":
        parts = [(field["name"], _arrow_type(field["type"], named, depth - 1)) for field in schema["fields"]]
        return pa.struct(parts) if parts and all(part for _, part in parts) else None
    if kind in {"array", "map"}:
        inner = _arrow_type(schema["items" if kind == "array" else "values"], named, depth - 1)
        if inner is None:
            return None
        return pa.list_(inner) if kind == "array" else pa.map_(pa.string(), inner)
    if schema.get("logicalType") == "decimal":
        return pa.decimal128(schema["precision"], schema.get("scale", 0))
    if time := arrow_time(schema.get(TIME)):
        return time
    if kind == "fixed":
        return pa.binary(schema["size"])
    return pa.string() if kind == "enum" else _arrow_type(kind, named, depth - 1)


def _is_zoned(schema: Any) -> bool:
    """Whether a type is Debezium's text of a moment with its offset, or null."""
    parts = schema if isinstance(schema, list) else [schema]
    return any(isinstance(part, dict) and part.get("connect.name") == ZONED_TIMESTAMP for part in parts)


def zoned_moment(text: str | None) -> datetime | None:
    """Return the moment of an ISO 8601 text. Raises ValueError."""
    return None if text is None else datetime.fromisoformat(text)


def arrow_time(name: Any) -> pa.DataType | None:
    """Return the Arrow type of a time by the name of its Avro logical type, or of Debezium's type."""
    import pyarrow as pa

    time = _TIMES.get(DEBEZIUM_TIMES.get(name, name))
    if time is None:
        return None
    return pa.type_for_alias(time) if isinstance(time, str) else pa.timestamp(*time)


def _primitive(alias: str) -> Callable[[], pa.DataType]:
    def made() -> pa.DataType:
        import pyarrow as pa

        return pa.type_for_alias(alias)

    return made


_PRIMITIVE = {
    "null": _primitive("null"),
    "boolean": _primitive("bool"),
    "int": _primitive("int32"),
    "long": _primitive("int64"),
    "float": _primitive("float32"),
    "double": _primitive("float64"),
    "bytes": _primitive("binary"),
    "string": _primitive("string"),
}

_TIMES: dict[Any, Any] = {
    "date": "date32",
    "time-millis": "time32[ms]",
    "time-micros": "time64[us]",
    "time-nanos": "time64[ns]",
    "timestamp-millis": ("ms", "UTC"),
    "timestamp-micros": ("us", "UTC"),
    "timestamp-nanos": ("ns", "UTC"),
    "local-timestamp-millis": ("ms",),
    "local-timestamp-micros": ("us",),
    "local-timestamp-nanos": ("ns",),
}
