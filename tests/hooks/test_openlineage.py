"""Backends as connections: the Test button, and events that reach a real HTTP server."""

import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from airflow_lineage_provider.delivery import EventStore
from airflow_lineage_provider.hooks.forwarding import drain
from airflow_lineage_provider.hooks.openlineage import DataHubHook, OpenLineageHook

KEY = "a-key-that-nobody-prints"


@contextmanager
def backend(answers, received=()):
    """A server that knows these paths: {path: (status, body)}; without the key it answers 401."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(*answers.get(self.path.partition("?")[0], (404, "")))

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            received.append((self.path, json.loads(body)))
            self._answer(201, "")

        def _answer(self, status, body):
            allowed = self.headers.get("Authorization") == f"Bearer {KEY}"
            self.send_response(status if allowed else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def connect(monkeypatch, conn_type, port, key=KEY):
    monkeypatch.setenv(
        "AIRFLOW_CONN_BACKEND",
        json.dumps({"conn_type": conn_type, "host": "127.0.0.1", "port": port, "password": key}),
    )


def test_marquez_answers(monkeypatch):
    with backend({"/api/v1/namespaces": (200, "{}")}) as port:
        connect(monkeypatch, "openlineage", port)
        assert OpenLineageHook("backend").test_connection() == (True, f"http://127.0.0.1:{port} answers")


def test_a_wrong_key_is_refused_and_not_printed(monkeypatch):
    with backend({}) as port:
        connect(monkeypatch, "openlineage", port, key="another-secret")
        worked, message = OpenLineageHook("backend").test_connection()
    assert not worked
    assert message == f"http://127.0.0.1:{port} refuses the API key (401)"


def test_nobody_listens(monkeypatch):
    with backend({}) as port:
        connect(monkeypatch, "openlineage", port)
    worked, message = OpenLineageHook("backend").test_connection()
    assert not worked
    assert "cannot be reached" in message


@pytest.mark.parametrize(
    ("answers", "expected"),
    [({"/config": (200, '{"versions": {}}')}, True), ({"/config": (200, "hello")}, False), ({}, False)],
)
def test_datahub_is_known_by_its_config(monkeypatch, answers, expected):
    with backend(answers) as port:
        connect(monkeypatch, "lineage_datahub", port)
        assert DataHubHook("backend").test_connection()[0] is expected


@pytest.mark.parametrize(
    ("conn_type", "path"),
    [
        ("openlineage", "/api/v1/lineage"),
        ("lineage_datahub", "/openapi/openlineage/api/v1/lineage"),
    ],
)
def test_drain_sends_a_backend_what_it_has_not_got(monkeypatch, tmp_path, conn_type, path):
    monkeypatch.setenv("AIRFLOW__LINEAGE__STORE", str(tmp_path / "lineage.db"))
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-01-01T00:00:00Z",
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0190a0e2-0000-7000-8000-000000000001"},
        "job": {"namespace": "dbt", "name": "silver.stg_orders"},
    }
    EventStore(str(tmp_path / "lineage.db")).append(event)
    received = []
    with backend({}, received) as port:
        connect(monkeypatch, conn_type, port)
        first, second = drain("backend"), drain("backend")
    assert (first["sent"], first["error"]) == (1, "")
    assert second["sent"] == 0
    assert received == [(path, event)]


def test_a_connection_that_takes_no_events(monkeypatch):
    connect(monkeypatch, "postgres", 5432)
    with pytest.raises(ValueError, match=r"takes no events; use openlineage, lineage_datahub"):
        drain("backend")
