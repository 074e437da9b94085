"""Processes that a test kills: one that fills a store, and one that forwards it."""

import threading

from airflow_lineage_provider.forwarding.forwarder import Forwarder, RetryPolicy
from airflow_lineage_provider.forwarding.targets import open_target
from airflow_lineage_provider.store import EventStore
from tests.support.samples import run_event


def write(location, run, count, committed):
    """Append events of one run; send the number of each to `committed` once it is committed."""
    store = EventStore(location)
    for n in range(count):
        store.append(run_event(run, "RUNNING", at=f"2026-11-22T07:28:01.{n:06}Z"))
        committed.send(n)
    store.close()


def forward(location, url):
    """Forward a store's events until this process is killed."""
    target = open_target({"type": "http", "url": url})
    forwarder = Forwarder(EventStore(location), "marquez", target, RetryPolicy(poll=0.01, batch=20))
    forwarder.run(threading.Event())
