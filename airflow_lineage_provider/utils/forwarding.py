"""Forward stored events to the backend that an Airflow connection names."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import BaseHook

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.hooks.openlineage import DataHubHook, OpenLineageHook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.forwarding.forwarder import Forwarder, Round

HOOKS: Mapping[str, type[OpenLineageHook]] = {hook.conn_type: hook for hook in (OpenLineageHook, DataHubHook)}

log = logging.getLogger(__name__)

TRIES = 3
"""Attempts at an event that the backend rejects, within one call; after them it becomes a dead letter."""
MAX_WAIT_SECONDS = 2.0
"""How long one call waits in total for a backend that is down, or for another forwarder's lease."""


def drain(conn_id: str, store_conn_id: str | None = None) -> dict[str, Any]:
    """Send a backend every event that it has not received.

    Returns `sent`, the number of events that the backend accepted; `dead_letters`, the number that it
    rejected; and `error`, why it stopped early, or "". Raises StoreError, and InputError for a connection
    that does not exist or names no backend.
    """
    from airflow_lineage_provider.forwarding.forwarder import Forwarder, RetryPolicy
    from airflow_lineage_provider.forwarding.targets import open_target

    policy = RetryPolicy(tries=TRIES)
    try:
        transport = _transport(conn_id)
        events = EventStoreHook(store_conn_id).get_conn()
    except AirflowNotFoundException as error:
        raise InputError(f"{error}; add the connection to Airflow, or name another") from None
    with closing(events) as store:
        target = open_target(transport)
        with closing(Forwarder(store, conn_id, target, policy)) as forwarder:
            return _drain_patiently(forwarder, conn_id)


def _transport(conn_id: str) -> dict[str, Any]:
    conn_type = BaseHook.get_connection(conn_id).conn_type or ""
    if conn_type not in HOOKS:
        raise InputError(
            f"connection {conn_id!r} is of type {conn_type!r}, which names no lineage backend; "
            f"use one of type {' or '.join(HOOKS)}"
        )
    return HOOKS[conn_type](conn_id).get_transport()


def _drain_patiently(forwarder: Forwarder, conn_id: str) -> dict[str, Any]:
    """Drain until nothing is left, every rejected event has had its tries, or MAX_WAIT_SECONDS are over."""

    def progress(done: Round) -> None:
        log.info("%s accepted %s events so far", conn_id, sent + done.sent)

    sent = dead = 0
    wait_left = MAX_WAIT_SECONDS
    while True:
        done = forwarder.drain(progress)
        sent, dead = sent + done.sent, dead + done.dead_letters
        if done.trouble != "event":
            wait_left -= done.wait
        if not done.trouble or wait_left < 0:
            return {"sent": sent, "dead_letters": dead, "error": done.error}
        time.sleep(done.wait)
