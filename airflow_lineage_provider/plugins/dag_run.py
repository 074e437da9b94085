"""Read the lineage of one DAG run from the event store."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers import Evidence, read_events
from airflow_lineage_provider.utils.dag_run import dag_run_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.store import EventStore
    from airflow_lineage_provider.store.store import RunState
    from airflow_lineage_provider.utils.dag_run import DagRunIds


def lineage_of(ids: DagRunIds, store: EventStore) -> Evidence:
    """Return the jobs of a DAG run and its lineage; datasets have the names that the events give.

    Raises StoreError.
    """
    return read_events(_events(ids, store), Bindings(()))


def _events(ids: DagRunIds, store: EventStore) -> Iterator[Mapping[str, Any]]:
    states = (state for root in ids.roots for state in store.run_states(root).values())
    runs = runs_below(ids, states)
    return (event for event in dag_run_events(ids.roots, store) if event["run"]["runId"] in runs)


def runs_below(ids: DagRunIds, states: Iterable[RunState]) -> set[str]:
    """Return the run ids of the DAG run, of its tasks and of the runs below them.

    A DAG run that a task triggered is left out with all runs below it: permission is by DAG.
    """
    children: dict[str, list[RunState]] = defaultdict(list)
    for state in states:
        children[state.parent_run_id].append(state)
    below, todo = set(ids.own), list(ids.own)
    while todo:
        parent = todo.pop()
        for child in children[parent]:
            is_task_or_ours = parent in ids.own or child.job_namespace != ids.namespace
            if is_task_or_ours and child.run_id not in below:
                below.add(child.run_id)
                todo.append(child.run_id)
    return below
