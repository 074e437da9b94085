"""`airflow-lineage serve` as a process, and raw requests to it."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from airflow_lineage_provider.endpoint.server import server_config

TOKEN = "the-token"
PATH = "/api/v1/lineage"
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Endpoint:
    """A server on a port of its own; `process` is None where it runs in this one."""

    port: int
    log: Path | None = None
    process: Any = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def send(self, body, *headers, length=None, token=TOKEN):
        """Send one request and return its status and what is said, as `(0, "")` where there is no answer.

        `body` is bytes or parts of them; `length` is a Content-Length other than the right one, or "".
        """
        parts = [body] if isinstance(body, bytes) else body
        length = len(body) if length is None else length
        lines = [f"POST {PATH} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
        lines += ["Content-Type: application/json"] if not any("Content-Type" in h for h in headers) else []
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines += [f"Content-Length: {length}"] if length != "" else []
        with self.connect() as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            sender = threading.Thread(target=send_all, args=(connection, parts))
            sender.start()
            answer = receive(connection)
            sender.join()
        head, _, said = answer.partition(b"\r\n\r\n")
        return (int(head.split()[1]) if head else 0), said.decode()

    def status(self, body, *headers, **options):
        return self.send(body, *headers, **options)[0]

    def most_memory(self):
        """Return the most memory in bytes that the server had so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024


def send_all(connection, parts):
    try:
        for part in parts:
            connection.sendall(part)
    except OSError:
        pass  # the server has heard enough


def receive(connection):
    answer = b""
    try:
        while part := connection.recv(65536):
            answer += part
    except ConnectionResetError:
        pass
    return answer


def chunked(parts):
    """Yield parts in the transfer coding of that name."""
    for part in parts:
        yield f"{len(part):x}\r\n".encode() + part + b"\r\n"
    yield b"0\r\n\r\n"


def json(value):
    return msgspec.json.encode(value)


@contextmanager
def serving(store_path, log):
    """Run `airflow-lineage serve` and yield it."""
    port = free_port()
    command = [BIN / "airflow-lineage", "serve", "--store", str(store_path), "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | {"AIRFLOW_LINEAGE_TOKEN": TOKEN}, stdout=output, stderr=output
        )
    try:
        wait_for(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/health"))
        assert process.poll() is None, log.read_text()
        yield Endpoint(port, log, process)
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def serving_here(app):
    """Run an application in a thread of this process, and yield where it is."""
    port = free_port()
    server = uvicorn.Server(server_config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield Endpoint(port)
    finally:
        server.should_exit = True
        thread.join()


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
