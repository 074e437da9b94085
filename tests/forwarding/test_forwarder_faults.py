"""Faults of the forwarder itself: its process, its lease, its store."""

import random
import re
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from airflow_lineage_provider.forwarding.consumer import dead_letters, outbox_status, skip
from airflow_lineage_provider.forwarding.forwarder import Forwarder
from airflow_lineage_provider.forwarding.service import metrics
from airflow_lineage_provider.forwarding.targets import open_target
from airflow_lineage_provider.store import EventStore, StoreError
from tests.support.forwarding import POLICY, by_run, fill, status, wait_until
from tests.support.kills import kills, print_result, start
from tests.support.samples import run_event
from tests.support.writer import forward


@pytest.mark.parametrize("kind", ["http", "file"])
def test_an_event_damaged_in_the_store_becomes_a_dead_letter_and_its_run_continues(
    store, backend, tmp_path, kind
):
    file = {"type": "file", "log_file_path": str(tmp_path / "events.jsonl"), "append": True}
    fill(store, runs=2)
    with store.database.write() as connection:
        connection.execute(text("UPDATE event SET payload = x'00' WHERE id = 1"))
    forwarder = Forwarder(store, kind, open_target({"http": backend.target, "file": file}[kind]), POLICY)

    done = forwarder.drain()
    forwarder.close()

    assert (done.sent, done.dead_letters, done.error) == (7, 1, "")
    (dead,) = dead_letters(store)
    assert "is damaged" in dead.error
    assert (dead.event_id, dead.job) == (1, "dbt/silver.stg_orders")
    assert (status(store).pending, status(store).dead_letters) == (0, 1)
    with pytest.raises(StoreError, match="is damaged"):
        list(store.events())


def test_two_forwarders_send_nothing_twice(store, backend, forwarder):
    fill(store)
    second = Forwarder(store, "marquez", open_target(backend.target), POLICY)

    assert forwarder.drain().sent == 12
    fill(store, runs=5)
    assert second.drain().error == "another forwarder holds the lease"
    forwarder.close()
    assert second.drain().sent == 8
    second.close()


def test_one_process_holds_the_postgres_lease_until_the_server_restarts(
    postgres_server, postgres_store, backend
):
    fill(postgres_store)
    first, second = (
        Forwarder(EventStore(postgres_server.url), "marquez", open_target(backend.target), POLICY)
        for _ in range(2)
    )
    assert first.drain().sent == 12
    assert second.drain().error == "another forwarder holds the lease"

    postgres_server.stop()
    with pytest.raises(StoreError, match="cannot be reached"):
        first.round()
    postgres_server.start()

    fill(postgres_store, runs=4)
    assert second.drain().sent == 4
    assert first.drain().error == "another forwarder holds the lease"
    second.close()
    fill(postgres_store, runs=5)
    assert first.drain().sent == 4
    first.close()
    assert by_run(backend.received) == by_run(postgres_store.events())


def test_a_forwarder_killed_at_any_moment_loses_nothing_and_keeps_the_order(any_store, backend, request):
    """A forwarder killed between a send and its record sends again: at least once, still in order."""
    chance = random.Random(5)
    killing = threading.Event()
    due = [0]

    def answer(event):
        if backend.requests >= due[0]:
            killing.set()
        return 201

    backend.answer = answer
    store = any_store
    location = str(store) if store.database.is_sqlite else request.getfixturevalue("postgres_server").url
    for n in kills("forwarders", 12):
        fill_more = [
            run_event(f"run-{n}-{lane}", "RUNNING", at=f"2026-11-22T07:28:{m:02}Z")
            for m in range(10)
            for lane in range(5)
        ]
        store.append(fill_more)
        due[0] = backend.requests + chance.randrange(1, 40)
        killing.clear()
        process = start(forward, location, backend.target["url"])
        assert killing.wait(60)
        process.kill()
        process.join()

    last = Forwarder(store, "marquez", open_target(backend.target), POLICY)
    last.drain()
    last.close()

    expected, received = by_run(store.events()), by_run(backend.received)
    first_arrivals = {run: list(dict.fromkeys(times)) for run, times in received.items()}
    lost = sum(len(set(times) - set(received.get(run, ()))) for run, times in expected.items())
    disordered = sum(first_arrivals.get(run) != times for run, times in expected.items())
    duplicates = len(backend.received) - sum(map(len, first_arrivals.values()))
    figures = {"kills": n + 1, "events": sum(map(len, expected.values())), "lost": lost}
    print_result("forwarders", store, **figures, runs_out_of_order=disordered, duplicates=duplicates)
    assert (lost, disordered) == (0, 0)
    assert status(store).pending == 0


@contextmanager
def forwarding_process(store, backend):
    process = start(forward, str(store), backend.target["url"])
    try:
        yield process
    finally:
        process.kill()
        process.join()


def test_one_of_two_processes_forwards_and_the_other_takes_over_when_it_is_killed(store, backend):
    fill(store, runs=1)
    with forwarding_process(store, backend) as first, forwarding_process(store, backend):
        wait_until(lambda: len(backend.received) == 4)
        fill(store, runs=50)
        wait_until(lambda: status(store).pending == 0)
        assert len(backend.received) == 200

        first.kill()
        fill(store, runs=60)
        wait_until(lambda: status(store).pending == 0)

    first_arrivals = {run: list(dict.fromkeys(times)) for run, times in by_run(backend.received).items()}
    assert first_arrivals == by_run(store.events())


