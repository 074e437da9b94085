"""Where a task reads events back from: a connection, or a location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.hooks.openlineage import OpenLineageHook

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_lineage_provider.store.source import EventSource


def open_source(name: str | None, *, since: datetime | None = None) -> EventSource:
    """Return the events' source that is named; it reads nothing of files and of Marquez before `since`.

    A name with a slash is a location: the path or URL of files that OpenLineage wrote, or of an event store.
    Any other is a connection: of type `lineage_store`, or `openlineage` for Marquez. None is the event store
    that `[airflow_lineage] store` names. Raises AirflowNotFoundException for a connection that is not there,
    ValueError for one of another type.
    """
    from airflow_lineage_provider.store import sources

    if name is None:
        return EventStoreHook().get_conn()
    if "/" in name:
        return sources.open_source(name, since=since)
    conn_type = BaseHook.get_connection(name).conn_type
    if conn_type == EventStoreHook.conn_type:
        return EventStoreHook(name).get_conn()
    if conn_type == OpenLineageHook.conn_type:
        return OpenLineageHook(name).get_source(since)
    raise ValueError(
        f"connection {name!r} is of type {conn_type!r}, which no events are read from; use one of type "
        f"{EventStoreHook.conn_type} or {OpenLineageHook.conn_type}, or the path of files"
    )
