"""Reading events back: from the event store, from files that OpenLineage wrote, or from Marquez."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from airflow_lineage_provider.events.event import parent_and_root, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime


class EventSource(Protocol):
    """Something that events can be read from; `EventStore` is one. All methods raise StoreError."""

    def events(
        self, *, root_run_id: str | None = None, job_namespace: str | None = None, job_name: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the events that meet every condition, the oldest first."""

    def latest_root_run(self) -> str | None:
        """Return the id of the root run that the newest event belongs to."""

    def close(self) -> None:
        """Free what is held between two readings. The source can be used again."""


def open_source(location: str, *, api_key: str = "", since: datetime | None = None) -> EventSource:
    """Return what a location names.

    `http(s)://` is Marquez; `*.db`, `sqlite:` and `postgresql:` the event store; anything else a
    file, a folder, or the beginning of several files' names, local or by fsspec (`s3://...`).

    `api_key` is Marquez's. `since` bounds what is read of files and of Marquez: nothing older is wanted.
    The store needs no such bound, it finds a run by an index.
    """
    if location.startswith(("http://", "https://")):
        from airflow_lineage_provider.store.marquez import MarquezSource

        return MarquezSource(location, api_key=api_key, since=since)
    if location.startswith(("sqlite:", "postgres")) or location.endswith(".db"):
        from airflow_lineage_provider.store.store import EventStore

        return EventStore(location)
    from airflow_lineage_provider.store.files import FileSource

    return FileSource(location, since=since)


def matching(
    events: Iterable[dict[str, Any]],
    root_run_id: str | None,
    job_namespace: str | None,
    job_name: str | None,
) -> Iterator[dict[str, Any]]:
    """Yield the events that meet every condition that is given."""
    for event in events:
        found = (parent_and_root(event)[1], text_at(event, "job", "namespace"), text_at(event, "job", "name"))
        wanted = (root_run_id, job_namespace, job_name)
        if all(want is None or want == has for want, has in zip(wanted, found, strict=True)):
            yield event
