"""A topic's records land once, in order, and reach bronze once."""

import base64
import json

import pytest

from airflow_lineage_provider.ingest.lake import Lake
from airflow_lineage_provider.ingest.lake_to_bronze import load_landed
from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.topic import Topic
from airflow_lineage_provider.ingest.topic_to_lake import land_topic
from airflow_lineage_provider.systems.errors import SystemReadError

from .streams import decoders, event

BRONZE = "bronze.raw_events"


def evolved(schema, *fields):
    return schema | {"fields": [*schema["fields"], *fields]}


def load(stream, target, key="event_id"):
    return load_landed(stream.lake, stream.name, target, BRONZE, key, lambda _line: None)


def test_every_record_lands_once_with_its_place(stream):
    rows = [event(number) for number in range(1000)]
    stream.produce(rows)
    moved = stream.land()

    landed = stream.landed()
    assert moved.rows == 1000
    assert {row["event_id"] for row in landed} == {row["event_id"] for row in rows}
    assert [row["kafka_offset"] for row in landed if row["kafka_partition"] == 1] == list(range(333))
    assert landed[0] == rows[0] | {"kafka_offset": 0}


def test_a_second_run_lands_only_what_is_new(stream):
    stream.produce([event(0), event(1)])
    stream.land()
    assert stream.land().rows == 0
    stream.produce([event(2)])
    assert stream.land().rows == 1
    assert [row["event_id"] for row in stream.landed()] == ["E0", "E1", "E2"]


def test_a_run_without_news_still_knows_the_columns(stream):
    stream.produce([event(0)])
    stream.land()
    moved = stream.land()
    assert moved.columns["page_url"] == "page_url"
    assert moved.target_columns["kafka_offset"] == "int64"
    assert "kafka_offset" not in moved.columns


def test_a_record_that_cannot_be_decoded_is_a_dead_letter_with_the_reason(stream):
    stream.produce([event(0)])
    stream.produce_bytes(b"not Avro")
    stream.produce_bytes(b"\0\0\0\x27\x0fx")  # a schema that nobody registered
    stream.produce_bytes(b"\0" + (1).to_bytes(4, "big") + b"\xff")
    stream.produce([event(3)])
    moved = stream.land()

    assert moved.rows == 2
    assert moved.counts["dead_letters"] == 3
    (file,) = (stream.folder / "_dead_letters").iterdir()
    letters = [json.loads(line) for line in file.read_text().splitlines()]
    assert [letter["offset"] for letter in letters] == [1, 2, 3]
    assert base64.b64decode(letters[0]["value_base64"]) == b"not Avro"
    assert "begin with a zero byte" in letters[0]["reason"]
    assert "no schema 9999" in letters[1]["reason"]
    assert stream.land().counts["dead_letters"] == 0


def test_a_partition_of_dead_letters_only_is_read_once_and_loads_nothing(stream, duckdb_target):
    stream.produce_bytes(b"bad")
    assert stream.land().counts["dead_letters"] == 1
    assert stream.land().counts["dead_letters"] == 0
    assert load(stream, duckdb_target).rows == 0


def test_a_dead_letter_of_a_run_that_died_is_removed(stream):
    stream.produce([event(0)])
    stream.land()
    left = stream.folder / "_dead_letters" / f"{stream.name}+0+{1:020d}-{9:020d}.jsonl"
    left.parent.mkdir()
    left.write_text("{}\n")
    stream.land()
    assert not left.exists()


def test_a_tombstone_is_counted_and_passed_over(stream):
    stream.produce([event(0)])
    stream.produce_bytes(None)
    stream.produce([event(3)])
    moved = stream.land()
    assert (moved.rows, moved.counts["tombstones"]) == (2, 1)


def test_records_of_an_evolved_schema_are_in_one_table(stream, event_stream, duckdb_target):
    newer = evolved(event_stream.SCHEMA, {"name": "session", "type": ["null", "string"], "default": None})
    stream.produce([event(0)])
    stream.produce([event(3, session="s3")], newer)
    stream.produce([event(6)])
    stream.land()
    load(stream, duckdb_target)
    assert duckdb_target.query(f"select event_id, session from {BRONZE} order by event_id") == [
        ("E0", None),
        ("E3", "s3"),
        ("E6", None),
    ]


def test_a_field_that_comes_later_becomes_a_new_column(stream, event_stream, duckdb_target):
    stream.produce([event(0)])
    stream.land()
    load(stream, duckdb_target)
    newer = evolved(event_stream.SCHEMA, {"name": "amount", "type": ["null", "double"], "default": None})
    stream.produce([event(3, amount=2.5)], newer)
    stream.land()
    load(stream, duckdb_target)
    assert duckdb_target.query(f"select event_id, amount from {BRONZE} order by event_id") == [
        ("E0", None),
        ("E3", 2.5),
    ]


def test_a_field_that_changes_its_kind_begins_another_file(stream, event_stream):
    kept = [field for field in event_stream.SCHEMA["fields"] if field["name"] != "page_url"]
    pages = {"name": "page_url", "type": {"type": "array", "items": "string"}}
    stream.produce([event(0)])
    stream.produce([event(3, page_url=["/a", "/b"])], {**event_stream.SCHEMA, "fields": [*kept, pages]})
    stream.produce([event(6)])
    assert stream.land().rows == 3
    assert len(stream.lake.names()) == 3


