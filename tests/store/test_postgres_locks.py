"""A locked or unresponsive Postgres store delays a writer for seconds, then counts as unavailable."""

import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg2
import pytest

from airflow_lineage_provider.store import EventStore, StoreError, database
from airflow_lineage_provider.store import store as store_module
from tests.support.samples import run_event

LONGEST = database.PATIENCE + 2.5  # the rest of the last attempt


@contextmanager
def session(server):
    connection = psycopg2.connect(server.url)
    try:
        yield connection.cursor()
    finally:
        connection.close()


@contextmanager
def stopped(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def server_processes(server):
    """Return the server's main process and its children, sessions among them."""
    main = int(Path(server.folder, "data", "postmaster.pid").read_text().split()[0])
    return [main, *(child.pid for child in psutil.Process(main).children())]


LOCKS = {
    "the writers' lock": f"SELECT pg_advisory_xact_lock({database._WRITER_LOCK})",
    "the events": "LOCK TABLE event IN ACCESS EXCLUSIVE MODE",
    "all tables": "LOCK TABLE event, run, event_dataset, lineage_version IN ACCESS EXCLUSIVE MODE",
    "one row of a run": "UPDATE run SET state = state",
}


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("known", [True, False], ids=["open", "new"])
def test_a_lock_held_by_an_open_transaction(postgres_server, postgres_store, monkeypatch, lock, known):
    if lock != "the events":
        monkeypatch.setattr(store_module, "PATIENCE", 1)
    postgres_store.append(run_event())
    store = postgres_store if known else EventStore(postgres_server.url)
    with session(postgres_server) as other:
        other.execute(LOCKS[lock])
        begun = time.monotonic()
        with pytest.raises(StoreError, match="is locked by another session") as error:
            store.append(run_event(event_type="RUNNING"))
        waited = time.monotonic() - begun
        begun = time.monotonic()
        with pytest.raises(StoreError, match="is locked"):
            store.append(run_event(event_type="RUNNING"))
        again = time.monotonic() - begun

    assert error.value.unreachable
    assert waited < LONGEST
    assert again < database.ATTEMPT + 1  # it is known to be away
    assert store.append(run_event(event_type="RUNNING")) == 1
    store.close()


def test_a_writer_waits_for_a_short_lock(postgres_server, postgres_store):
    postgres_store.append(run_event())
    with session(postgres_server) as other:
        other.execute(LOCKS["the events"])
        release = threading.Timer(3, other.connection.rollback)
        release.start()
        assert postgres_store.append(run_event(event_type="COMPLETE")) == 1
        release.join()


@pytest.mark.parametrize("known", [True, False], ids=["open", "new"])
def test_a_stopped_server(postgres_server, postgres_store, known):
    postgres_store.append(run_event())
    store = postgres_store if known else EventStore(postgres_server.url)
    with stopped(server_processes(postgres_server)):
        for call in (
            lambda: store.append(run_event(event_type="RUNNING")),
            lambda: list(store.events()),
            store.latest_root_run,
        ):
            begun = time.monotonic()
            with pytest.raises(StoreError, match=r"does not answer|cannot be reached") as error:
                call()
            assert error.value.unreachable
            assert time.monotonic() - begun < LONGEST + 1

    assert store.append(run_event(event_type="RUNNING")) == 1
    assert [event["eventType"] for event in store.events()] == ["START", "RUNNING"]
    store.close()


def test_one_stopped_session_of_a_writer(postgres_server, postgres_store):
    """The watchdog closes the connection; the store continues with another."""
    postgres_store.append(run_event())
    pid = postgres_store.database._writing.driver_connection.get_backend_pid()
    with stopped([pid]):
        assert postgres_store.append(run_event(event_type="RUNNING")) == 1


def test_a_suspended_writer_loses_its_lock(postgres_server, postgres_store):
    postgres_store.append(run_event())
    with postgres_store.database.read() as connection:
        timeout = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
    assert timeout == "30s"
