"""Backends as connections: the Test button, and events that reach a real HTTP server."""

import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.hooks.openlineage import OpenLineageHook
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.utils.forwarding import drain

KEY = "a-key-that-nobody-prints"


@contextmanager
def backend(answers, received=(), open_to_all=()):
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
            allowed = self.headers.get("Authorization") == f"Bearer {KEY}" or self.path in open_to_all
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


def connect(monkeypatch, conn_type, port, key=KEY, **fields):
    connection = {"conn_type": conn_type, "host": "127.0.0.1", "port": port, "password": key, **fields}
    monkeypatch.setenv("AIRFLOW_CONN_BACKEND", json.dumps(connection))


def button():
    """Return what the Test button of a connection says, by the way that Airflow's API takes."""
    from airflow.sdk import BaseHook

    return BaseHook.get_connection("backend").get_hook().test_connection()


LINEAGE = "/api/v1/lineage"
NO_GET = (405, "")
MARQUEZ = {LINEAGE: (400, "nodeId must not be null"), "/api/v1/events/lineage": (200, "{}")}


@pytest.mark.parametrize(
    ("answers", "worked", "said"),
    [
        (MARQUEZ, True, "accepts events, and they can be read back as from Marquez"),
        ({LINEAGE: NO_GET}, True, "accepts events, and they cannot be read back as from Marquez"),
        ({}, False, "has nothing at api/v1/lineage: check host, port and endpoint"),
        ({LINEAGE: (502, "oops")}, False, "answers 502: check host, port and schema, or its log"),
        ({LINEAGE: (302, "login")}, False, "answers 302"),
    ],
    ids=["marquez", "another", "no endpoint", "down behind a proxy", "a login page"],
)  # fmt: skip
def test_the_test_button_of_an_endpoint(monkeypatch, answers, worked, said):
    with backend(answers) as port:
        connect(monkeypatch, "openlineage", port)
        result = button()
    assert result[0] is worked
    assert result[1].startswith(f"http://127.0.0.1:{port} {said}")


CONFIG = {"/config": (200, '{"versions": {}}')}


@pytest.mark.parametrize(
    ("answers", "worked", "said"),
    [
        (CONFIG | {"/openapi/openlineage" + LINEAGE: NO_GET}, True, "is DataHub and accepts events"),
        (CONFIG, False, "has nothing at openapi/openlineage/api/v1/lineage"),
        ({"/config": (200, "hello")}, False, "answers 200, but is not DataHub's metadata service"),
        ({}, False, "answers 404, but is not DataHub's metadata service"),
    ],
    ids=["datahub", "an old datahub", "another page", "nothing"],
)
def test_the_test_button_of_datahub(monkeypatch, answers, worked, said):
    with backend(answers) as port:
        connect(monkeypatch, "lineage_datahub", port)
        result = button()
    assert result[0] is worked
    assert result[1].startswith(f"http://127.0.0.1:{port} {said}")


@pytest.mark.parametrize("conn_type", ["openlineage", "lineage_datahub"])
def test_a_wrong_key_is_refused_and_not_printed(monkeypatch, conn_type):
    # DataHub shows its /config to everybody.
    with backend(CONFIG, open_to_all={"/config"}) as port:
        connect(monkeypatch, conn_type, port, key="another-secret")
        result = button()
    assert result == (False, f"http://127.0.0.1:{port} rejects the key in the connection's password (401)")


@pytest.mark.parametrize("conn_type", ["openlineage", "lineage_datahub"])
def test_nobody_listens(monkeypatch, conn_type):
    with backend({}) as port:
        connect(monkeypatch, conn_type, port)
    worked, message = button()
    assert not worked
    assert message.startswith(f"http://127.0.0.1:{port} cannot be reached: ")
    assert message.endswith("Connection refused")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"host": "http://user:s3cret@127.0.0.1"}, "has credentials in its host: move them to its password"),
        ({"key": "s3cret\nX: y"}, "the API key has characters that no HTTP header can carry: enter it anew"),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_printed(monkeypatch, fields, said):
    connect(monkeypatch, "openlineage", 1, **fields)
    worked, message = button()
    assert not worked
    assert said in message
    assert "s3cret" not in message


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "marquez"}, "http://marquez:5000"),
        ({"host": "marquez", "port": 80}, "http://marquez:80"),
        ({"host": "marquez", "schema": "https"}, "https://marquez"),
        ({"host": "marquez", "schema": "https", "port": 8443}, "https://marquez:8443"),
        ({"host": "http://marquez", "port": 5001}, "http://marquez:5001"),
        ({"host": "http://marquez:5002/", "port": 5001}, "http://marquez:5002"),
        ({"host": "https://gateway/lineage/"}, "https://gateway/lineage"),
        ({"host": "http://gateway/lineage", "port": 81}, "http://gateway:81/lineage"),
        ({"host": None}, "http://localhost:5000"),
    ],
)
def test_host_port_and_schema_make_the_url(monkeypatch, fields, url):
    connect(monkeypatch, "openlineage", **{"port": None} | fields)
    hook = OpenLineageHook("backend")
    assert hook.get_url() == url
    assert hook.get_transport()["url"] == f"{url}/"  # without the slash, its own path would be lost


@pytest.mark.parametrize("given", [{"endpoint": "/lineage/api/v1/lineage/"}, {"endpoint": None}, {}])
def test_another_endpoint(monkeypatch, given):
    path = "/lineage/api/v1/lineage" if given.get("endpoint") else LINEAGE
    with backend({path: NO_GET}) as port:
        connect(monkeypatch, "openlineage", port, extra=given)
        assert button()[0]
        assert OpenLineageHook("backend").get_transport()["endpoint"] == path.strip("/")


@pytest.mark.parametrize(
    ("conn_type", "path"),
    [
        ("openlineage", "/api/v1/lineage"),
        ("lineage_datahub", "/openapi/openlineage/api/v1/lineage"),
    ],
)
def test_drain_sends_a_backend_what_it_has_not_got(monkeypatch, tmp_path, conn_type, path):
    monkeypatch.setenv("AIRFLOW__AIRFLOW_LINEAGE__STORE", str(tmp_path / "lineage.db"))
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


def test_a_connection_may_say_how_many_events_go_in_one_request(monkeypatch):
    connection = {"conn_type": "openlineage", "host": "feast", "port": 8080, "extra": {"batch": 100}}
    monkeypatch.setenv("AIRFLOW_CONN_BACKEND", json.dumps(connection))
    assert OpenLineageHook("backend").get_transport() == {
        "type": "http",
        "url": "http://feast:8080/",
        "endpoint": "api/v1/lineage",
        "batch": 100,
    }


def test_a_connection_that_takes_no_events(monkeypatch):
    connect(monkeypatch, "postgres", 5432)
    with pytest.raises(InputError, match=r"names no lineage backend; use one of type openlineage or"):
        drain("backend")