def test_a_record_that_was_sent_twice_is_in_bronze_once_as_it_first_came(stream, duckdb_target):
    stream.produce([event(0), event(0, page_url="/again")])
    stream.land()
    assert load(stream, duckdb_target).counts == {"redelivered": 1}
    stream.produce([event(0, page_url="/later")])
    stream.land()
    assert load(stream, duckdb_target).counts == {"redelivered": 1}
    assert duckdb_target.query(f"select page_url from {BRONZE}") == [("/0",)]


def test_without_a_key_every_record_is_kept(stream, duckdb_target):
    stream.produce([event(0), event(0)])
    stream.land()
    load(stream, duckdb_target, key=None)
    assert duckdb_target.query(f"select count(*) from {BRONZE}") == [(2,)]


def test_files_whose_offsets_overlap_are_loaded_once(stream, duckdb_target):
    """Two runs at once leave such files: each began at the same offset, one ended later."""
    stream.produce([event(number, kafka_partition=0) for number in range(4)])
    stream.land()
    stream.produce([event(number, kafka_partition=0) for number in range(4, 8)])
    (name,) = stream.lake.names()
    kept = (stream.folder / name).read_bytes()
    (stream.folder / name).unlink()
    stream.land()
    (stream.folder / name).write_bytes(kept)
    load(stream, duckdb_target, key=None)
    assert duckdb_target.query(f"select count(*), count(distinct event_id) from {BRONZE}") == [(8, 8)]


def test_rows_that_retention_deleted_are_not_loaded_again(stream, duckdb_target):
    stream.produce([event(0)])
    stream.land()
    load(stream, duckdb_target)
    duckdb_target.execute(f"delete from {BRONZE}")
    assert load(stream, duckdb_target).rows == 0


def test_a_bronze_table_that_was_dropped_is_loaded_anew(stream, duckdb_target):
    stream.produce([event(0)])
    stream.land()
    load(stream, duckdb_target)
    duckdb_target.execute(f"drop table {BRONZE}")
    assert load(stream, duckdb_target).rows == 1


def test_a_load_without_news_shows_in_the_newest_rows_that_it_ran(stream, duckdb_target):
    stream.produce([event(0), event(3)])
    stream.land()
    load(stream, duckdb_target)
    duckdb_target.execute(f"update {BRONZE} set _loaded_at = _loaded_at - interval 1 hour")
    load(stream, duckdb_target)
    fresh = f"select event_id from {BRONZE} where _loaded_at > now() - interval 1 minute"
    assert duckdb_target.query(fresh) == [("E3",)]


def test_a_topic_that_was_made_anew_is_not_taken_for_the_old_one(stream):
    stream.produce([event(0)])
    stream.land()
    (name,) = stream.lake.names()
    (stream.folder / name).rename(stream.folder / f"{stream.name}+0+{0:020d}-{99:020d}.parquet")
    with pytest.raises(IngestError, match="made anew"):
        stream.land()


def test_a_topic_that_is_not_there_is_named(stream):
    topic = Topic("nowhere", {"bootstrap.servers": stream.servers.brokers})
    with pytest.raises(IngestError, match="have no topic 'nowhere'"):
        land_topic(topic, stream.decoders, stream.lake, lambda _line: None)


@pytest.mark.parametrize(
    ("settings", "said", "unreachable"),
    [
        ({"bootstrap.servers": "127.0.0.1:9"}, "do not answer for topic 'events'", True),
        ({"bootstrap.servers": "127.0.0.1:9", "nonsense": 1}, "No such configuration property", False),
        ({"bootstrap.servers": "127.0.0.1:9", "stats_cb": "x"}, "callable", False),
        ({"bootstrap.servers": "127.0.0.1:9", "socket.timeout.ms": "soon"}, "Invalid value", False),
    ],
)
def test_brokers_that_cannot_be_read_are_one_line_that_names_the_connection(
    monkeypatch, settings, said, unreachable
):
    monkeypatch.setattr("airflow_lineage_provider.ingest.topic.TIMEOUT", 1.0)
    with pytest.raises(IngestError, match=said) as caught:
        Topic("events", settings, "connection 'kafka'").spans({})
    assert "(connection 'kafka')" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.unreachable is unreachable


def test_a_server_that_is_no_broker_is_one_line(servers, monkeypatch):
    monkeypatch.setattr("airflow_lineage_provider.ingest.topic.TIMEOUT", 1.0)
    http = servers.registry.removeprefix("http://")
    with pytest.raises(IngestError, match="check that they run"):
        Topic("events", {"bootstrap.servers": http}).spans({})


def test_a_registry_that_is_away_is_asked_again_later(stream):
    stream.produce([event(0)])
    away = decoders("http://user:secret@127.0.0.1:1")
    with pytest.raises(SystemReadError, match="cannot be reached") as caught:
        land_topic(stream.topic, away, stream.lake, lambda _line: None)
    assert caught.value.unreachable
    assert "secret" not in str(caught.value)
    assert stream.lake.names() == []
    assert stream.land().rows == 1


def test_a_lake_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(IngestError) as caught:
        Lake(str(tmp_path / "file" / "lake")).write_bytes("a", b"")
    assert "\n" not in str(caught.value)
