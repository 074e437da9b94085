"""A response that never ends is a failure after one deadline, and does not delay a stop."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from airflow_lineage_provider.forwarding.http_target import _retry_after
from airflow_lineage_provider.forwarding.targets import open_target
from airflow_lineage_provider.store import EventStore
from tests.support.forwarding import status, wait_until
from tests.support.samples import run_event

HEAD = b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\nX: y\r\n\r\n"
DRIPS = {
    "status line": HEAD,
    "headers": b"HTTP/1.1 201 Created\r\n" + b"X: y\r\n" * 1000,
    "body": HEAD + b"x" * 1000,
    "chunks": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000,
    "interim responses": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
}


@contextmanager
def dripping(text, at_once, every=0.05, asked=None):
    """Serve responses: `at_once` bytes together, then one byte every 50 ms. Yields the port."""
    stop = threading.Event()

    def answer(connection):
        with connection:
            connection.recv(2**16)
            if asked is not None:
                asked.set()
            try:
                connection.sendall(text[:at_once])
                for n in range(at_once, len(text)):
                    if stop.wait(every):
                        return
                    connection.sendall(text[n : n + 1])
            except OSError:
                pass

    def accept():
        while not stop.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        stop.set()
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("part", DRIPS)
def test_one_deadline_covers_the_whole_response(part):
    text = DRIPS[part]
    at_once = {"status line": 0, "body": len(HEAD)}.get(part, 25)
    with dripping(text, at_once) as port:
        target = open_target({"type": "http", "url": f"http://127.0.0.1:{port}", "timeout": 0.5})
        failures = target.send({1: b"{}", 2: b"{}"})
        target.close()

    assert {failure.fault for failure in failures.values()} == {"target"}
    assert "no complete response within 0.5 s" in failures[1].message


def test_a_server_that_never_reads_the_request():
    body = b" " * 2**25
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        target = open_target({"type": "http", "url": f"http://127.0.0.1:{port}", "timeout": 0.5})
        failures = target.send({1: body})
        target.close()

    assert failures[1].fault == "target"


def test_an_interrupted_send_returns():
    with dripping(HEAD, 10, every=5) as port:
        target = open_target({"type": "http", "url": f"http://127.0.0.1:{port}", "timeout": 300})
        failures = {}
        thread = threading.Thread(target=lambda: failures.update(target.send({1: b"{}"})), daemon=True)
        thread.start()
        wait_until(lambda: all(c.sock for c in target._client._connections[:1]))
        while thread.is_alive():  # the request may be under way still
            target.interrupt()
            thread.join(0.05)
        target.close()
    assert "before forwarding was stopped" in failures[1].message


@pytest.mark.parametrize("timeout", [1, 300])
def test_the_command_ends_on_sigterm_and_the_outbox_names_the_event(tmp_path, timeout):
    store = EventStore(str(tmp_path / "lineage.db"))
    store.append(run_event(name="silver.slow"))
    asked = threading.Event()
    with dripping(HEAD + b"x" * 1000, 10, 0.3, asked) as port:
        url = f"http://127.0.0.1:{port}"
        transport = f'{{"forward": {{"slow": {{"type": "http", "url": "{url}", "timeout": {timeout}}}}}}}'
        command = [Path(sys.executable).with_name("airflow-lineage"), "forward", "--store", str(store)]
        process = subprocess.Popen(
            [*command, "--transport", transport], stdout=subprocess.PIPE, env=os.environ, text=True
        )
        assert process.stdout.readline().startswith("forwarding ")
        assert asked.wait(30)
        if timeout == 1:
            wait_until(lambda: status(store).error)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert status(store).error.endswith("to START of dbt/silver.slow")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7),
        ("100000", 300),
        ("soon", None),
        ("-1", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        (format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True), 300),
    ],
    # Not the header itself: two processes that share the tests must collect the same names.
    ids=["none", "seconds", "too long", "a word", "negative", "in the past", "tomorrow"],
)
def test_retry_after_is_a_number_or_a_date(header, seconds):
    assert _retry_after(header) == seconds


def test_retry_after_as_a_date_is_waited_for(store, backend, forwarder):
    store.append(run_event())
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    backend.answer, backend.headers = lambda event: 429, {"Retry-After": soon}

    assert 60 < forwarder.round().wait <= 100
