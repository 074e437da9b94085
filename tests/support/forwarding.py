"""What the tests of forwarding share: events to forward, time that stands still, what arrived."""

import time
from collections import defaultdict

from airflow_lineage_provider.forwarding.consumer import outbox_status
from airflow_lineage_provider.forwarding.forwarder import RetryPolicy

from .samples import run_event

POLICY = RetryPolicy(tries=3, first_wait=0.01, longest_wait=0.02, poll=0.01)


class Clock:
    """Time that passes when the test says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def fill(store, runs=3, events=4):
    kinds = ["START", *["RUNNING"] * (events - 2), "COMPLETE"]
    for number, kind in enumerate(kinds):
        for run in range(runs):
            store.append(run_event(f"run-{run}", kind, at=f"2026-11-22T07:28:{number:02}Z"))


def by_run(events):
    runs = defaultdict(list)
    for event in events:
        runs[event["run"]["runId"]].append(event["eventTime"])
    return dict(runs)


def status(store):
    (found,) = outbox_status(store)
    return found


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
