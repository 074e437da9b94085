"""Events read from each kind of source: files, S3, Marquez, the store."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from openlineage.client.serde import Serde
from openlineage.client.transport.file import FileConfig, FileTransport

from airflow_lineage_provider.events.event import event_time
from airflow_lineage_provider.store import EventSourceError
from airflow_lineage_provider.store.sources import open_source
from tests.support.marquez import marquez
from tests.support.s3 import s3_server
from tests.support.samples import DAG, TASK, run_event

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat()


EVENTS = [
    run_event(DAG, name="dag", at=at(0)),
    # More than two of Marquez's pages, three events at a time.
    *(run_event(TASK, "RUNNING", parent=DAG, at=at(1 + n // 3), name=f"task-{n}") for n in range(250)),
    run_event("other", name="dag", at=at(100)),
]


def emit(location, events=EVENTS, **options):
    """Write events as OpenLineage's own `file` transport writes them."""
    transport = FileTransport(FileConfig.from_dict({"log_file_path": location, **options}))
    for event in events:
        transport.emit(event)


@contextmanager
def lines(tmp_path):
    emit(f"{tmp_path}/openlineage.log", append=True)
    yield f"{tmp_path}/openlineage.log"


@contextmanager
def rotated(tmp_path):
    """Name files as logrotate does: the oldest has the highest number."""
    for name, part in (
        ("events.jsonl.2", EVENTS[:80]),
        ("events.jsonl.1", EVENTS[80:200]),
        ("events.jsonl", EVENTS[200:]),
    ):
        emit(f"{tmp_path}/{name}", part, append=True)
    yield f"{tmp_path}/events.jsonl*"


@contextmanager
def many_files(tmp_path, location, **options):
    (tmp_path / "kept").mkdir()
    emit(f"{tmp_path}/kept/lineage", **options)
    (tmp_path / "kept" / "notes.txt").write_text("not an event")
    yield f"{tmp_path}{location}"


@contextmanager
def store(tmp_path):
    from airflow_lineage_provider.store import EventStore

    EventStore(f"{tmp_path}/lineage.db").append(EVENTS)
    yield f"{tmp_path}/lineage.db"


@contextmanager
def in_marquez(tmp_path):
    with marquez(*EVENTS) as server:
        yield server.url


KEPT = {
    "store": store,
    "lines": lines,
    "rotated": rotated,
    "folder": partial(many_files, location="/kept"),
    "prefix": partial(many_files, location="/kept/lin"),
    "indented": partial(many_files, location="/kept", debug_mode=True),
    "marquez": in_marquez,
}


def by_time_and_name(events):
    return sorted(events, key=lambda event: (event_time(event), event["job"]["name"]))


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_events_are_read_back(tmp_path, kept):
    with kept(tmp_path) as location:
        source = open_source(location)
        found = list(source.events())

        assert by_time_and_name(found) == by_time_and_name(EVENTS)
        assert [*map(event_time, found)] == [*map(event_time, EVENTS)]
        assert by_time_and_name(source.events(root_run_id=DAG)) == by_time_and_name(EVENTS[:-1])
        assert list(source.events(job_name="dag", job_namespace="dbt")) == [EVENTS[0], EVENTS[-1]]
        assert source.latest_root_run() == "other"
        source.close()
        assert source.latest_root_run() == "other"


# --- files ---------------------------------------------------------------------------------------------


def test_a_partly_written_event_is_skipped_until_it_is_complete(tmp_path, caplog):
    written = "".join(Serde.to_json(event) + "\n" for event in EVENTS[:3])
    half = tmp_path / "events.jsonl"
    source = open_source(str(half))
    whole = written.index("\n") + 1
    for length in range(whole, len(written), 7):
        half.write_text(written[:length])
        events = list(source.events())
        assert events == EVENTS[: len(events)]
    assert "events.jsonl, line 2: left out, for the file ends before the event does" in caplog.text

    half.write_text(written)
    assert list(source.events()) == EVENTS[:3]


@pytest.mark.parametrize("content", ["", "{", '{\n  "eventType": "ST'])
def test_a_partly_written_file_of_one_event(tmp_path, content):
    emit(f"{tmp_path}/lineage", EVENTS[:1])
    (tmp_path / "lineage-20261122-120000.000000.json").write_text(content)
    assert list(open_source(str(tmp_path)).events()) == EVENTS[:1]


def test_events_of_several_files_are_ordered_by_time(tmp_path):
    emit(f"{tmp_path}/spark", EVENTS[2:4])
    emit(f"{tmp_path}/airflow.jsonl", [EVENTS[0], EVENTS[-1]], append=True)
    assert [*map(event_time, open_source(str(tmp_path)).events())] == [
        event_time(EVENTS[n]) for n in (0, 2, 3, -1)
    ]


