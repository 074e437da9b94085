"""The newest run of each DAG that a map names."""

from airflow_lineage_provider.store.latest import latest_roots
from tests.support.samples import run_event

FIRST, SECOND, OTHER = "2026-11-22T07:00:00Z", "2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z"


def test_the_newest_run_of_each_dag_by_its_own_events(store):
    store.append(run_event("sales-1", "COMPLETE", name="sales", at=FIRST))
    store.append(run_event("sales-2", "COMPLETE", name="sales", at=SECOND))
    store.append(run_event("boards-1", "COMPLETE", name="boards", at=FIRST))
    store.append(run_event("another-1", "COMPLETE", name="another", at=OTHER))

    assert latest_roots(store, ["sales", "boards", "not_yet_run"]) == ["sales-2", "boards-1"]


def test_a_run_without_an_event_of_the_dag_is_known_by_those_below_it(store):
    store.append(run_event("dag-1", "COMPLETE", name="dag", at=FIRST))
    store.append(run_event("node-2", at=SECOND, parent="task-2", root="dag-2"))

    assert latest_roots(store, ["dag"]) == ["dag-2"]
