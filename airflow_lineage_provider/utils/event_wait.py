"""Whether the events that a validation needs have come."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.checks.scope import expected_datasets
from airflow_lineage_provider.events.event import END_TYPES, event_time, parent_and_root, text_at
from airflow_lineage_provider.lineage_map import Bindings, bindings_of, parse_map
from airflow_lineage_provider.store import EventSourceError
from airflow_lineage_provider.utils.dag_run import events_under
from airflow_lineage_provider.utils.event_source import open_source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow_lineage_provider.lineage_map import LineageMap

QUIET = timedelta(seconds=5)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a validation waits for; its fields are plain values, so that a trigger can carry them.

    The map travels as text, because the triggerer need not have the DAG's files.
    """

    source: str | None
    """Where the events are, as `utils.event_source.open_source` takes it."""
    since: str | None
    """ISO 8601. No awaited event is older; None where that is not known."""
    root_run_ids: list[str]
    above: list[str]
    """The runs that cannot end before the validation does: the DAG's, and its own."""
    map_text: str
    map_file: str
    environment: str | None
    scope: list[str] | None
    deadline: str
    """ISO 8601, in UTC. After it the comparison is made with what there is."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The datasets that the map expects of the run, and what finds them by their physical names."""

    datasets: frozenset[str]
    bindings: Bindings


class Wait:
    """Looks for the awaited events, again and again: what does not change in between is made once.

    Raises ValueError for a map that cannot be read, or a source that events cannot be read from.
    """

    def __init__(self, awaited: Awaited) -> None:
        self.awaited = awaited
        self.lineage_map = parse_map(awaited.map_text, awaited.map_file)
        self._expected = expected(self.lineage_map, awaited)
        self._deadline = datetime.fromisoformat(awaited.deadline)
        since = datetime.fromisoformat(awaited.since) if awaited.since else None
        self._source = open_source(awaited.source, since=since)

    def is_over(self, now: datetime | None = None) -> bool:
        """Tell whether to compare now: the events have come, or the time is up.

        A source that does not answer now is asked again at the next look. Raises EventSourceError for one
        that cannot answer.
        """
        now = now or datetime.now(UTC)
        if now >= self._deadline:
            return True
        try:
            events = self.events()
        except EventSourceError as error:
            if not error.unreachable:
                raise
            log.warning("%s; looking again until %s", error, self.awaited.deadline)
            return False
        return arrived(self.awaited, self._expected, events, now)

    def events(self) -> list[dict[str, Any]]:
        """Return what there is of the run. Raises EventSourceError."""
        with closing(self._source) as source:
            return list(events_under(self.awaited.root_run_ids, source))


def expected(lineage_map: LineageMap, awaited: Awaited) -> Expected:
    """Return what the map expects of this run. Raises MapError and ValueError, as the validation does."""
    datasets = expected_datasets(lineage_map, awaited.scope, awaited.environment)
    return Expected(frozenset(datasets), bindings_of(lineage_map, awaited.environment))


def arrived(awaited: Awaited, wanted: Expected, events: Collection[Mapping[str, Any]], now: datetime) -> bool:
    """Tell whether all that is expected is there, or nothing more will come.

    Nothing more will come when every run that began in this DAG run has ended and the last event is some
    seconds old. Airflow's own COMPLETE of a task comes after the task is reported a success, so that a run
    may still look open when the validation begins.
    """
    if wanted.datasets <= _written(events, wanted.bindings):
        return True
    present = (event for event in events if parent_and_root(event)[1] == awaited.root_run_ids[-1])
    latest = max(map(event_time, events), default=now)
    return open_runs(present) <= set(awaited.above) and now - latest > QUIET


def open_runs(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of the runs that began and have not ended; nothing that comes after an end counts."""
    begun: set[str] = set()
    ended: set[str] = set()
    for event in events:
        if run_id := text_at(event, "run", "runId"):
            (ended if _is_end(event) else begun).add(run_id)
    return begun - ended


def _written(events: Iterable[Mapping[str, Any]], bindings: Bindings) -> set[str | None]:
    return {
        bindings.logical(text_at(output, "namespace"), text_at(output, "name"))
        for event in events
        if _is_end(event)
        for output in event.get("outputs") or ()
    }


def _is_end(event: Mapping[str, Any]) -> bool:
    return text_at(event, "eventType").upper() in END_TYPES
