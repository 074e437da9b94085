"""A block of records becomes the same columns as its records one by one."""

import io

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_lineage_provider.ingest.avro import UndecodableError, decoder
from airflow_lineage_provider.ingest.avro_block import BlockError

HEADER = b"\0\0\0\0\1"
LONGS = st.integers(-(2**63), 2**63 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
FIXED_DECIMAL = {
    "type": "fixed", "name": "D", "size": 9, "logicalType": "decimal", "precision": 18, "scale": 3,
}  # fmt: skip
CENTS = st.decimals(-(10**9), 10**9, places=2, allow_nan=False)
POINT = {
    "type": "record",
    "name": "Point",
    "fields": [{"name": "x", "type": "int"}, {"name": "label", "type": ["null", "string"]}],
}
FIELDS = {
    "n": ("null", st.none()),
    "b": ("boolean", st.booleans()),
    "i": ("int", INTS),
    "l": ("long", LONGS),
    "f": ("float", st.floats(width=32, allow_nan=False)),
    "d": ("double", st.floats(allow_nan=False)),
    "y": ("bytes", st.binary(max_size=300)),
    "s": ("string", st.text(max_size=200)),
    "e": ({"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}, st.sampled_from("ABC")),
    "x": ({"type": "fixed", "name": "F", "size": 3}, st.binary(min_size=3, max_size=3)),
    "m": (DECIMAL, CENTS),
    "q": (FIXED_DECIMAL, CENTS),
    "t": ({"type": "long", "logicalType": "timestamp-micros"}, st.integers(0, 2**50)),
    "u": ({"type": "int", "logicalType": "date"}, st.integers(-10_000, 50_000)),
    "o": (["null", "long"], st.none() | LONGS),
    "w": (["string", "null"], st.none() | st.text(max_size=20)),
    "p": (POINT, st.fixed_dictionaries({"x": INTS, "label": st.none() | st.text(max_size=9)})),
    "z": (
        ["null", {**POINT, "name": "Other"}],
        st.none() | st.fixed_dictionaries({"x": INTS, "label": st.none() | st.text(max_size=9)}),
    ),
}
SCHEMA = {
    "type": "record",
    "name": "R",
    "fields": [{"name": name, "type": kind} for name, (kind, _) in FIELDS.items()],
}
ROWS = st.lists(st.fixed_dictionaries({name: values for name, (_, values) in FIELDS.items()}), max_size=12)


def encoded(schema, rows):
    parsed = fastavro.parse_schema(schema)

    def one(row):
        stream = io.BytesIO()
        stream.write(HEADER)
        fastavro.schemaless_writer(stream, parsed, row)
        return stream.getvalue()

    return [one(row) for row in rows]


def record(kind):
    return {"type": "record", "name": "R", "fields": [{"name": "c", "type": kind}]}


def one_by_one(both, values):
    """Return what the decoder of single records makes of them; None where one cannot be decoded."""
    try:
        table, bad = both.checked_table([both.decode(value) for value in values])
    except UndecodableError:
        return None
    return None if bad else table


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_a_block_equals_its_records_one_by_one(rows):
    both = decoder(SCHEMA)
    values = encoded(SCHEMA, rows)
    assert both.decode_block(values).equals(one_by_one(both, values))


@settings(max_examples=60, deadline=None)
@given(ROWS.filter(bool), st.data())
def test_a_damaged_record_is_never_decoded_to_something_else(rows, data):
    both = decoder(SCHEMA)
    values = encoded(SCHEMA, rows)
    place = data.draw(st.integers(0, len(values) - 1))
    cut = data.draw(st.integers(len(HEADER), len(values[place])))
    values[place] = values[place][:cut] + data.draw(st.binary(max_size=12))
    found = both.decode_block(values)
    assert found is None or found.equals(one_by_one(both, values))


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("long", b"\xff" * 11, "does not end"),
        ("long", b"\x80", "does not end"),
        ("int", b"\x80\x80\x80\x80\x20", "more than 32 bits"),
        ("string", b"\x0aabc", "beyond the record"),
        ("string", b"\x01", "beyond the record"),
        ("string", b"\x02\xff", "UTF"),
        ("double", b"abc", "too early"),
        ("boolean", b"\x07", "neither"),
        (["null", "long"], b"\x04", "no such branch"),
        ("long", b"\x02\x02", "left behind"),
    ],
)
def test_a_record_that_is_not_of_the_schema_is_refused(kind, body, message):
    with pytest.raises(BlockError, match=message):
        decoder(record(kind)).block([HEADER + body, HEADER + b"\x00" * 8][:1], len(HEADER))


def test_a_byte_too_many_is_not_made_up_for_by_the_next_record():
    assert decoder(record("string")).decode_block([HEADER + b"\x02ab", HEADER + b"\x02"]) is None


def test_a_value_beyond_its_column_s_type_is_one_bad_record():
    single = decoder(record("int"))
    table, bad = single.checked_table([{"c": 1}, {"c": 2**40}, {"c": 3}])
    assert table["c"].to_pylist() == [1, 3]
    assert "beyond its type" in bad[1]


def test_moments_as_text_of_debezium_are_read_in_blocks():
    zoned = {"type": "string", "connect.name": "io.debezium.time.ZonedTimestamp"}
    both = decoder(record(["null", zoned]))
    values = encoded(record(["null", zoned]), [{"c": "2025-07-01T12:00:00.25Z"}, {"c": None}])
    assert both.decode_block(values).equals(one_by_one(both, values))


@pytest.mark.parametrize(
    "kind", [{"type": "array", "items": "long"}, ["int", "string"], {"type": "map", "values": "int"}]
)
def test_other_types_are_left_to_the_decoder_of_single_records(kind):
    assert decoder(record(kind)).block is None


def test_no_records_are_an_empty_table():
    assert decoder(SCHEMA).decode_block([]).num_rows == 0
