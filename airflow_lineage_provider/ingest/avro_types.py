"""The Arrow types of Avro types, and of Debezium's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

DEEPEST = 32
TIME = "arrowTime"  # where a parsed schema keeps it, so that fastavro reads the plain number
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


def arrow_type(schema: Any, named: Mapping[str, Any], depth: int) -> pa.DataType | None:  # noqa: PLR0911
    """Return the Arrow type of a parsed Avro type; None where there is none."""
    import pyarrow as pa

    if depth == 0:  # a type that holds itself
        return None
    if isinstance(schema, list):
        others = [part for part in schema if part not in ("null", {"type": "null"})]
        return arrow_type(others[0], named, depth - 1) if len(others) == 1 else None
    if isinstance(schema, str):
        return _PRIMITIVE[schema]() if schema in _PRIMITIVE else arrow_type(named[schema], named, depth - 1)
    kind = schema["type"]
    if kind == "record":
        parts = [(field["name"], arrow_type(field["type"], named, depth - 1)) for field in schema["fields"]]
        return pa.struct(parts) if parts and all(part for _, part in parts) else None
    if kind in {"array", "map"}:
        inner = arrow_type(schema["items" if kind == "array" else "values"], named, depth - 1)
        if inner is None:
            return None
        return pa.list_(inner) if kind == "array" else pa.map_(pa.string(), inner)
    if schema.get("logicalType") == "decimal":
        return pa.decimal128(schema["precision"], schema.get("scale", 0))
    if time := arrow_time(schema.get(TIME)):
        return time
    if kind == "fixed":
        return pa.binary(schema["size"])
    return pa.string() if kind == "enum" else arrow_type(kind, named, depth - 1)


def is_zoned(schema: Any) -> bool:
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
