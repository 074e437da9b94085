"""Records of Kafka Connect's JsonConverter, which carry their schema: `{"schema": ..., "payload": ...}`.

https://kafka.apache.org/documentation/#connectconfigs_value.converter
A record without a schema (`schemas.enable=false`) has no types and is not decoded.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.avro import Decoder, UndecodableError
from airflow_lineage_provider.ingest.avro_types import DEEPEST, ZONED_TIMESTAMP, arrow_time, zoned_moment

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

DECIMAL = "org.apache.kafka.connect.data.Decimal"
_KINDS = {
    "boolean": "bool", "int8": "int8", "int16": "int16", "int32": "int32", "int64": "int64",
    "float": "float32", "float32": "float32", "double": "float64", "float64": "float64",
    "string": "string", "bytes": "binary",
}  # fmt: skip
_CONNECT_TIMES = {
    "org.apache.kafka.connect.data.Date": "date",
    "org.apache.kafka.connect.data.Time": "time-millis",
    "org.apache.kafka.connect.data.Timestamp": "timestamp-millis",
}
LARGEST_PRECISION = 38


@dataclass(frozen=True, slots=True)
class _Type:
    arrow: pa.DataType | None
    """None where a value becomes JSON text."""
    read: Callable[[Any], Any] | None = None
    """Makes a value of what JSON has; None where they are the same."""


def json_parts(value: bytes) -> tuple[Any, Any]:
    """Return the schema and the payload of a record. Raises UndecodableError."""
    try:
        record = json.loads(value)
    except (ValueError, RecursionError):
        raise UndecodableError("it is neither Avro with the id of a schema nor JSON") from None
    if not isinstance(record, dict) or record.keys() != {"schema", "payload"}:
        raise UndecodableError("it is JSON without a schema: set schemas.enable of Connect's JsonConverter")
    return record["schema"], record["payload"]


def json_decoder(schema: Any) -> Decoder:
    """Return the decoder of the payloads of one schema. Raises UndecodableError for one of no record."""
    import pyarrow as pa

    if not isinstance(schema, dict) or schema.get("type") != "struct":
        raise UndecodableError("its schema is of no struct: it has no columns")
    try:
        types = {field["field"]: _type(field, DEEPEST) for field in schema["fields"]}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UndecodableError(f"its schema cannot be read: {type(error).__name__}: {error}") from None
    reads = {name: kind.read for name, kind in types.items() if kind.read}

    def decode(payload: Any) -> dict[str, Any]:
        try:
            record = {name: payload[name] for name in types}
            for name, read in reads.items():
                if record[name] is not None:
                    record[name] = read(record[name])
        except Exception as error:  # noqa: BLE001 - whatever a value that is not of its type leads to
            raise UndecodableError(f"{type(error).__name__}: {error}") from None
        return record

    return Decoder(
        pa.schema([pa.field(name, kind.arrow or pa.string()) for name, kind in types.items()]),
        decode,
        frozenset(name for name, kind in types.items() if kind.arrow is None),
    )


def _type(schema: Any, depth: int) -> _Type:
    if depth == 0:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    name = schema.get("name")
    if name == DECIMAL:
        return _decimal(schema.get("parameters") or {})
    if name == ZONED_TIMESTAMP:
        return _Type(arrow_time("timestamp-micros"), zoned_moment)
    if time := arrow_time(_CONNECT_TIMES.get(name, name)):
        return _Type(time)
    return _of_kind(schema, depth)


def _of_kind(schema: Any, depth: int) -> _Type:
    import pyarrow as pa

    kind = schema["type"]
    if kind == "array":
        inner = _type(schema["items"], depth - 1)
        return _Type(pa.list_(inner.arrow) if inner.arrow and not inner.read else None)
    if kind == "struct":
        parts = {field["field"]: _type(field, depth - 1) for field in schema["fields"]}
        plain = all(part.arrow and not part.read for part in parts.values())
        return _Type(pa.struct([(n, part.arrow) for n, part in parts.items()]) if parts and plain else None)
    if kind == "map":
        return _Type(None)
    return _Type(pa.type_for_alias(_KINDS[kind]), base64.b64decode if kind == "bytes" else None)


def _decimal(parameters: Any) -> _Type:
    """An unscaled number in base64, or digits where `decimal.format` is NUMERIC."""
    import pyarrow as pa

    scale = int(parameters.get("scale", 0))
    precision = int(parameters.get("connect.decimal.precision", LARGEST_PRECISION))

    def read(value: Any) -> Decimal:
        if not isinstance(value, str):
            return Decimal(str(value))
        return Decimal(int.from_bytes(base64.b64decode(value), "big", signed=True)).scaleb(-scale)

    return _Type(pa.decimal128(min(precision, LARGEST_PRECISION), scale), read)
