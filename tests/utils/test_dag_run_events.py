"""Which events are those of a DAG run, and which of its runs are current."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.utils.dag_run import DagRunIds
from airflow_lineage_provider.utils.dag_run_events import read_dag_run

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def event(job: str, run_id: str, parent: str = "", *, root: str = "dag", parent_job: str = "", index=None):
    """Return a COMPLETE; a job that starts with `airflow:` is one of Airflow's own."""
    facets: dict = {}
    if parent:
        facets["parent"] = {
            "run": {"runId": parent},
            "job": {"name": parent_job},
            "root": {"run": {"runId": root}},
        }
    if job.startswith("airflow:"):
        facet = "airflow" if "." in job else "airflowDagRun"
        facets[facet] = {} if index is None else {"taskInstance": {"map_index": index}}
    return {
        "eventType": "COMPLETE",
        "eventTime": NOON.isoformat(),
        "job": {
            "namespace": "default",
            "name": job.removeprefix("airflow:"),
        },
        "run": {"runId": run_id, "facets": facets},
    }


@pytest.fixture
def read(tmp_path):
    """Return a function that returns the run ids of the events that belong to a DAG run."""

    def run_ids(*events: dict, own=("dag",), roots=None) -> list[str]:
        store = EventStore(str(tmp_path / "lineage.db"))
        store.append(events)
        found = read_dag_run(DagRunIds(tuple(own), tuple(roots or own)), store)
        return sorted(event["run"]["runId"] for event in found.events)

    return run_ids


def task(name: str, run_id: str, dag_run: str = "dag", **more) -> dict:
    return event(f"airflow:sales.{name}", run_id, dag_run, **{"root": dag_run, **more})


def node(name: str, run_id: str, task_run: str, root: str = "dag") -> dict:
    return event(name, run_id, task_run, root=root, parent_job="sales.b")


def test_clearing_one_mapped_task_keeps_the_lineage_of_the_others(read):
    before = [
        task("b", "b0", index=0),
        node("gold.x", "x", "b0"),
        task("b", "b1", index=1),
        node("gold.y", "y", "b1"),
    ]
    again = [task("b", "b0-2", "dag-2", index=0), node("gold.x", "x-2", "b0-2", "dag-2")]
    assert read(*before, *again, own=("dag", "dag-2")) == ["b0-2", "b1", "x-2", "y"]


def test_clearing_a_task_drops_its_earlier_lineage(read):
    before = [task("b", "b"), node("gold.x", "x", "b"), task("c", "c")]
    again = [task("b", "b-2", "dag-2"), node("gold.y", "y", "b-2", "dag-2")]
    assert read(*before, *again, own=("dag", "dag-2")) == ["b-2", "c", "y"]


def test_clearing_a_task_of_a_triggered_dag_run_drops_its_earlier_lineage(read):
    before = [task("b", "b", root="theirs"), node("gold.x", "x", "b", "theirs")]
    again = [task("b", "b-2", "dag-2", root="theirs"), node("gold.y", "y", "b-2", "theirs")]
    assert read(*before, *again, own=("dag", "dag-2"), roots=("theirs",)) == ["b-2", "y"]


def test_a_root_that_the_conf_names_shows_only_runs_below_the_own_tasks(read):
    theirs = [
        event("airflow:salaries", "their-dag"),
        event("airflow:salaries.pay", "their-task", "their-dag", root="their-dag"),
        event("gold.salaries", "their-node", "their-task", root="their-dag"),
    ]
    assert read(*theirs, roots=("their-dag",)) == []
    own = [task("b", "b", root="their-dag"), node("gold.x", "x", "b", "their-dag")]
    assert read(*own, roots=("their-dag",)) == ["b", "x"]


def test_a_dag_run_that_a_task_triggered_is_left_out(read):
    triggered = [
        event("airflow:salaries.pay", "their-task", "their-dag"),
        event("gold.salaries", "their-node", "their-task"),
    ]
    assert read(task("b", "b"), node("gold.x", "x", "b"), *triggered) == ["b", "x"]
    ended = event("airflow:salaries", "their-dag", "b", parent_job="sales.b")
    assert read(ended) == ["b", "x"]


def test_nodes_count_where_airflow_sends_its_own_events_elsewhere(read):
    assert read(node("gold.x", "x", "b")) == ["x"]
    assert read(node("gold.z", "z", "b", "theirs"), roots=("theirs",)) == []
