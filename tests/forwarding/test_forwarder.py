"""Committed events arrive in the order of their run as soon as the target accepts them; none is lost."""

import socket

import pytest

from airflow_lineage_provider.forwarding.consumer import (
    dead_letters,
    outbox_status,
    replay,
)
from airflow_lineage_provider.forwarding.forwarder import Forwarder, RetryPolicy
from airflow_lineage_provider.forwarding.targets import configured_targets, open_target
from tests.support.forwarding import POLICY, by_run, fill, status
from tests.support.samples import run_event


def test_all_events_arrive_once_and_in_the_order_of_their_run(store, backend, forwarder):
    fill(store, runs=20, events=5)

    assert forwarder.drain().sent == 100

    assert by_run(backend.received) == by_run(store.events())
    assert (status(store).pending, status(store).error) == (0, "")
    assert forwarder.drain().sent == 0


@pytest.mark.parametrize("answer", ["hang", "garbage", "half", "cut", 401, 404, 429, 500, 502, 503, 302])
def test_a_failing_backend_gets_every_event_after_a_pause(store, backend, forwarder, clock, answer):
    backend.answer = lambda event: answer
    fill(store)

    for _ in range(10):
        assert forwarder.drain().sent == 0
        clock.now += 1

    now = status(store)
    assert (now.pending, now.dead_letters) == (12, 0)
    assert "127.0.0.1" in now.error
    assert now.error_since

    backend.answer = lambda event: 201
    forwarder.drain()
    clock.now += 1
    forwarder.drain()
    assert by_run(backend.received) == by_run(store.events())
    assert (status(store).pending, status(store).error) == (0, "")


def test_a_backend_that_refuses_connections_is_named(store, clock):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    fill(store)
    target = open_target({"type": "http", "url": f"http://user:secret@127.0.0.1:{port}"})
    forwarder = Forwarder(store, "marquez", target, POLICY, clock)

    done = forwarder.round()

    assert "refused" in done.error
    assert f"127.0.0.1:{port}" in done.error
    assert "secret" not in done.error
    assert done.wait > 0


def test_an_unresolvable_host_is_named(store, clock):
    fill(store)
    target = open_target({"type": "http", "url": "http://no-such-host.invalid", "timeout": 2})

    assert "no-such-host.invalid" in Forwarder(store, "marquez", target, POLICY, clock).round().error


def test_an_open_circuit_sends_a_single_probe(store, backend, forwarder, clock):
    fill(store, runs=50)
    backend.answer = lambda event: 503
    forwarder.round()
    before = backend.requests

    forwarder.round()
    assert backend.requests == before
    clock.now += 1
    forwarder.round()
    assert backend.requests == before + 1


def test_retry_after_is_respected(store, backend, forwarder):
    fill(store)
    backend.answer, backend.headers = lambda event: 429, {"Retry-After": "7"}

    assert forwarder.round().wait == pytest.approx(7)


def test_a_rejected_event_becomes_a_dead_letter_and_its_run_continues(store, backend, forwarder, clock):
    fill(store)
    backend.answer = lambda event: (
        422 if (event["run"]["runId"], event["eventType"]) == ("run-1", "START") else 201
    )

    for _ in range(POLICY.tries):
        forwarder.drain()
        clock.now += 1
    forwarder.drain()

    assert len(backend.received) == 11
    (dead,) = dead_letters(store)
    assert (dead.target, dead.job, dead.event_type) == ("marquez", "dbt/silver.stg_orders", "START")
    assert "422" in dead.error
    assert (status(store).pending, status(store).dead_letters, status(store).error) == (0, 1, "")


def test_an_event_that_crashes_the_target_becomes_a_dead_letter_once_others_are_accepted(
    store, backend, forwarder, clock
):
    backend.answer = lambda event: 500 if event["run"]["runId"] == "run-0" else 201
    for n in range(6):
        store.append(run_event(f"run-{n}"))
        forwarder.drain()
        clock.now += 1
    forwarder.drain()

    assert len(backend.received) == 5
    assert [dead.event_id for dead in dead_letters(store)] == [1]


def test_an_event_that_hangs_delays_its_own_run_only(store, backend, forwarder, clock):
    backend.answer = lambda event: "hang" if event["run"]["runId"] == "run-0" else 201
    fill(store, runs=10, events=3)

    for _ in range(3):
        done = forwarder.drain()
        clock.now += 1

    assert (done.trouble, len(backend.received)) == ("target", 27)
    assert "127.0.0.1" in done.error
    assert (status(store).pending, status(store).dead_letters) == (30, 0)
    backend.answer = lambda event: 201
    forwarder.drain()
    assert by_run(backend.received) == by_run(store.events())


def test_the_status_names_the_event_that_blocks(store, backend, forwarder, clock):
    fill(store, runs=2, events=2)

    backend.answer = lambda event: 422 if event["run"]["runId"] == "run-0" else 201
    refused = forwarder.drain()
    assert (refused.sent, refused.trouble) == (2, "event")
    assert refused.error.endswith("answered 422, to START of dbt/silver.stg_orders")

    backend.answer = lambda event: 503
    clock.now += 1
    assert forwarder.drain().trouble == "target"

    backend.answer = lambda event: 201
    clock.now += 1
    done = forwarder.drain()
    assert (done.sent, done.trouble, done.error) == (2, "", "")


def test_an_outage_that_answers_500_makes_no_dead_letter_however_long_it_is(store, backend, forwarder, clock):
    fill(store, runs=20)
    backend.answer = lambda event: 500
    for _ in range(100):
        forwarder.drain()
        clock.now += 60
    assert (status(store).pending, status(store).dead_letters) == (80, 0)

    backend.answer = lambda event: 201
    forwarder.drain()
    forwarder.drain()
    assert by_run(backend.received) == by_run(store.events())


