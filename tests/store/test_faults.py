"""Faults of a store: committed events survive, and one line names the fault and what to do."""

import multiprocessing
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_lineage_provider.store import EventStore, StoreError, database
from airflow_lineage_provider.store import store as store_module
from airflow_lineage_provider.store.dead_runs import sweep
from tests.support.kills import kills, print_result, start
from tests.support.samples import run_event
from tests.support.writer import write


def message(call, *args):
    with pytest.raises(StoreError) as error:
        call(*args)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_locked_store(store, monkeypatch):
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    store.append(run_event())
    other = sqlite3.connect(str(store), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    store = EventStore(str(store))
    said = message(store.append, run_event(event_type="COMPLETE"))
    assert "locked by another process" in said
    assert len(list(store.events())) == 1  # readers do not wait

    other.execute("COMMIT")
    assert store.append(run_event(event_type="COMPLETE")) == 1


def test_a_file_that_is_not_a_database(tmp_path):
    path = tmp_path / "lineage.db"
    path.write_text("not a database " * 1000)

    assert f"{path} is not a SQLite database" in message(EventStore(str(path)).append, run_event())
    assert "is not a SQLite database" in message(EventStore(str(path)).latest_root_run)


def test_an_unsupported_database(tmp_path):
    path = tmp_path / "other.db"
    sqlite3.connect(path).execute("CREATE TABLE t (a)").connection.close()

    assert "holds no lineage events" in message(EventStore(str(path)).latest_root_run)


def test_a_damaged_file(store):
    store.append([run_event(f"run-{n}", outputs=[f"t{n}"]) for n in range(500)])
    store.close()
    data = bytearray(Path(str(store)).read_bytes())
    data[8192:-4096] = bytes(len(data) - 12288)
    Path(str(store)).write_bytes(data)

    assert "is damaged: restore it" in message(lambda: list(store.events()))


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_deleted_file_is_created_again_with_a_warning(store, tmp_path, caplog, how):
    store.append(run_event())
    path = Path(str(store))
    if how == "replaced":
        other = EventStore(str(tmp_path / "other.db"))
        other.append(run_event("other"))
        other.close()
    for file in path.parent.glob("lineage.db*"):
        file.unlink() if how == "deleted" else file.rename(f"{file}.moved")
    if how == "replaced":
        (tmp_path / "other.db").rename(path)

    assert store.append(run_event(event_type="COMPLETE")) == 1

    assert f"{path} was deleted or replaced while it was in use" in caplog.text
    kinds = [event["eventType"] for event in EventStore(str(store)).events()]
    assert kinds == (["START", "COMPLETE"] if how == "replaced" else ["COMPLETE"])


def test_a_database_with_other_tables_is_rejected(any_store, tmp_path):
    """Airflow's own database, for example: the store makes no tables in it."""
    if any_store.database.is_sqlite:
        sqlite3.connect(str(any_store)).execute("CREATE TABLE dag_run (id)").connection.close()
    else:
        with any_store.database.session() as connection:
            connection.exec_driver_sql("CREATE TABLE dag_run (id int)")
            connection.close()

    try:
        said = message(any_store.append, run_event())
        assert "is not an event store, and it is not empty (dag_run): use an empty database" in said
    finally:
        with any_store.database.session() as connection:
            connection.exec_driver_sql("DROP TABLE dag_run")
            connection.close()
    assert any_store.append(run_event()) == 1


def test_only_the_owner_can_read_the_file(store, tmp_path):
    new = EventStore(str(tmp_path / "new" / "lineage.db"))
    new.append(run_event())
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert modes == dict.fromkeys(["lineage.db", "lineage.db-wal", "lineage.db-shm"], 0o600)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    new.close()


@pytest.mark.parametrize("writer", ["at work", "ended"])
def test_reading_needs_no_permission_to_write(store, tmp_path, writer):
    store.append([run_event(f"run-{n}") for n in range(3)])
    if writer == "ended":
        store.close()
    path = Path(str(store))

    def read_as_nobody():
        for file in path.parent.glob("lineage.db*"):
            file.chmod(0o444)
        path.parent.chmod(0o555)
        if os.geteuid() == 0:
            for folder in path.parents[:-2]:
                folder.chmod(0o555)
            os.setuid(65534)
        return str(len(list(EventStore(str(path)).events())))

    said = in_a_child(read_as_nobody)
    for folder in path.parents[:-2]:
        folder.chmod(0o755)
    for file in path.parent.glob("lineage.db*"):
        file.chmod(0o600)
    assert said == "3"
    assert store.append(run_event("another")) == 1


def test_a_folder_that_cannot_be_created(tmp_path):
    (tmp_path / "file").touch()

    said = message(EventStore(str(tmp_path / "file" / "lineage.db")).append, run_event())

    assert f"Cannot make the folder of the event store {tmp_path}/file/lineage.db" in said


def test_a_folder_where_the_file_should_be(tmp_path):
    assert "cannot be opened" in message(EventStore(str(tmp_path)).append, run_event())


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("sqlite://", "in memory"),
        ("mysql://user:secret@host/db", "No event store in mysql"),
        ("postgresql://user:secret@127.0.0.1:1/db", "cannot be reached"),
        ("postgresql://user:secret@no-such-host.invalid/db", "cannot be reached"),
    ],
)
def test_an_invalid_location(location, said, monkeypatch):
    monkeypatch.setattr(store_module, "PATIENCE", 0.1)
    text = message(lambda: EventStore(location).append(run_event()))
    assert said in text
    assert "secret" not in text


