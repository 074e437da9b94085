"""Read what a review shows from the place of the events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.checks.review import HISTORIES, Review, review

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.store.source import EventSource


def read_review(
    lineage_map: LineageMap,
    source: EventSource,
    *,
    now: dt.datetime,
    period: dt.timedelta,
    environment: str | None = None,
    revision: str = "",
) -> Review:
    """Return the review of a map over the period before `now`.

    A place that cannot be read makes the review incomplete, and is no error: the rest is still to be signed.
    """
    problems: list[str] = []
    return review(
        lineage_map,
        _events(source, problems),
        {kind: _reports(source, kind, lineage_map, problems) for kind in HISTORIES},
        today=now.date(),
        since=(now - period).date(),
        environment=environment,
        revision=revision,
        problems=problems,
    )


def report_subject(lineage_map: LineageMap) -> str:
    """Return what the reports in the event store are about: the pipeline of the map."""
    content = lineage_map.content
    return content.pipeline.dag_id or content.document.scope or content.document.title


def _events(source: EventSource, problems: list[str]) -> Iterator[dict[str, Any]]:
    from airflow_lineage_provider.store.errors import EventSourceError

    try:
        yield from source.events()
    except EventSourceError as error:
        problems.append(f"the events could not be read: {error}")


def _reports(
    source: EventSource, kind: str, lineage_map: LineageMap, problems: list[str]
) -> Sequence[dict[str, Any]]:
    from airflow_lineage_provider.store.errors import StoreError
    from airflow_lineage_provider.store.reports import reports
    from airflow_lineage_provider.store.store import EventStore

    if not isinstance(source, EventStore):
        problems.append(f"the history of {kind} is only in an event store")
        return ()
    try:
        return reports(source, kind, report_subject(lineage_map), last=1000)
    except StoreError as error:
        problems.append(f"the history of {kind} could not be read: {error}")
        return ()