def test_a_last_event_that_crashes_the_target_is_settled_by_the_next_events(store, backend, forwarder, clock):
    backend.answer = lambda event: 500 if event["run"]["runId"] == "poison" else 201
    store.append([run_event("run-0"), run_event("poison", name="silver.broken")])
    for _ in range(20):
        forwarder.drain()
        clock.now += 60
    assert status(store).dead_letters == 0
    assert status(store).error.endswith("answered 500, to START of dbt/silver.broken")

    for n in range(POLICY.tries):
        store.append(run_event(f"next-day-{n}"))
        forwarder.drain()
        forwarder.drain()
        clock.now += 60

    assert len(backend.received) == 1 + POLICY.tries
    assert [dead.job for dead in dead_letters(store)] == ["dbt/silver.broken"]
    assert (status(store).pending, status(store).error) == (0, "")


@pytest.mark.parametrize("answer", [400, 413, 422, 500])
@pytest.mark.parametrize("accepted_before", [0, 1, 12])
def test_a_target_that_rejects_everything_is_down(store, backend, forwarder, clock, answer, accepted_before):
    """It makes one dead letter at most, and none before it has accepted anything."""
    store.append([run_event(f"before-{n}") for n in range(accepted_before)])
    forwarder.drain()
    backend.answer = lambda event: answer
    for day in range(30):
        fill(store, runs=5, events=2 + day % 3)
        forwarder.drain()
        clock.now += 60
    assert status(store).dead_letters <= bool(accepted_before)
    assert f"answered {answer}" in status(store).error

    backend.answer = lambda event: 201
    for _ in range(3):
        forwarder.drain()
        replay(store, "marquez")
        clock.now += 60
    received = by_run(backend.received)
    for run, times in by_run(store.events()).items():
        assert received[run][-len(times) :] == times


def test_a_target_that_starts_to_reject_a_single_run_makes_one_dead_letter_at_most(
    store, backend, forwarder, clock
):
    fill(store, runs=1)
    backend.answer = lambda event: 201 if event["eventType"] == "START" else 413
    for _ in range(30):
        forwarder.drain()
        clock.now += 60
    assert (status(store).pending, status(store).dead_letters) == (2, 1)


def rejects(run, kind):
    return lambda event: 422 if (event["run"]["runId"], event["eventType"]) == (run, kind) else 201


@pytest.fixture
def with_dead_start(store, backend, forwarder, clock):
    """The START of one run of three is a dead letter; the rest of its run was accepted."""
    fill(store)
    backend.answer = rejects("run-1", "START")
    for _ in range(10):
        forwarder.drain()
        clock.now += 1
    assert [event.event_type for event in dead_letters(store)] == ["START"]
    backend.answer = lambda event: 201
    backend.received.clear()


def test_a_replay_sends_the_run_again_in_its_order(store, backend, forwarder, with_dead_start):
    assert replay(store, "marquez") == 1
    assert forwarder.drain().sent == 4

    assert by_run(backend.received) == {"run-1": by_run(store.events())["run-1"]}
    assert dead_letters(store) == []


@pytest.mark.usefixtures("with_dead_start")
def test_a_replay_is_sent_before_newer_events(store, backend, forwarder, clock):
    """Also with more events to replay than one round reads."""
    for n in range(30):
        store.append(run_event("run-1", "RUNNING", at=f"2026-11-22T07:29:{n:02}Z"))
    forwarder.close()
    small = RetryPolicy(tries=3, first_wait=0.01, longest_wait=0.02, poll=0.01, batch=5)
    other = Forwarder(store, "marquez", open_target(backend.target), small, clock)
    backend.answer = lambda event: 503
    replay(store, "marquez")
    other.drain()
    other.close()

    backend.answer = lambda event: 201
    after = Forwarder(store, "marquez", open_target(backend.target), small, clock)
    after.drain()
    after.close()

    assert by_run(backend.received)["run-1"] == by_run(store.events())["run-1"]
    assert dead_letters(store) == []


def test_a_dead_letter_that_is_rejected_again_stays_one(store, backend, forwarder, clock, with_dead_start):
    backend.answer = rejects("run-1", "START")
    replay(store, "marquez")
    for n in range(10):
        store.append(run_event(f"next-{n}"))
        forwarder.drain()
        clock.now += 1

    assert [(event.event_type, event.replay) for event in dead_letters(store)] == [("START", False)]
    assert status(store).pending == 0


def test_targets_do_not_wait_for_each_other(store, backend, forwarder, clock, tmp_path):
    fill(store)
    backend.answer = lambda event: 503
    forwarder.drain()
    file = tmp_path / "events.jsonl"
    other = Forwarder(
        store, "file", open_target({"type": "file", "log_file_path": str(file), "append": True})
    )

    assert other.drain().sent == 12

    assert [(now.target, now.pending) for now in outbox_status(store)] == [("file", 0), ("marquez", 12)]
    assert len(file.read_text().splitlines()) == 12
    other.close()


@pytest.mark.parametrize(
    ("transport", "names"),
    [
        ("", []),
        ('{"type": "x", "store": "y"}', []),
        ('{"forward": {"type": "http", "url": "http://m"}}', ["http"]),
        (
            '{"forward": {"marquez": {"type": "http", "url": "http://m"}, "file": {"type": "file"}}}',
            ["marquez", "file"],
        ),
    ],
)
def test_targets_are_configured_under_forward(transport, names):
    assert list(configured_targets(transport)) == names
