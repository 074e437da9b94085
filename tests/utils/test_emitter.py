"""A worker that died left runs without an end: the task's next try closes them."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.utils.dag_run import earlier_try_run_ids, run_context
from airflow_lineage_provider.utils.emitter import Emitter

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAG_RUN = SimpleNamespace(
    dag_id="sales",
    logical_date=NOW,
    run_after=NOW,
    data_interval_start=NOW,
    data_interval_end=NOW,
    conf={},
    clear_number=0,
)


def context(try_number):
    """Return what Airflow gives a task's try, as far as the run ids of OpenLineage are made of it."""
    ti = SimpleNamespace(
        dag_id="sales",
        task_id="silver",
        try_number=try_number,
        map_index=-1,
        task=SimpleNamespace(task_group=None, get_dag=lambda: None),
        dag_run=DAG_RUN,
    )
    given = {"ti": ti, "dag_run": DAG_RUN}
    ti.get_template_context = lambda: given
    return given


def node_event(kind, run_id, task_try):
    above = run_context(context(task_try))
    parent = {
        "run": {"runId": above.parent.run_id},
        "job": {"namespace": above.parent.namespace, "name": above.parent.name},
        "root": {
            "run": {"runId": above.root.run_id},
            "job": {"namespace": above.root.namespace, "name": above.root.name},
        },
    }
    return {
        "eventType": kind,
        "eventTime": "2026-01-01T00:00:00Z",
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run_id, "facets": {"parent": parent}},
        "job": {"namespace": "dbt", "name": "silver.stg_orders"},
    }


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFLOW_LINEAGE__STORE", str(tmp_path / "lineage.db"))
    return EventStore(str(tmp_path / "lineage.db"))


OPEN, ENDED, OTHER = (f"0190a0e2-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))


def test_the_next_try_closes_what_the_last_one_left_and_nothing_else(store):
    left = [node_event("START", OPEN, 1), node_event("START", ENDED, 1), node_event("COMPLETE", ENDED, 1)]
    other = node_event("START", OTHER, 1)
    other["run"]["facets"]["parent"]["run"]["runId"] = "0190a0e2-0000-7000-8000-0000000000ff"
    store.append([*left, other])
    Emitter(context(2), None)
    states = store.run_states(run_context(context(2)).root.run_id)
    assert {run_id: state.state for run_id, state in states.items()} == {
        OPEN: "ABORT",
        ENDED: "COMPLETE",
        OTHER: "START",
    }
    (abort,) = (event for event in store.events(run_id=OPEN) if event["eventType"] == "ABORT")
    assert "the worker of this try died" in abort["run"]["facets"]["errorMessage"]["message"]


def test_a_first_try_closes_nothing(store):
    store.append(node_event("START", OPEN, 1))
    Emitter(context(1), None)
    assert earlier_try_run_ids(context(1)) == set()
    assert [event["eventType"] for event in store.events(run_id=OPEN)] == ["START"]


def test_a_try_closes_what_every_earlier_one_left(store):
    store.append([node_event("START", OPEN, 1), node_event("START", OTHER, 2)])
    Emitter(context(4), None)
    states = store.run_states(run_context(context(4)).root.run_id)
    assert {run_id: state.state for run_id, state in states.items()} == {OPEN: "ABORT", OTHER: "ABORT"}
