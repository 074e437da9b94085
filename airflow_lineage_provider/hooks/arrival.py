"""Whether the events that a validation needs have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.delivery.store import ENDS
from airflow_lineage_provider.hooks.dag_run import events_under
from airflow_lineage_provider.lineage_map import bindings_of, parse_map
from airflow_lineage_provider.readers.validation import expected_datasets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.delivery.store import EventStore

QUIET = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a validation waits for; its fields are plain values, so that a trigger can carry them.

    The map travels as text, because the triggerer need not have the DAG's files.
    """

    root_run_ids: list[str]
    above: list[str]
    """The runs that cannot end before the validation does: the DAG's, and its own."""
    map_text: str
    map_file: str
    environment: str | None
    scope: list[str] | None
    deadline: str
    """ISO 8601, in UTC. After it the comparison is made with what there is."""


def arrived(awaited: Awaited, store: EventStore, now: datetime | None = None) -> bool:
    """Tell whether to compare now: all that is expected is there, nothing more will come, or time is up.

    Nothing more will come when every run that began in this DAG run has ended and the last event is some
    seconds old. Airflow's own COMPLETE of a task comes after the task is reported a success, so that a run
    may still look open when the validation begins.
    """
    now = now or datetime.now(UTC)
    if now >= datetime.fromisoformat(awaited.deadline):
        return True
    events = list(events_under(awaited.root_run_ids, store))
    if not _missing(awaited, events):
        return True
    states = store.run_states(awaited.root_run_ids[-1])
    beside = (state for run_id, state in states.items() if run_id not in awaited.above)
    return all(run.state in ENDS for run in beside) and now - _latest(events, now) > QUIET


def _missing(awaited: Awaited, events: Iterable[Mapping[str, Any]]) -> set[str]:
    lineage_map = parse_map(awaited.map_text, awaited.map_file)
    bindings = bindings_of(lineage_map, awaited.environment)
    made = {
        bindings.logical(output["namespace"], output["name"])
        for event in events
        if event.get("eventType") in ENDS
        for output in event.get("outputs") or ()
    }
    return set(expected_datasets(lineage_map, awaited.scope, awaited.environment)) - made


def _latest(events: Iterable[Mapping[str, Any]], now: datetime) -> datetime:
    times = (datetime.fromisoformat(str(event["eventTime"])) for event in events)
    return max(times, default=now)
