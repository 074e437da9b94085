"""Batches: many events in one request, for a target that is configured to accept `/lineage/batch`."""

import json
import socket
import threading
from collections import Counter
from contextlib import contextmanager

import pytest

from airflow_lineage_provider.endpoint.receiver import bearer_token, create_app
from airflow_lineage_provider.forwarding.consumer import dead_letters, outbox_status
from airflow_lineage_provider.forwarding.forwarder import Forwarder, RetryPolicy
from airflow_lineage_provider.forwarding.target import TargetConfigError
from airflow_lineage_provider.forwarding.targets import open_target
from airflow_lineage_provider.store import EventStore
from tests.support.backend import running_backend
from tests.support.samples import run_event

POLICY = RetryPolicy(tries=2, first_wait=0.01, longest_wait=0.02, poll=0.01)
RUNS = 20


@pytest.fixture
def backend():
    with running_backend() as backend:
        backend.batches = "each"
        yield backend


@pytest.fixture
def filled(store):
    for kind in ("START", "COMPLETE"):
        store.append([run_event(f"run-{n}", kind) for n in range(RUNS)])
    return store


@pytest.fixture
def clock():
    return iter(range(0, 10_000, 60))


@pytest.fixture
def forwarder(filled, backend, clock):
    target = open_target({**backend.target, "batch": 50})
    forwarder = Forwarder(filled, "feast", target, POLICY, lambda: next(clock))
    yield forwarder
    forwarder.close()


def received(backend):
    return [(event["run"]["runId"], event["eventType"]) for event in backend.received]


def test_starts_are_sent_in_one_request_and_ends_in_the_next(backend, forwarder):
    assert forwarder.drain().sent == 2 * RUNS

    assert backend.paths == ["/api/v1/lineage/batch"] * 2
    kinds = [kind for _, kind in received(backend)]
    assert kinds == ["START"] * RUNS + ["COMPLETE"] * RUNS


@pytest.mark.parametrize("batches", ["each", "whole"])
@pytest.mark.parametrize("poison", [{0}, {19}, {3, 4, 11}, set(range(0, RUNS, 2)), set(range(1, RUNS))])
def test_invalid_events_become_dead_letters_and_the_others_arrive_once(
    filled, backend, forwarder, batches, poison
):
    wrong = {(f"run-{n}", "START") for n in poison}
    backend.batches = batches
    backend.answer = lambda event: 422 if (event["run"]["runId"], event["eventType"]) in wrong else 201

    for _ in range(2 * RUNS):
        forwarder.drain()

    assert {(dead.event_id - 1, dead.event_type) for dead in dead_letters(filled)} == {
        (n, "START") for n in poison
    }
    assert all("422" in dead.error for dead in dead_letters(filled))
    expected = {(f"run-{n}", kind) for n in range(RUNS) for kind in ("START", "COMPLETE")} - wrong
    assert Counter(received(backend)) == Counter(expected)
    assert outbox_status(filled)[0].pending == 0


@pytest.mark.parametrize("answer", [429, 503])
def test_a_batch_is_not_split_when_the_target_is_overloaded(filled, backend, forwarder, answer):
    backend.answer = lambda event: answer

    done = forwarder.drain()

    assert (backend.requests, done.sent, done.trouble) == (1, 0, "target")
    backend.answer = lambda event: 201
    assert forwarder.drain().sent == 2 * RUNS


def test_an_endpoint_without_batches_is_named(filled, backend, forwarder):
    backend.batches = None

    done = forwarder.drain()

    assert done.trouble == "target"
    advice = "if it accepts no batches, remove `batch` from its configuration"
    assert f"/api/v1/lineage/batch answered 404; {advice}" in done.error
    assert (outbox_status(filled)[0].pending, outbox_status(filled)[0].dead_letters) == (2 * RUNS, 0)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (b"<html>Log in</html>", "answered 200, but not as to a batch"),
        (b"\xff", "answered 200, but not as to a batch"),
        (b"[]", "answered 200, but not as to a batch"),
        (b'{"status": "partial_success"}', "answered 200, but not as to a batch"),
        (b'{"summary": {"failed": 1}}', "rejected 1 events and did not say which"),
        (b'{"summary": {"failed": 1}, "failed_events": [{"index": 50}]}', "did not say which"),
        (b'{"summary": {"failed": 1}, "failed_events": [{"index": -1}]}', "did not say which"),
    ],
)
def test_a_response_without_counts_does_not_confirm_a_batch(filled, backend, forwarder, report, said):
    backend.batches = report

    done = forwarder.drain()

    assert (done.sent, done.trouble) == (0, "target")
    assert said in done.error
    assert outbox_status(filled)[0].dead_letters == 0


def test_retriable_events_are_no_dead_letters_while_nothing_is_accepted(filled, backend, forwarder):
    refused = [{"index": n, "reason": "Timeout", "retriable": True} for n in range(RUNS)]
    backend.batches = json.dumps({"summary": {"failed": RUNS}, "failed_events": refused}).encode()

    done = forwarder.drain()

    assert (done.sent, done.trouble) == (0, "target")
    assert done.error.endswith("Timeout, to START of dbt/silver.stg_orders")
    assert outbox_status(filled)[0].dead_letters == 0


@pytest.mark.parametrize("batch", [0, -1, "many", 1.5, True])
def test_a_batch_size_that_is_not_a_number_is_reported(batch):
    with pytest.raises(TargetConfigError, match="its `batch` is not a number of events"):
        open_target({"type": "http", "url": "http://marquez", "batch": batch})


def test_our_own_endpoint_accepts_batches(store, tmp_path, clock):
    """It rejects a batch for one invalid event; the forwarder finds the event and sends the others."""
    runs = [f"01890000-0000-7000-8000-{n:012}" for n in range(RUNS)]
    for kind in ("START", "COMPLETE"):
        store.append([run_event(run, kind) for run in runs])
    store.append(run_event(runs[7], "RUNNING", at="yesterday"))
    another = EventStore(str(tmp_path / "another.db"))
    with served(another) as url:
        config = {"type": "http", "url": url, "batch": 50, "auth": {"type": "api_key", "apiKey": "token"}}
        forwarder = Forwarder(store, "another", open_target(config), POLICY, lambda: next(clock))
        for _ in range(3):
            forwarder.drain()
        forwarder.close()

    (dead,) = dead_letters(store)
    assert "422" in dead.error
    assert "$.eventTime" in dead.error
    assert list(another.events()) == list(store.events())[: 2 * RUNS]


@contextmanager
def served(store):
    """Serve a store as `airflow-lineage serve` does."""
    import uvicorn

    app = create_app(store, bearer_token("token"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(30)
