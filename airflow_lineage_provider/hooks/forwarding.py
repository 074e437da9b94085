"""Stored events on to a backend that an Airflow connection names."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.hooks.openlineage import DataHubHook, OpenLineageHook

if TYPE_CHECKING:
    from collections.abc import Mapping

HOOKS: Mapping[str, type[OpenLineageHook]] = {hook.conn_type: hook for hook in (OpenLineageHook, DataHubHook)}


def drain(conn_id: str, store_conn_id: str | None = None) -> dict[str, Any]:
    """Send a backend all that it has not got; return how many it took, how many it refused, and its error.

    Raises StoreError, and ValueError for a connection that is of no backend.
    """
    from airflow_lineage_provider.delivery.forwarder import Forwarder, Policy
    from airflow_lineage_provider.delivery.targets import open_target

    conn_type = BaseHook.get_connection(conn_id).conn_type or ""
    if conn_type not in HOOKS:
        raise ValueError(
            f"connection {conn_id!r} is of type {conn_type!r}, which takes no events; use {', '.join(HOOKS)}"
        )
    target = open_target(HOOKS[conn_type](conn_id).get_transport(), threads=Policy().threads)
    forwarder = Forwarder(EventStoreHook(store_conn_id).get_conn(), conn_id, target)
    try:
        done = forwarder.drain()
    finally:
        forwarder.close()
    return asdict(done)
