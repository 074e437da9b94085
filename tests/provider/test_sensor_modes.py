"""The sensor waits in the triggerer, on the worker, or on neither, and compares once the events are there."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowRescheduleException, TaskDeferred

from airflow_lineage_provider.delivery import EventStore
from airflow_lineage_provider.hooks.dag_run import run_context
from airflow_lineage_provider.sensors.lineage import LineageValidationSensor

MAP = Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__LINEAGE__STORE", str(tmp_path / "lineage.db"))
    store = EventStore(str(tmp_path / "lineage.db"))
    store.append([])
    return store


def sensor(**options):
    with DAG("sales", schedule=None):
        return LineageValidationSensor(
            task_id="validate",
            map_path=str(MAP),
            environment="dev",
            scope=["silver.stg_customers"],
            poke_interval=0.1,
            **options,
        )


def context(task):
    """Return what Airflow gives a first try, as far as the sensor reads it."""
    dag_run = SimpleNamespace(
        dag_id="sales",
        logical_date=NOW,
        run_after=NOW,
        data_interval_start=NOW,
        data_interval_end=NOW,
        conf={},
        clear_number=0,
    )
    ti = SimpleNamespace(
        dag_id="sales", task_id="validate", try_number=1, map_index=-1, task=task, dag_run=dag_run
    )
    given = {"ti": ti, "dag_run": dag_run}
    ti.get_template_context = lambda: given
    ti.get_first_reschedule_date = lambda _: None
    return given


def model_event(task, kind="COMPLETE"):
    """Return the event of silver.stg_customers in the DAG run of the context."""
    root = run_context(context(task)).root
    parent = {"run": {"runId": root.run_id}, "job": {"namespace": root.namespace, "name": root.name}}
    warehouse = "duckdb:///w/warehouse.duckdb"
    return {
        "eventType": kind,
        "eventTime": datetime.now(UTC).isoformat(),
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0190a0e2-0000-7000-8000-000000000001", "facets": {"parent": parent}},
        "job": {"namespace": "dbt", "name": "silver.stg_customers"},
        "inputs": [{"namespace": warehouse, "name": "warehouse.bronze.raw_customers"}],
        "outputs": [{"namespace": warehouse, "name": "warehouse.silver.stg_customers"}],
    }


def run(task):
    return task.execute.__wrapped__(task, context(task))


@pytest.mark.parametrize("options", [{}, {"mode": "poke"}, {"mode": "reschedule"}, {"deferrable": True}])
def test_events_that_are_there_are_compared_at_once(store, options):
    task = sensor(**options)
    store.append(model_event(task))
    assert run(task)["outcome"] == "PASS"


def test_it_waits_in_the_triggerer_unless_told_otherwise(store):
    task = sensor()
    store.append(model_event(task, "START"))
    with pytest.raises(TaskDeferred) as deferred:
        run(task)
    name, arguments = deferred.value.trigger.serialize()
    assert name == "airflow_lineage_provider.triggers.lineage.LineageTrigger"
    assert arguments["awaited"]["scope"] == ["silver.stg_customers"]


def test_it_can_wait_on_neither_worker_nor_triggerer(store):
    task = sensor(mode="reschedule")
    store.append(model_event(task, "START"))
    with pytest.raises(AirflowRescheduleException):
        run(task)


def test_at_the_deadline_it_compares_with_what_there_is(store):
    task = sensor(mode="poke", timeout=0.3)
    store.append(model_event(task, "START"))
    with pytest.raises(Exception, match=r"dataset-missing: silver\.stg_customers") as failed:
        run(task)
    assert type(failed.value).__name__ == "AirflowFailException"
