"""The changes of a table, as Debezium writes them, leave one row for each key in bronze."""

import json
from datetime import UTC, date
from decimal import Decimal
from io import BytesIO

import fastavro
import pytest

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.ingest.avro import UndecodableError, decoder
from airflow_lineage_provider.ingest.connect_json import json_decoder, json_parts
from airflow_lineage_provider.ingest.lake_to_bronze import load_landed
from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.topic_to_lake import land_topic

from .changes import AT, BRONZE, MICROSECONDS, Changes, nullable
from .streams import event

ZONED = "io.debezium.time.ZonedTimestamp"


@pytest.fixture(params=["avro", "json"])
def changes(request, stream):
    return Changes(stream, request.param)


def rows(target, columns="order_id, amount, _op"):
    return target.query(f"select {columns} from {BRONZE} order by order_id")


def test_the_newest_change_of_each_key_is_in_bronze(changes, duckdb_target):
    for order, amount in (("O1", "1"), ("O2", "2"), ("O1", "3")):
        changes.put(order, amount)
    moved = changes.move(duckdb_target)
    assert rows(duckdb_target) == [("O1", "3", "I"), ("O2", "2", "I")]
    assert rows(duckdb_target, "ordered_at") == [(AT,), (AT,)]
    assert moved.rows == 2
    assert set(moved.target_columns) == {"order_id", "amount", "ordered_at", "_op", "_loaded_at"}
    assert set(moved.columns) == {"order_id", "amount", "ordered_at"}


def test_lineage_has_the_names_of_each_side(stream, duckdb_target, event_stream):
    schema = event_stream.SCHEMA
    renamed = [dict(field) for field in schema["fields"]]
    renamed[0]["name"] = "eventId"
    row = event(0)
    stream.produce([row | {"eventId": row.pop("event_id")}], {**schema, "fields": renamed})
    stream.land()
    for _ in range(2):  # the second load has nothing new
        moved = load_landed(
            stream.lake, stream.name, duckdb_target, "bronze.events", None, lambda _line: None
        )
        assert moved.columns["eventid"] == "eventId"
        assert {"eventId", "page_url"} <= set(moved.source_columns)

    duckdb_target.folds_to_upper = True  # as Snowflake
    try:
        upper = duckdb_target.reported(moved)
    finally:
        duckdb_target.folds_to_upper = False
    assert upper.columns["EVENTID"] == "eventId"
    assert set(upper.target_columns) == {name.upper() for name in moved.target_columns}
    assert upper.source_columns == moved.source_columns


def test_a_row_is_updated_and_one_that_is_read_again_unchanged_keeps_its_op(changes, duckdb_target):
    changes.put("O1", "1")
    changes.put("O2", "2")
    changes.move(duckdb_target)
    changes.put("O1", "1")
    changes.put("O2", "9")
    changes.put("O3", "3")
    changes.move(duckdb_target)
    assert rows(duckdb_target) == [("O1", "1", "I"), ("O2", "9", "U"), ("O3", "3", "I")]


@pytest.mark.parametrize("mode", ["rewrite", "tombstone", "rewrite-with-tombstone"])
def test_a_deleted_row_stays_as_a_tombstone_and_can_come_back(changes, duckdb_target, mode):
    for order in ("O1", "O2", "O3"):
        changes.put(order, "1")
    changes.move(duckdb_target)
    if mode.startswith("rewrite"):
        changes.put("O1", None, deleted="true")
    if mode.endswith("tombstone"):
        changes.remove("O1")
    changes.put("O4", "4")
    moved = changes.move(duckdb_target)
    assert rows(duckdb_target)[0] == ("O1", "1", "D")
    assert moved.counts == {"deleted": 1}
    changes.put("O1", "5")
    changes.move(duckdb_target)
    assert rows(duckdb_target) == [("O1", "5", "I"), ("O2", "1", "I"), ("O3", "1", "I"), ("O4", "4", "I")]


def test_a_row_that_came_and_went_between_two_loads_leaves_nothing(changes, duckdb_target):
    changes.put("O1", "1")
    changes.remove("O1")
    changes.put("O2", "2")
    changes.remove("O2")
    changes.put("O2", "3")
    changes.move(duckdb_target)
    assert rows(duckdb_target) == [("O2", "3", "I")]


def test_a_load_without_news_shows_that_it_ran_and_changes_nothing_else(changes, duckdb_target):
    changes.put("O1", "1")
    changes.put("O2", "2")
    changes.move(duckdb_target)
    before = rows(duckdb_target)
    duckdb_target.execute(f"update {BRONZE} set _loaded_at = _loaded_at - interval 1 hour")
    moved = changes.move(duckdb_target)
    fresh = f"select order_id from {BRONZE} where _loaded_at > now() - interval 1 minute"
    assert duckdb_target.query(fresh) == [("O2",)]
    assert (moved.rows, rows(duckdb_target)) == (0, before)