def test_postgres_restarts_while_events_are_forwarded(postgres_server, postgres_store, backend):
    """Forwarding resumes by itself; events that were sent but not recorded are sent again."""
    fill(postgres_store, runs=10)
    asked = threading.Event()
    backend.answer = lambda event: asked.set() or 201
    forwarder = Forwarder(EventStore(postgres_server.url), "marquez", open_target(backend.target), POLICY)
    stop, rounds = threading.Event(), []
    thread = threading.Thread(target=forwarder.run, args=(stop, rounds.append))
    thread.start()
    assert asked.wait(30)
    postgres_server.stop()
    wait_until(lambda: rounds and rounds[-1].trouble == "store")
    postgres_server.start()
    fill(postgres_store, runs=15)
    wait_until(lambda: status(postgres_store).pending == 0)
    stop.set()
    thread.join()
    forwarder.close()

    assert "cannot be reached: check its server" in next(r.error for r in rounds if r.trouble == "store")
    first_arrivals = {run: list(dict.fromkeys(times)) for run, times in by_run(backend.received).items()}
    assert first_arrivals == by_run(postgres_store.events())


FORWARD_ON_A_FULL_DISK = """
import sys, threading
from pathlib import Path
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.forwarding.consumer import outbox_status
from airflow_lineage_provider.forwarding.forwarder import Forwarder, RetryPolicy
from airflow_lineage_provider.forwarding.targets import open_target
sys.path.insert(0, sys.argv[3])
from tests.support.samples import run_event
disk, stop, seen = Path(sys.argv[1]), threading.Event(), []
store = EventStore(str(disk / "lineage.db"))
store.append([run_event(f"run-{n}") for n in range(50)])
target = open_target({"type": "http", "url": sys.argv[2]})
forwarder = Forwarder(store, "marquez", target, RetryPolicy(first_wait=0.01))
forwarder._consumer.position()
wal = disk / "lineage.db-wal"
while -wal.stat().st_size % 4096 > 2048:  # its last block has room for a page of SQLite's
    forwarder._consumer.record(0, str(wal.stat().st_size), dead_letters={})
filler = open(disk / "filler", "wb", buffering=0)
try:
    while True:
        filler.write(bytes(512))
except OSError:
    pass
def report(done):
    seen.append(done.trouble)
    if done.error:
        print(done.error)
    if seen[-3:] == ["store"] * 3:
        (disk / "filler").unlink(missing_ok=True)
        filler.close()
    if done.trouble == "" and done.wait:
        stop.set()
forwarder.run(stop, report)
print(outbox_status(store)[0].pending)
"""


def test_a_full_disk_when_the_position_is_recorded(tmp_path, backend):
    """Events that were sent are not sent again; the position is recorded once there is space."""
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    script = f'mount -t tmpfs -o size=1m none "{tmp_path}" && exec "$@"'
    here = str(Path(__file__).parents[2])
    python = [sys.executable, "-c", FORWARD_ON_A_FULL_DISK, str(tmp_path), backend.target["url"], here]
    command = ["unshare", "-rm", "sh", "-c", script, "sh", *python]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)

    *said, pending = ran.stdout.splitlines()
    (said,) = set(said)
    assert f"{tmp_path}/lineage.db cannot grow, the disk is full: free some space" in said
    assert pending == "0"
    assert len(backend.received) == 50


def test_a_clock_set_back_changes_neither_order_nor_age(store, backend, forwarder):
    times = ["2026-11-22T10:00:00Z", "2999-01-01T00:00:00Z", "1999-01-01T00:00:00Z"]
    for n, (kind, at) in enumerate(zip(["START", "RUNNING", "COMPLETE"], times, strict=True), 1):
        store.append(run_event("run-0", kind, at=at))
        with store.database.write() as connection:
            connection.execute(text("UPDATE event SET stored_at = :at WHERE id = :n"), {"at": at, "n": n})
    behind = metrics(outbox_status(store), {}, datetime.now(UTC))

    assert forwarder.drain().sent == 3

    assert [event["eventType"] for event in backend.received] == ["START", "RUNNING", "COMPLETE"]
    assert not re.search(r" -\d", behind)


def test_a_failure_begins_with_the_first_failed_send(store, backend, forwarder, clock):
    fill(store)
    backend.answer = lambda event: 503
    forwarder.round()
    since = status(store).error_since
    backend.answer = lambda event: 401
    clock.now += 1
    forwarder.round()

    assert "401" in status(store).error
    assert status(store).error_since == since


def test_a_user_can_skip_an_event_that_the_target_never_answers(store, backend, forwarder, clock):
    backend.answer = lambda event: "hang" if event["eventType"] == "START" else 201
    fill(store, runs=1, events=2)
    forwarder.drain()

    assert skip(store, "marquez") == 1
    clock.now += 1
    assert forwarder.drain().sent == 1

    assert "127.0.0.1" in dead_letters(store)[0].error
    assert (status(store).pending, status(store).dead_letters) == (0, 1)
    assert skip(store, "marquez") == 0