def test_files_older_than_the_run_are_not_opened(tmp_path):
    (tmp_path / "old.jsonl").write_text("what an older version wrote")
    (tmp_path / "new.jsonl").write_text(json.dumps(EVENTS[0]))
    os.utime(tmp_path / "old.jsonl", (0, (NOON - timedelta(days=1)).timestamp()))
    os.utime(tmp_path / "new.jsonl", (0, NOON.timestamp()))

    assert list(open_source(str(tmp_path), since=NOON).events()) == EVENTS[:1]
    assert list(open_source(str(tmp_path), since=NOON + timedelta(days=1)).events()) == []


def test_events_without_a_time_zone_or_a_time_are_ordered(tmp_path):
    events = [
        run_event(at=time) for time in ("not a time", "2026-11-22T10:00:00", "2026-11-22T12:00:00+01:00")
    ]
    emit(f"{tmp_path}/lineage", events[::-1])
    assert list(open_source(str(tmp_path)).events()) == events


def test_nan_and_infinity_are_read(tmp_path):
    emit(f"{tmp_path}/events.jsonl", [EVENTS[0] | {"mean": float("inf")}], append=True)
    assert next(open_source(f"{tmp_path}/events.jsonl").events())["mean"] == float("inf")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("events.jsonl", '{"eventType": "START"}\n{oops}\n', "events.jsonl, line 2: not JSON"),
        ("events.jsonl", '{"eventType": "START"}\n{"eventType": "CO\n{}\n', "events.jsonl, line 2: not JSON"),
        ("events.json", "{\n oops", "events.json, line 1: not JSON"),
        ("events.json", "[" * 100_000, "events.json, line 1: not JSON"),
        ("events.json", "[1]\n", "events.json, line 1: not an OpenLineage event"),
        ("other.txt", "", "There are no events at .*: name a file, or a folder or prefix of .json, .jsonl"),
    ],
)  # fmt: skip
def test_a_read_error_names_the_location(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)

    with pytest.raises(EventSourceError, match=said):
        list(open_source(str(tmp_path)).events())


def test_too_much_data_for_one_poll_is_rejected(tmp_path):
    with (tmp_path / "events.jsonl").open("wb") as file:
        file.truncate(3 * 2**30)  # sparse: it takes no room on the disk
    with pytest.raises(
        EventSourceError, match=r"holds 3,072 MiB of events, more than 1,024: move old files away"
    ):
        list(open_source(str(tmp_path)).events())


def test_a_credential_in_the_location_is_not_printed():
    with pytest.raises(EventSourceError) as raised:
        list(open_source("nosuch://user:s3cret@host/events").events())
    assert "nosuch://user:***@host/events" in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.fixture(scope="module")
def lake():
    """A bucket in a real S3 server, and where s3fs finds both."""
    pytest.importorskip("s3fs", reason="install the s3 extra")
    with s3_server() as url, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        import s3fs

        s3fs.S3FileSystem().mkdir("lake")
        yield "s3://lake"


@pytest.mark.parametrize(
    ("location", "append"),
    [("lines/events", True), ("folder", False), ("prefix/eve", False)],
    ids=["lines", "folder", "prefix"],
)
def test_events_are_read_from_s3_later_ones_included(lake, location, append):
    kept = f"{lake}/{location.partition('/')[0]}/events"
    emit(kept, EVENTS[:5], append=append)
    source = open_source(f"{lake}/{location}")
    assert list(source.events(root_run_id=DAG)) == EVENTS[:5]
    another_process = {"skip_instance_cache": True}  # its writes are no news to our listings
    emit(kept, EVENTS[-1:], append=append, storage_options=another_process)
    assert list(source.events()) == [*EVENTS[:5], EVENTS[-1]]
    assert source.latest_root_run() == "other"


def test_missing_objects_in_s3(lake):
    with pytest.raises(
        EventSourceError, match="Cannot read events from s3://nowhere/x: The specified bucket does not"
    ):
        list(open_source("s3://nowhere/x").events())


# --- Marquez -------------------------------------------------------------------------------------------


def test_events_that_arrive_while_marquez_is_read_are_neither_lost_nor_duplicated():
    def arrive(server):
        server.events.insert(0, run_event("late", name=f"late-{len(server.queries)}", at=at(0.5)))
        server.events.append(run_event("late", name=f"last-{len(server.queries)}", at=at(200)))

    with marquez(*EVENTS) as server:
        server.before_answer = arrive
        found = list(open_source(server.url).events())

    names = Counter((event["run"]["runId"], event["job"]["name"]) for event in found)
    assert {(event["run"]["runId"], event["job"]["name"]) for event in EVENTS} <= {*names}
    assert {*names.values()} == {1}