def test_the_key_is_needed_and_must_be_in_the_records(stream, duckdb_target):
    changes = Changes(stream, "avro")
    changes.put("O1", "1")
    changes.move(duckdb_target)

    def load(key):
        load_landed(
            stream.lake, stream.name, duckdb_target, "bronze.other", key, lambda _line: None, changes=True
        )

    with pytest.raises(InputError, match="changes are loaded by a key"):
        load(None)
    with pytest.raises(IngestError, match="have no field id: check key, and that"):
        load(["order_id", "id"])


def test_a_deletion_without_a_key_is_a_dead_letter(stream):
    stream.produce_bytes(None)
    moved = land_topic(stream.topic, stream.decoders, stream.lake, lambda _line: None, changes=True)
    assert (moved.rows, moved.counts["dead_letters"]) == (0, 1)


def test_json_without_a_schema_says_which_setting_is_missing(stream):
    stream.produce_bytes(b'{"order_id": "O1"}')
    assert stream.land().counts["dead_letters"] == 1
    (file,) = (stream.folder / "_dead_letters").iterdir()
    assert "set schemas.enable of Connect's JsonConverter" in file.read_text()


def struct(*fields):
    return {"type": "struct", "fields": [{"field": name, **kind} for name, kind in fields]}


@pytest.mark.parametrize(
    ("kind", "sent", "value", "arrow"),
    [
        ({"type": "int16"}, 7, 7, "int16"),
        ({"type": "double"}, 0.5, 0.5, "double"),
        ({"type": "boolean"}, True, True, "bool"),
        ({"type": "bytes"}, "AAE=", b"\0\1", "binary"),
        ({"type": "int32", "name": "io.debezium.time.Date"}, 1, date(1970, 1, 2), "date32[day]"),
        ({"type": "int64", "name": "io.debezium.time.MicroTimestamp"}, MICROSECONDS, AT, "timestamp[us]"),
        (
            {"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp"},
            MICROSECONDS // 1000,
            AT.replace(tzinfo=UTC),
            "timestamp[ms, tz=UTC]",
        ),
        (
            {"type": "string", "name": ZONED},
            "2025-07-01T14:30:00+02:00",
            AT.replace(tzinfo=UTC),
            "timestamp[us, tz=UTC]",
        ),
        (
            {
                "type": "bytes",
                "name": "org.apache.kafka.connect.data.Decimal",
                "parameters": {"scale": "2", "connect.decimal.precision": "10"},
            },
            "/tw=",
            Decimal("-2.92"),
            "decimal128(10, 2)",
        ),
        ({"type": "array", "items": {"type": "string"}}, ["a"], ["a"], "list<item: string>"),
        (struct(("x", {"type": "int32"})), {"x": 1}, {"x": 1}, "struct<x: int32>"),
        ({"type": "map", "keys": {}, "values": {}}, {"a": 1}, '{"a": 1}', "string"),
    ],
)
def test_a_value_of_json_keeps_its_meaning(kind, sent, value, arrow):
    sent = json.dumps({"schema": struct(("c", kind)), "payload": {"c": sent}}).encode()
    schema, payload = json_parts(sent)
    found = json_decoder(schema)
    table = found.table([found.decode(payload), found.decode({"c": None})])
    assert (table["c"].to_pylist(), str(table.schema.field("c").type)) == ([value, None], arrow)


@pytest.mark.parametrize("schema", ["text", {"type": "string"}, struct(("c", {"type": "unheard"}))])
def test_a_json_schema_that_cannot_be_used_is_the_reason_of_a_dead_letter(schema):
    with pytest.raises(UndecodableError, match="its schema"):
        json_decoder(schema)


def test_a_json_value_of_another_type_is_the_reason_of_a_dead_letter():
    found = json_decoder(struct(("c", {"type": "bytes"})))
    for payload in ({"c": 1}, {}, [], "text"):
        with pytest.raises(UndecodableError):
            found.decode(payload)


@pytest.mark.parametrize(
    ("name", "sent", "value", "arrow"),
    [
        ("io.debezium.time.Date", 1, date(1970, 1, 2), "date32[day]"),
        ("io.debezium.time.MicroTimestamp", MICROSECONDS, AT, "timestamp[us]"),
        (ZONED, "2025-07-01T12:30:00Z", AT.replace(tzinfo=UTC), "timestamp[us, tz=UTC]"),
        (ZONED, None, None, "timestamp[us, tz=UTC]"),
        ("io.debezium.data.Json", "{}", "{}", "string"),
    ],
)
def test_a_time_of_debezium_in_avro_is_a_time(name, sent, value, arrow):
    plain = {"type": "long" if isinstance(sent, int) else "string", "connect.name": name}
    schema = {"type": "record", "name": "R", "fields": [{"name": "c", **nullable(plain)}]}
    stream = BytesIO()
    stream.write(b"\0\0\0\0\1")
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), {"c": sent})
    found = decoder(schema)
    table = found.table([found.decode(stream.getvalue())])
    assert (table["c"].to_pylist(), str(table.schema.field("c").type)) == ([value], arrow)
