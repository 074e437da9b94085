"""Idle connections and endless bodies: each is limited in time and memory."""

import contextlib
import itertools
import time

import pytest

from airflow_lineage_provider.endpoint import server
from airflow_lineage_provider.endpoint.receiver import bearer_token, create_app
from tests.support.endpoint import TOKEN, json, receive, serving, serving_here
from tests.support.samples import run_event

HEAD = "POST /api/v1/lineage HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@contextlib.contextmanager
def bounded(store, monkeypatch, **limits):
    protocol = server.bounded_protocol(**limits)
    monkeypatch.setattr(server, "bounded_protocol", lambda: protocol)
    with serving_here(create_app(store, bearer_token(TOKEN), largest_body=100_000, patience=0.5)) as endpoint:
        yield endpoint


def is_closed(connection):
    connection.settimeout(10)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def send_until_closed(connection, parts, pause=0.0):
    """Send until the server has closed the connection; return how many bytes that took."""
    sent = 0
    for part in parts:
        try:
            connection.sendall(part)
        except ConnectionError:
            return sent
        sent += len(part)
        time.sleep(pause)
    raise AssertionError("the server did not close the connection")


def test_two_thousand_idle_connections_do_not_block_requests(tmp_path):
    with serving(tmp_path / "lineage.db", tmp_path / "log") as endpoint, contextlib.ExitStack() as stack:
        for n in range(2000):
            stack.enter_context(endpoint.connect())
            if n % 400 == 0:
                assert endpoint.status(json(run_event(event_type="RUNNING"))) == 201
        assert endpoint.status(json(run_event())) == 201
        assert "Traceback" not in endpoint.log.read_text()


@pytest.mark.parametrize("begun", ["", "POST /api", HEAD])
def test_headers_have_a_deadline(store, monkeypatch, begun):
    with bounded(store, monkeypatch, seconds=0.3) as endpoint, endpoint.connect() as connection:
        connection.sendall(begun.encode())
        assert is_closed(connection)


def test_slow_headers_have_a_deadline(store, monkeypatch):
    headers = (f"X-{n}: y\r\n".encode() if n else b"POST / HTTP/1.1\r\n" for n in range(200))
    with bounded(store, monkeypatch, seconds=0.5) as endpoint, endpoint.connect() as connection:
        send_until_closed(connection, headers, pause=0.05)


def test_the_headers_of_a_second_request_have_a_deadline(store, monkeypatch):
    with bounded(store, monkeypatch, seconds=0.5) as endpoint, endpoint.connect() as connection:
        body = json(run_event())
        head = f"{HEAD}Authorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        assert b" 201 " in connection.recv(65536)
        connection.sendall(b"POST /api")
        assert is_closed(connection)


def test_a_connection_with_a_request_keeps_its_place(store, monkeypatch):
    with bounded(store, monkeypatch, most=10) as endpoint, contextlib.ExitStack() as stack:
        body = json(run_event())
        busy = stack.enter_context(endpoint.connect())
        head = (
            f"{HEAD}Authorization: Bearer {TOKEN}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        busy.sendall(head.encode() + body[:-1])
        for _ in range(30):
            stack.enter_context(endpoint.connect())
        busy.sendall(body[-1:])
        assert b" 201 " in receive(busy)


@pytest.mark.parametrize("token", ["", "wrong", TOKEN])
@pytest.mark.parametrize("length", ["Transfer-Encoding: chunked", f"Content-Length: {2**50}"])
def test_an_endless_body_is_cut_off(store, monkeypatch, token, length):
    part = bytes(2**16)
    if "chunked" in length:
        part = f"{len(part):x}\r\n".encode() + part + b"\r\n"
    with bounded(store, monkeypatch) as endpoint, endpoint.connect() as connection:
        connection.sendall(f"{HEAD}Authorization: Bearer {token}\r\n{length}\r\n\r\n".encode())
        sent = send_until_closed(connection, itertools.repeat(part))
        # Eight times the largest body, and what the sockets buffer.
        assert sent < 8 * 100_000 + 20 * 2**20


def test_a_slow_rejected_body_is_cut_off(store, monkeypatch):
    with bounded(store, monkeypatch) as endpoint, endpoint.connect() as connection:
        connection.sendall(f"{HEAD}Content-Length: 1000\r\n\r\n".encode())
        send_until_closed(connection, itertools.repeat(b"x", 200), pause=0.05)


def test_a_rejected_request_of_known_size_keeps_its_connection(store, monkeypatch):
    with bounded(store, monkeypatch) as endpoint, endpoint.connect() as connection:
        for _ in range(3):
            connection.sendall(f"{HEAD}Content-Length: 2\r\n\r\n[]".encode())
            answer = connection.recv(65536)
            assert b" 401 " in answer
            assert b"connection: close" not in answer.lower()
