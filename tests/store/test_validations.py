"""Validations of DAG runs in the event store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from airflow_lineage_provider.store.progress import dags_with_events, newest_event
from airflow_lineage_provider.store.records import utc_text
from airflow_lineage_provider.store.retention import delete_events
from airflow_lineage_provider.store.validations import (
    ValidationRow,
    add_validation,
    latest_validations,
    validation_content,
    validations_of_runs,
)
from tests.support.samples import DAG, TASK, run_event

NOW = datetime(2026, 11, 9, 6, tzinfo=UTC)
ROW = ValidationRow("sales", "run-1", "validate", utc_text(NOW), "ol-run", "DRIFT", 2, 1, "Sales", ("sales",))


def test_a_validation_is_read_back(any_store):
    add_validation(any_store, ROW, b"content")
    (found,) = validations_of_runs(any_store, "sales", ["run-1", "run-2"])
    assert replace(found, id=0) == ROW
    assert validation_content(any_store, found.id) == b"content"
    assert validations_of_runs(any_store, "another", ["run-1"]) == []


def test_a_task_that_validates_again_replaces_its_validation(any_store):
    add_validation(any_store, ROW, b"first")
    (first,) = validations_of_runs(any_store, "sales", ["run-1"])
    add_validation(any_store, replace(ROW, outcome="PASS"), b"second")
    add_validation(any_store, replace(ROW, task_id="another"), b"of another task")
    outcomes = [row.outcome for row in validations_of_runs(any_store, "sales", ["run-1"])]
    assert outcomes == ["PASS", "DRIFT"]
    assert validation_content(any_store, first.id) is None


def test_the_newest_validation_of_each_dag(any_store):
    for dag_id in ("sales", "stock"):
        for number in range(3):
            add_validation(any_store, replace(ROW, dag_id=dag_id, run_id=f"run-{number}"), b"")
    assert [(row.dag_id, row.run_id) for row in latest_validations(any_store)] == [
        ("sales", "run-2"),
        ("stock", "run-2"),
    ]
    assert [row.dag_id for row in latest_validations(any_store, ["stock"])] == ["stock"]


def test_retention_keeps_the_newest_validation_of_each_dag(any_store):
    any_store.append(run_event())
    for number in range(3):
        add_validation(any_store, replace(ROW, run_id=f"run-{number}"), b"")
    delete_events(any_store, datetime.now(UTC) + timedelta(days=1))
    left = validations_of_runs(any_store, "sales", [f"run-{number}" for number in range(3)])
    assert [row.run_id for row in left] == ["run-2"]


@pytest.mark.parametrize("dag_id", ["dag", "dag.x"])
def test_the_dags_that_have_events_of_their_tasks(any_store, dag_id):
    any_store.append(run_event(TASK, name=f"{dag_id}.task", parent=DAG, root=DAG))
    assert dags_with_events(any_store, ["dag", "dag.x", "da", "dag.task"]) == (
        {"dag"} if dag_id == "dag" else {"dag", "dag.x"}
    )
    assert newest_event(any_store, [DAG]) > 0
    assert newest_event(any_store, ["another"]) == 0
