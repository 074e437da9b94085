"""Stored events on to a backend that an Airflow connection names."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import BaseHook

from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.hooks.openlineage import DataHubHook, OpenLineageHook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.forwarding.forwarder import Forwarder, Round

HOOKS: Mapping[str, type[OpenLineageHook]] = {hook.conn_type: hook for hook in (OpenLineageHook, DataHubHook)}

log = logging.getLogger(__name__)

# A rejected event becomes a dead letter after this many tries within one call; the next call counts anew.
TRIES = 3
PATIENCE = 2.0  # seconds, with a backend that is down or another forwarder that is at work


def drain(conn_id: str, store_conn_id: str | None = None) -> dict[str, Any]:
    """Send a backend all that it has not got; return how many it took, how many it refused, and its error.

    Raises StoreError, and ValueError for a connection that is not there or is of no backend.
    """
    from airflow_lineage_provider.forwarding.forwarder import Forwarder, RetryPolicy
    from airflow_lineage_provider.forwarding.targets import open_target

    policy = RetryPolicy(tries=TRIES)
    try:
        transport = _transport(conn_id)
        events = EventStoreHook(store_conn_id).get_conn()
    except AirflowNotFoundException as error:
        raise ValueError(f"{error}; add the connection to Airflow, or name another") from None
    with closing(events) as store:
        target = open_target(transport)
        with closing(Forwarder(store, conn_id, target, policy)) as forwarder:
            return _drain_patiently(forwarder, conn_id)


def _transport(conn_id: str) -> dict[str, Any]:
    conn_type = BaseHook.get_connection(conn_id).conn_type or ""
    if conn_type not in HOOKS:
        raise ValueError(
            f"connection {conn_id!r} is of type {conn_type!r}, which takes no events; use {', '.join(HOOKS)}"
        )
    return HOOKS[conn_type](conn_id).get_transport()


def _drain_patiently(forwarder: Forwarder, conn_id: str) -> dict[str, Any]:
    """Drain, and again: an event that is refused gets all its tries, a target in trouble a moment."""

    def progress(done: Round) -> None:
        log.info("%s took %s events so far", conn_id, sent + done.sent)

    sent = dead = 0
    patience = PATIENCE
    while True:
        done = forwarder.drain(progress)
        sent, dead = sent + done.sent, dead + done.dead_letters
        if done.trouble != "event":
            patience -= done.wait
        if not done.trouble or patience < 0:
            return {"sent": sent, "dead_letters": dead, "error": done.error}
        time.sleep(done.wait)
