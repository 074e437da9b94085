"""Opens the place that a location names: the event store, files that OpenLineage wrote, or Marquez."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
