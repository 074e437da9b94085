"""Wait until the events that a validation needs are there."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.checks.scope import expected_datasets
from airflow_lineage_provider.events.event import event_time, is_end, text_at
from airflow_lineage_provider.lineage_map import Bindings, Included, MapSource, bindings_of, parse_source
from airflow_lineage_provider.reports.escape import one_line
from airflow_lineage_provider.store import EventSourceError
from airflow_lineage_provider.utils.dag_run import DagRunIds
from airflow_lineage_provider.utils.dag_run_events import DagRunEvents, read_dag_run
from airflow_lineage_provider.utils.event_source import event_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_lineage_provider.lineage_map import LineageMap

QUIET_PERIOD = timedelta(seconds=5)
"""How old the last event must be before a run without open runs counts as complete."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventWaitConfig:
    """What a validation waits for, as plain values, so that a trigger can be serialized with them.

    The map is passed as text, because the triggerer may not have the DAG's files.
    """

    source: str | None
    """The event source, as `utils.event_source.event_source` takes it."""
    since: str | None
    """ISO 8601; a lower bound of the events' times, None if unknown."""
    dag_runs: list[dict[str, Any]]
    """The fields of the `DagRunIds` of each DAG run whose events are read."""
    enclosing_run_ids: list[str]
    """The runs that cannot end before the validation: that of the DAG, and that of its task."""
    map_text: str
    map_file: str
    map_included: list[dict[str, str]]
    """The fields of the `Included` of each file that the map includes."""
    environment: str | None
    scope: list[str] | None
    deadline: str
    """ISO 8601, in UTC. After it, the events that are there are compared."""


@dataclass(frozen=True, slots=True)
class ExpectedDatasets:
    """The datasets that the map expects of the run, and the bindings to find them by physical name."""

    names: frozenset[str]
    bindings: Bindings


class EventWait:
    """Polls for the events; the parsed map and the source are kept between two polls.

    Raises LineageError for a map or a source that cannot be read.
    """

    def __init__(self, config: EventWaitConfig) -> None:
        self.config = config
        included = tuple(Included(**one) for one in config.map_included)
        self.lineage_map = parse_source(MapSource(config.map_file, config.map_text, included))
        self._expected = expected_of_run(self.lineage_map, config)
        self._dag_runs = [DagRunIds(tuple(run["own"]), tuple(run["roots"])) for run in config.dag_runs]
        self._deadline = datetime.fromisoformat(config.deadline)
        since = datetime.fromisoformat(config.since) if config.since else None
        self._source = event_source(config.source, since=since)

    def is_over(self, now: datetime | None = None) -> bool:
        """Return whether to compare now: the events are complete, or the deadline has passed.

        An unreachable source is asked again at the next poke. Any other error is an EventSourceError.
        """
        now = now or datetime.now(UTC)
        if now >= self._deadline:
            return True
        try:
            runs = self._read()
        except EventSourceError as error:
            if not error.unreachable:
                raise
            log.warning("%s; retrying until %s", one_line(str(error)), self.config.deadline)
            return False
        return events_complete(self.config, self._expected, runs, now)

    def events(self) -> list[Mapping[str, Any]]:
        """Return the events of the DAG runs that are there now. Raises EventSourceError."""
        return [event for run in self._read() for event in run.events]

    def _read(self) -> list[DagRunEvents]:
        with closing(self._source) as source:
            return [read_dag_run(ids, source) for ids in self._dag_runs]


def expected_of_run(lineage_map: LineageMap, config: EventWaitConfig) -> ExpectedDatasets:
    """Return the datasets that the map expects of this run. Raises LineageError, as the validation does."""
    datasets = expected_datasets(lineage_map, config.scope, config.environment)
    return ExpectedDatasets(frozenset(datasets), bindings_of(lineage_map, config.environment))


def events_complete(
    config: EventWaitConfig,
    expected: ExpectedDatasets,
    runs: Sequence[DagRunEvents],
    now: datetime,
) -> bool:
    """Return whether every expected dataset was written, or no more events are to be expected.

    None are to be expected when every run that began in this DAG run has ended and the last event is older
    than QUIET_PERIOD: Airflow sends the COMPLETE of a task after it has set the task to success, so a run
    may still look open when the validation starts.
    """
    events = [event for run in runs for event in run.events]
    if expected.names <= _written(events, expected.bindings):
        return True
    current = (
        event for run in runs for event in run.events if text_at(event, "run", "runId") in run.current_run_ids
    )
    latest = max(map(event_time, events), default=now)
    return open_runs(current) <= set(config.enclosing_run_ids) and now - latest > QUIET_PERIOD


def open_runs(events: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of the runs that began and have not ended; events after an end do not reopen a run."""
    begun: set[str] = set()
    ended: set[str] = set()
    for event in events:
        if run_id := text_at(event, "run", "runId"):
            (ended if is_end(event) else begun).add(run_id)
    return begun - ended


def _written(events: Iterable[Mapping[str, Any]], bindings: Bindings) -> set[str | None]:
    return {
        bindings.logical(text_at(output, "namespace"), text_at(output, "name"))
        for event in events
        if is_end(event)
        for output in event.get("outputs") or ()
    }
