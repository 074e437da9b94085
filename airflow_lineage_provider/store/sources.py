"""Opens the place that a location names: the event store, files that OpenLineage wrote, or Marquez."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from airflow_lineage_provider.store.source import EventSource


def open_source(location: str, *, api_key: str = "", since: datetime | None = None) -> EventSource:
    """Return the source at a location. Raises EventSourceError.

    `http(s)://` is Marquez; `*.db`, `sqlite:` and `postgresql:` the event store; anything else a file, a
    folder, or a prefix of file names, local or by fsspec (`s3://...`).

    `api_key` is for Marquez. `since` limits what is read from files and from Marquez to newer events; the
    store needs no limit, because it finds a run by an index.
    """
    if location.startswith(("http://", "https://")):
        from airflow_lineage_provider.store.marquez import MarquezSource

        return MarquezSource(location, api_key=api_key, since=since)
    if location.startswith(("sqlite:", "postgres")) or location.endswith(".db"):
        from airflow_lineage_provider.store.store import EventStore

        return EventStore(location)
    from airflow_lineage_provider.store.files import FileSource

    return FileSource(location, since=since)


def events_since(source: EventSource, since: datetime) -> Iterator[dict[str, Any]]:
    """Yield the events of a time or later; the store finds them by an index. Raises EventSourceError."""
    from airflow_lineage_provider.events.event import event_time
    from airflow_lineage_provider.store.store import EventStore

    if isinstance(source, EventStore):
        yield from source.events(since=since)
    else:
        yield from (event for event in source.events() if event_time(event) >= since)
