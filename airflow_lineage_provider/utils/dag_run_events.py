"""The events of a DAG run: those of its own tasks, and of the runs below them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.event import text_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_lineage_provider.store.source import EventSource
    from airflow_lineage_provider.utils.dag_run import DagRunIds

    Event = Mapping[str, Any]

PARENT = ("run", "facets", "parent")
AIRFLOW_FACETS = frozenset({"airflow", "airflowDagRun"})
Task = tuple[str, int | None]
"""The job name of a task, and the index of a mapped one."""


@dataclass(frozen=True, slots=True)
class DagRunEvents:
    """The events of one DAG run; of a task that was cleared, those of its last run only."""

    events: tuple[Event, ...]
    current_run_ids: frozenset[str]
    """The runs below the DAG run since a task of it was cleared last."""
    is_truncated: bool = False
    """Whether there are more events than were read."""


def read_dag_run(ids: DagRunIds, source: EventSource, limit: int | None = None) -> DagRunEvents:
    """Read the events of a DAG run, at most `limit` under each of its root runs. Raises EventSourceError.

    Only runs below the DAG run's own ids count, whatever root their events name: the root of a triggered DAG
    run comes from its conf, which is user input. A DAG run that a task triggered is left out with all runs
    below it, because permission to read is by DAG. Clearing one task keeps the lineage of the others.
    """
    events: list[Event] = []
    is_truncated = False
    for root in ids.roots:
        found = source.events(root_run_id=root)
        events += islice(found, limit)
        is_truncated = is_truncated or (limit is not None and next(found, None) is not None)
    tasks = _TaskRuns(ids, events)
    kept = tuple(event for event in events if tasks.keeps(event))
    return DagRunEvents(kept, tasks.current(), is_truncated)


class _TaskRuns:
    """Which task run each run belongs to."""

    def __init__(self, ids: DagRunIds, events: Sequence[Event]) -> None:
        self._ids = ids
        self._task_of: dict[str, str] = {}
        """Of each run the run id of its task."""
        self._number: dict[str, int] = {}
        """Of each task run the number of times that a task of the DAG run had been cleared before."""
        self._identity: dict[str, Task] = {}
        self._map_indexes = _map_indexes(events)
        self._walk(events)
        self._last: dict[Task, int] = {}
        for run_id, number in self._number.items():
            task = self._identity[run_id]
            self._last[task] = max(number, self._last.get(task, 0))

    def keeps(self, event: Event) -> bool:
        run_id = text_at(event, "run", "runId")
        if run_id in self._ids.own:
            return True
        task_run = self._task_of.get(run_id)
        return task_run is not None and self._number[task_run] == self._last[self._identity[task_run]]

    def current(self) -> frozenset[str]:
        newest = len(self._ids.own) - 1
        return frozenset(
            {self._ids.own[-1]} | {run for run, task in self._task_of.items() if self._number[task] == newest}
        )

    def _walk(self, events: Sequence[Event]) -> None:
        own, runs = self._ids.own, {text_at(event, "run", "runId") for event in events}
        children: dict[str, dict[str, Event]] = defaultdict(dict)
        for event in events:
            if parent := text_at(event, *PARENT, "run", "runId"):
                children[parent].setdefault(text_at(event, "run", "runId"), event)
        for number, dag_run in enumerate(own):
            for run_id, event in children.get(dag_run, {}).items():
                self._add_task(run_id, number, text_at(event, "job", "name"))
        # Without Airflow's own events, a task run is known only as the parent of other runs.
        for parent in children.keys() - runs - set(own):
            for event in children[parent].values():
                root = text_at(event, *PARENT, "root", "run", "runId")
                if root in own and not _is_airflows(event):
                    self._add_task(parent, own.index(root), text_at(event, *PARENT, "job", "name"))
        self._descend(children)

    def _descend(self, children: Mapping[str, Mapping[str, Event]]) -> None:
        """Add the runs below the task runs, except those of Airflow: a DAG run that a task triggered."""
        todo = list(self._task_of)
        while todo:
            parent = todo.pop()
            for run_id, event in children.get(parent, {}).items():
                if run_id not in self._task_of and not _is_airflows(event):
                    self._task_of[run_id] = self._task_of[parent]
                    todo.append(run_id)

    def _add_task(self, run_id: str, number: int, job: str) -> None:
        if run_id not in self._ids.own:
            self._task_of[run_id] = run_id
            self._number[run_id] = number
            self._identity[run_id] = (job, self._map_indexes.get(run_id))


def _is_airflows(event: Event) -> bool:
    """Return whether an event is of an Airflow task or DAG run; other jobs may share Airflow's namespace."""
    run: Any = event.get("run")
    facets: Any = run.get("facets") if isinstance(run, dict) else None
    return isinstance(facets, dict) and not AIRFLOW_FACETS.isdisjoint(facets)


def _map_indexes(events: Sequence[Event]) -> dict[str, int]:
    """Return the map index of each run of a mapped task, from the facet of Airflow's own events."""
    found = {}
    for event in events:
        value: Any = event
        for key in ("run", "facets", "airflow", "taskInstance", "map_index"):
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, int):
            found[text_at(event, "run", "runId")] = value
    return found