def test_more_events_with_one_time_than_fit_in_a_page():
    at_once = [run_event(TASK, name=f"task-{n}", at=at(7)) for n in range(350)]
    with marquez(*at_once, run_event("after", at=at(8))) as server:
        found = list(open_source(server.url).events())
    assert sorted(event["job"]["name"] for event in found[:-1]) == sorted(e["job"]["name"] for e in at_once)
    assert found[-1]["run"]["runId"] == "after"


def test_marquez_is_asked_for_recent_events_only():
    with marquez(*EVENTS) as server:
        found = list(open_source(server.url, since=NOON + timedelta(seconds=80)).events())
        asked = server.queries
    assert [*map(event_time, found)] == [
        t for e in EVENTS if (t := event_time(e)) >= NOON + timedelta(seconds=80)
    ]
    assert [query["after"] for query in asked] == ["2026-11-22T12:01:20.000000Z"]


def test_marquez_is_asked_for_events_since_the_run_was_created():
    old = [run_event("old", name=f"old-{n}", at=at(-10 * 86_400)) for n in range(500)]
    with marquez(*old, *EVENTS[:5]) as server:
        assert by_time_and_name(open_source(server.url).events(root_run_id=DAG)) == EVENTS[:5]
        assert [query["after"] for query in server.queries] == ["2026-11-21T12:00:00.000000Z"]


def test_a_root_run_unknown_to_marquez():
    below = run_event(TASK, parent=DAG, root="elsewhere")
    with marquez(below) as server:
        assert list(open_source(server.url).events(root_run_id="elsewhere")) == [below]


def test_finding_the_newest_run_reads_one_event():
    with marquez(*EVENTS) as server:
        assert open_source(server.url).latest_root_run() == "other"
        assert [query["limit"] for query in server.queries] == ["1"]


def test_an_empty_marquez():
    with marquez() as server:
        assert open_source(server.url).latest_root_run() is None
        assert list(open_source(server.url).events()) == []


def test_an_api_key_is_sent_and_never_printed():
    with marquez(*EVENTS, key="right") as server:
        assert open_source(server.url, api_key="right\n").latest_root_run() == "other"
        with pytest.raises(EventSourceError, match=r"refuses the API key \(401\): check the key") as raised:
            open_source(server.url, api_key="s3cret").latest_root_run()
    assert "s3cret" not in str(raised.value)
    assert not raised.value.unreachable


def test_an_api_key_that_is_no_header_value():
    with pytest.raises(
        EventSourceError, match=r"^the API key has characters that no HTTP header can carry: enter it"
    ):
        open_source("http://127.0.0.1:1", api_key="s3cret\r\nX: y")


@contextmanager
def answering(answer: bytes):
    """Serve these bytes as the response to every request, then close the connection."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.wfile.write(answer)

        def log_message(self, *_): ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://user:s3cret@127.0.0.1:{server.server_port}"
        server.shutdown()


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "said", "again"),
    [
        (b"", "cannot be reached", True),
        (b"HTTP/1.1 503 Busy\r\n\r\n", "answers 503: see its log", True),
        (b"HTTP/1.1 429 Slow\r\n\r\n", "answers 429: see its log", True),
        (OK + b'Content-Length: 999\r\n\r\n{"events": [', "cannot be reached", True),
        (b"HTTP/1.1 404 No\r\n\r\n", "has no api/v1/events/lineage, as Marquez has: check the URL", False),
        (OK + b"\r\n<html>hello", "does not answer as Marquez does", False),
        (OK + b'\r\n{"events": null}', "does not answer as Marquez does", False),
        (OK + b'\r\n{"events": [1]}', "does not answer as Marquez does", False),
        (OK + b"\r\n" + b"[" * 100_000, "does not answer as Marquez does", False),
    ],
)
def test_a_server_other_than_marquez_is_reported_in_one_line_without_a_password(answer, said, again):
    with answering(answer) as url, pytest.raises(EventSourceError, match=said) as raised:
        list(open_source(url).events())
    message = str(raised.value)
    assert "s3cret" not in message
    assert "\n" not in message
    assert "http://127.0.0.1:" in message
    assert raised.value.unreachable is again


@pytest.mark.parametrize("url", ["http://user:s3cret@127.0.0.1:1", "http://s3cret@[bad", "http://:s3cret@:x"])
def test_an_unreachable_marquez(url):
    with pytest.raises(EventSourceError) as raised:
        list(open_source(url).events())
    assert "s3cret" not in str(raised.value)