def in_a_child(call):
    """Call it in a forked process, and return what it wrote to its pipe."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, call().encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        return pipe.read()


def test_a_read_only_store(store):
    """The pipeline continues; the store is unchanged."""
    store.append(run_event())
    store.close()
    path = Path(str(store))

    def append_as_nobody():
        path.chmod(0o444)
        path.parent.chmod(0o555)
        if os.geteuid() == 0:
            for folder in path.parents[:-2]:
                folder.chmod(0o555)
            os.setuid(65534)
        try:
            return f"stored {EventStore(str(path)).append(run_event(event_type='COMPLETE'))}"
        except StoreError as error:
            return str(error)

    said = in_a_child(append_as_nobody)
    path.chmod(0o644)
    for folder in path.parents[:-2]:
        folder.chmod(0o755)

    assert "is read-only: allow this user to write" in said or "cannot be opened" in said
    assert len(list(store.events())) == 1


FILL_A_DISK = """
import sys
from airflow_lineage_provider.store import EventStore, StoreError
sys.path.insert(0, sys.argv[2])
from tests.support.samples import run_event
import random
store = EventStore(sys.argv[1] + "/lineage.db")
stored = 0
try:
    while True:
        noise = random.randbytes(2000).hex()
        stored += store.append(run_event(f"run-{stored}", outputs=[noise]))
except StoreError as error:
    print(error)
print(stored, sum(1 for _ in store.events()))
"""


def test_a_full_disk(tmp_path):
    """On a disk of one megabyte, committed events stay, and the next append reports that the disk is full."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    script = f'mount -t tmpfs -o size=1m none "{tmp_path}" && exec "$@"'
    python = [sys.executable, "-c", FILL_A_DISK, str(tmp_path), str(Path(__file__).parents[2])]
    ran = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *python], check=True, capture_output=True, text=True
    )

    said, counts = ran.stdout.splitlines()
    stored, found = map(int, counts.split())
    assert f"{tmp_path}/lineage.db cannot grow, the disk is full: free some space" in said
    assert stored == found > 10


def test_order_does_not_depend_on_the_clock(store):
    """Events are ordered by position, not by time."""
    store.append(run_event("root-1", at="2026-11-22T07:28:01Z"))
    store.append(run_event("root-2", at="2019-01-01T00:00:00Z"))

    assert store.latest_root_run() == "root-2"
    assert [event["run"]["runId"] for event in store.events()] == ["root-1", "root-2"]


def test_a_writer_killed_at_any_moment_loses_nothing_that_was_committed(any_store, request):
    chance = random.Random(3)
    store = any_store
    location = str(store) if store.database.is_sqlite else request.getfixturevalue("postgres_server").url
    committed = {}
    for name in map(str, kills("writers", 12)):
        reader, writer_end = multiprocessing.Pipe(duplex=False)
        writer = start(write, location, f"run-{name}", 100_000, writer_end)
        writer_end.close()
        said = [reader.recv() for _ in range(chance.randrange(1, 60))]
        writer.kill()
        with suppress(EOFError):
            while True:
                said.append(reader.recv())
        writer.join()
        committed[f"run-{name}"] = len(said)

    kept = {run: len(list(store.events(run_id=run))) for run in committed}
    lost = sum(max(count - kept[run], 0) for run, count in committed.items())
    print_result("writers", store, kills=len(committed), events_committed=sum(committed.values()), lost=lost)
    assert lost == 0
    for run in committed:
        times = [event["eventTime"] for event in store.events(run_id=run)]
        assert times == sorted(set(times))
    if store.database.is_sqlite:
        check = sqlite3.connect(str(store)).execute("PRAGMA integrity_check").fetchone()
        assert check == ("ok",)
    closed = sweep(store, timedelta(0))
    assert {run.run_id for run in closed} == set(committed)


def test_postgres_restarts_during_a_run(postgres_server, postgres_store):
    """An event that is appended while the server is down waits for it."""
    postgres_store.append(run_event())
    postgres_server.stop()
    restart = threading.Timer(0.5, postgres_server.start)
    restart.start()

    assert postgres_store.append(run_event(event_type="RUNNING")) == 1
    restart.join()
    assert [event["eventType"] for event in postgres_store.events()] == ["START", "RUNNING"]


def test_postgres_does_not_come_back(postgres_server, postgres_store, monkeypatch):
    monkeypatch.setattr(store_module, "PATIENCE", 0.3)
    postgres_store.append(run_event())
    postgres_server.stop()
    said = message(postgres_store.append, run_event(event_type="RUNNING"))
    postgres_server.start()

    assert "cannot be reached: check its server" in said
    assert postgres_store.append(run_event(event_type="RUNNING")) == 1
