"""Stored events on to a backend that an Airflow connection names."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.hooks.openlineage import DataHubHook, OpenLineageHook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.delivery.forwarder import Forwarder, Round

HOOKS: Mapping[str, type[OpenLineageHook]] = {hook.conn_type: hook for hook in (OpenLineageHook, DataHubHook)}

# An event that is refused is set aside after this many tries, within one call: the next call counts anew.
TRIES = 3
PATIENCE = 2.0  # seconds; more than these tries wait for each other


def drain(conn_id: str, store_conn_id: str | None = None) -> dict[str, Any]:
    """Send a backend all that it has not got; return how many it took, how many it refused, and its error.

    Raises StoreError, and ValueError for a connection that is not there or is of no backend.
    """
    from airflow_lineage_provider.delivery.forwarder import Forwarder, Policy
    from airflow_lineage_provider.delivery.targets import open_target

    policy = Policy(tries=TRIES)
    try:
        transport = _transport(conn_id)
        events = EventStoreHook(store_conn_id).get_conn()
    except AirflowNotFoundException as error:
        raise ValueError(f"{error}; add the connection to Airflow, or name another") from None
    with closing(events) as store:
        target = open_target(transport, threads=policy.threads)
        with closing(Forwarder(store, conn_id, target, policy)) as forwarder:
            return _drain_patiently(forwarder)


def _transport(conn_id: str) -> dict[str, Any]:
    conn_type = BaseHook.get_connection(conn_id).conn_type or ""
    if conn_type not in HOOKS:
        raise ValueError(
            f"connection {conn_id!r} is of type {conn_type!r}, which takes no events; use {', '.join(HOOKS)}"
        )
    return HOOKS[conn_type](conn_id).get_transport()


def _drain_patiently(forwarder: Forwarder) -> dict[str, Any]:
    """Drain, and again after a failure: it may be over in a moment, or be of one event that is refused."""
    rounds: list[Round] = [forwarder.drain()]
    patience = PATIENCE
    while rounds[-1].error and rounds[-1].wait <= patience:
        patience -= rounds[-1].wait
        time.sleep(rounds[-1].wait)
        rounds.append(forwarder.drain())
    return {
        "sent": sum(done.sent for done in rounds),
        "set_aside": sum(done.set_aside for done in rounds),
        "error": rounds[-1].error,
    }
