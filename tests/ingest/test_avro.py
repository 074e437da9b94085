"""Avro types as Arrow types."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import fastavro
import pytest

from airflow_lineage_provider.ingest.avro import UndecodableError, decoder, schema_id
from airflow_lineage_provider.ingest.model import IngestError

MOMENT = datetime(2025, 7, 1, 12, 30, 1, 250000, UTC)
SUIT = {"type": "enum", "name": "Suit", "symbols": ["HEARTS", "SPADES"]}
POINT = {"type": "record", "name": "Point", "fields": [{"name": "x", "type": "int"}]}


def record(*fields):
    return {"type": "record", "name": "R", "fields": [{"name": name, "type": kind} for name, kind in fields]}


def logical(kind, name, **more):
    return {"type": kind, "logicalType": name, **more}


def round_trip(kind, value):
    """Return what a value of an Avro type becomes, and its Arrow type."""
    schema = record(("c", kind))
    stream = io.BytesIO()
    stream.write(b"\0\0\0\0\1")
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), {"c": value})
    found = decoder(schema)
    table = found.table([found.decode(stream.getvalue())])
    return table["c"].to_pylist()[0], str(table.schema.field("c").type)


@pytest.mark.parametrize(
    ("kind", "value", "arrow"),
    [
        ("string", "ä", "string"),
        ("int", 7, "int32"),
        ("long", 2**40, "int64"),
        ("double", 0.5, "double"),
        ("boolean", True, "bool"),
        ("bytes", b"\0\1", "binary"),
        (["null", "string"], None, "string"),
        (["null", "string"], "a", "string"),
        (SUIT, "SPADES", "string"),
        ({"type": "fixed", "name": "F", "size": 2}, b"ab", "fixed_size_binary[2]"),
        ({"type": "array", "items": "long"}, [1, 2], "list<item: int64>"),
        (POINT, {"x": 3}, "struct<x: int32>"),
        (logical("long", "timestamp-millis"), MOMENT, "timestamp[ms, tz=UTC]"),
        (logical("long", "timestamp-micros"), MOMENT, "timestamp[us, tz=UTC]"),
        (logical("long", "local-timestamp-micros"), MOMENT.replace(tzinfo=None), "timestamp[us]"),
        (logical("int", "date"), date(2025, 7, 1), "date32[day]"),
        (logical("bytes", "decimal", precision=10, scale=2), Decimal("12.50"), "decimal128(10, 2)"),
    ],
)
def test_a_value_keeps_its_meaning(kind, value, arrow):
    assert round_trip(kind, value) == (value, arrow)


def test_a_uuid_is_text():
    value = UUID(int=5)
    assert round_trip(logical("string", "uuid"), value) == (str(value), "string")


def test_what_has_no_arrow_type_is_json_text():
    assert round_trip(["null", "string", "long"], 5) == ("5", "string")
    assert round_trip(["null", POINT, "long"], {"x": 1}) == ('{"x": 1}', "string")


def test_a_type_that_holds_itself_is_json_text():
    node = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
    assert round_trip(node, {"next": {"next": None}}) == ('{"next": {"next": null}}', "string")


def test_a_schema_that_is_no_record_has_no_columns():
    with pytest.raises(IngestError, match="is no record"):
        decoder("string")


def test_a_schema_that_is_nested_without_end_is_refused():
    deep = "string"
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    with pytest.raises(IngestError, match="levels deep"):
        decoder(record(("c", deep)))


def test_bytes_behind_a_record_are_no_record():
    with pytest.raises(UndecodableError, match="1 bytes are left"):
        decoder(record(("c", "int"))).decode(b"\0\0\0\0\1\x02x")


@pytest.mark.parametrize("value", [b"", b"\0\0\0", b"\1\0\0\0\1abc"])
def test_what_has_no_header_names_no_schema(value):
    with pytest.raises(UndecodableError):
        schema_id(value)
