"""Stores and a backend for the tests: SQLite, a private Postgres, an HTTP endpoint."""

import contextlib
import os
import shutil
import subprocess
import tempfile

import pytest

from airflow_lineage_provider.forwarding.forwarder import Forwarder
from airflow_lineage_provider.forwarding.targets import open_target
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.store.schema import metadata, version

from .backend import running_backend
from .forwarding import POLICY, Clock


class Postgres:
    """A Postgres server of the tests' own, on a socket in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        # As root, the server must run as somebody else.
        self._as = (
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        )
        if self._as:
            os.chown(folder, 65534, 65534)
        self._run("initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8")
        self.start()

    def start(self):
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off"
        self._run(
            "pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-o", options, "-w", "start"
        )

    def stop(self):
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")

    def _run(self, *command):
        subprocess.run([*self._as, *command], check=True, stdout=subprocess.DEVNULL, cwd=self.folder)


@pytest.fixture(scope="session")
def postgres_server():
    if not shutil.which("initdb"):
        pytest.skip("initdb is not on PATH")
    folder = tempfile.mkdtemp(prefix="lineage-postgres-")
    server = Postgres(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def postgres_store(postgres_server):
    store = EventStore(postgres_server.url)
    yield store
    with store.database.write() as connection:
        metadata.drop_all(connection)
        version.drop(connection)
    store.close()


@pytest.fixture
def sqlite_store(tmp_path):
    with contextlib.closing(EventStore(str(tmp_path / "lineage.db"))) as store:
        yield store


@pytest.fixture
def store(sqlite_store):
    return sqlite_store


@pytest.fixture(params=["sqlite", "postgres"])
def any_store(request):
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
def backend():
    with running_backend() as backend:
        yield backend


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def forwarder(store, backend, clock):
    forwarder = Forwarder(store, "marquez", open_target(backend.target), POLICY, clock)
    yield forwarder
    forwarder.close()
