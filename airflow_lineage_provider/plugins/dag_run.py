"""A DAG run's own part of the event store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers.events import Observed, read_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow.models.dagrun import DagRun

    from airflow_lineage_provider.delivery import EventStore
    from airflow_lineage_provider.delivery.store import RunState


@dataclass(frozen=True, slots=True)
class DagRunIds:
    """A DAG run in OpenLineage's words."""

    own: frozenset[str]
    """Its run ids: it gets another each time that something of it is cleared."""
    roots: tuple[str, ...]
    """The root runs that its events are under; another DAG's, where that triggered this one."""
    namespace: str
    """The namespace of Airflow's own jobs."""


def dag_run_ids(dag_run: DagRun) -> DagRunIds:
    """Return the ids that Airflow's OpenLineage provider gives a DAG run."""
    from airflow.providers.openlineage import conf
    from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter
    from airflow.providers.openlineage.utils import utils

    own = tuple(
        OpenLineageAdapter.build_dag_run_id(
            dag_id=dag_run.dag_id,
            logical_date=dag_run.logical_date or dag_run.run_after,
            clear_number=number,
        )
        for number in range(dag_run.clear_number + 1)
    )
    given = dag_run.conf if isinstance(dag_run.conf, dict) else None
    root = utils.get_root_information_from_dagrun_conf(given).get("root_parent_run_id")
    root = root or utils.get_parent_information_from_dagrun_conf(given).get("parent_run_id")
    return DagRunIds(frozenset(own), (root,) if root else own, conf.namespace())


def lineage_of(ids: DagRunIds, store: EventStore) -> Observed:
    """Return the jobs of a DAG run and what flowed between them; names are those that the events give.

    Raises StoreError.
    """
    return read_events(_events(ids, store), Bindings(()))


def _events(ids: DagRunIds, store: EventStore) -> Iterator[Mapping[str, Any]]:
    for root in ids.roots:
        runs = runs_below(ids, store.run_states(root).values())
        yield from (event for event in store.events(root_run_id=root) if event["run"]["runId"] in runs)


def runs_below(ids: DagRunIds, states: Iterable[RunState]) -> set[str]:
    """Return the ids of the DAG run's tasks and of what they ran.

    A DAG run that a task triggered is left out with all below it: who may see one DAG may not see another.
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
