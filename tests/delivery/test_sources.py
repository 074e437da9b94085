"""The same events, from wherever they were kept."""

import json
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_lineage_provider.delivery import StoreError
from airflow_lineage_provider.delivery.sources import open_source

from .samples import DAG, TASK, run_event

EVENTS = [
    run_event(DAG, name="dag"),
    *(run_event(TASK, "RUNNING", parent=DAG, at=f"2026-11-22T07:28:01.{n:06}Z") for n in range(250)),
    run_event("other", name="dag"),
]


class _Marquez(BaseHTTPRequestHandler):
    """Marquez's GET /api/v1/events/lineage, as its API page describes it."""

    def do_GET(self):
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        events = EVENTS if query["sortDirection"] == "asc" else EVENTS[::-1]
        start = int(query["offset"])
        body = json.dumps({"events": events[start : start + int(query["limit"])], "totalCount": len(EVENTS)})
        self.send_response(200 if url.path == "/api/v1/events/lineage" else 404)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args): ...


@contextmanager
def marquez(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), _Marquez) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def lines(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(map(json.dumps, EVENTS)) + "\n\n")
    yield str(path)


@contextmanager
def many_files(tmp_path, location):
    for n, event in enumerate(EVENTS):
        (tmp_path / f"lineage-{n:04}.json").write_text(json.dumps(event, indent=2))
    (tmp_path / "lineage-notes.txt").write_text("not an event")
    yield f"{tmp_path}{location}"


@contextmanager
def store(tmp_path):
    from airflow_lineage_provider.delivery import EventStore

    EventStore(f"{tmp_path}/lineage.db").append(EVENTS)
    yield f"{tmp_path}/lineage.db"


@pytest.mark.parametrize(
    "kept",
    [store, lines, partial(many_files, location=""), partial(many_files, location="/lineage"), marquez],
    ids=["store", "lines", "folder", "prefix", "marquez"],
)
def test_events_are_read_back(tmp_path, kept):
    with kept(tmp_path) as location:
        source = open_source(location)

        assert list(source.events()) == EVENTS
        assert list(source.events(root_run_id=DAG)) == EVENTS[:-1]
        assert list(source.events(job_name="dag", job_namespace="dbt")) == [EVENTS[0], EVENTS[-1]]
        assert source.latest_root_run() == "other"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("events.jsonl", '{"eventType": "START"}\n{oops}\n', "events.jsonl, line 2: not JSON"),
        ("events.json", "{\n oops", "events.json, line 1: not JSON"),
        ("other.txt", "", "There are no events at"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)

    with pytest.raises(StoreError, match=said):
        list(open_source(str(tmp_path)).events())


def test_a_marquez_that_is_not_there():
    with pytest.raises(StoreError, match=r"Cannot read events from Marquez at http://127\.0\.0\.1:1"):
        list(open_source("http://127.0.0.1:1").events())
