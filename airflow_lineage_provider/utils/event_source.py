"""Open the event source that an operator's argument names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.hooks.openlineage import OpenLineageHook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.store.source import EventSource


def event_source(name: str | None, *, since: datetime | None = None) -> EventSource:
    """Return the event source that `name` names.

    A name with a slash is a location: the path or URL of files that OpenLineage wrote, or of an event store.
    Any other name is a connection of type `lineage_store`, or of type `openlineage` for Marquez. None means
    the event store of `[airflow_lineage] store`. Files and Marquez are read from `since` on.

    Raises AirflowNotFoundException for an unknown connection, InputError for one of another type.
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
    raise InputError(
        f"connection {name!r} is of type {conn_type!r}, from which no events can be read; use one of type "
        f"{EventStoreHook.conn_type} or {OpenLineageHook.conn_type}, or the path of files"
    )


def recent_events(name: str | None, days: int) -> Iterator[dict[str, Any]]:
    """Yield the events of the last days from the source that `name` names; none for 0 days.

    Raises as `event_source`, and EventSourceError.
    """
    from airflow_lineage_provider.store.sources import events_since

    if not days:
        return
    since = datetime.now(UTC) - timedelta(days=days)
    source = event_source(name, since=since)
    try:
        yield from events_since(source, since)
    finally:
        source.close()
