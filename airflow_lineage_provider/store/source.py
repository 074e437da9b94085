"""What every place that events are read from can do: the event store, files, Marquez."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from airflow_lineage_provider.events.event import parent_and_root, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class EventSource(Protocol):
    """A place that events are read from; `EventStore` is one. All methods raise EventSourceError."""

    def events(
        self, *, root_run_id: str | None = None, job_namespace: str | None = None, job_name: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the events that meet every condition, the oldest first."""

    def latest_root_run(self) -> str | None:
        """Return the id of the root run that the newest event belongs to."""

    def close(self) -> None:
        """Release connections. The source can be used again."""


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
