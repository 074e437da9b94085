"""The sensor waits deferred, in the worker or rescheduled, and compares once the events have arrived."""

import asyncio
import json
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowRescheduleException, TaskDeferred

from airflow_lineage_provider.sensors.lineage import LineageValidationSensor
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.triggers.lineage import LineageTrigger
from airflow_lineage_provider.utils.dag_run import run_context
from tests.support.marquez import marquez

MAP = Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PUSHED = {}


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFLOW_LINEAGE__STORE", str(tmp_path / "lineage.db"))
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
    """Return the parts of a first try's context that the sensor reads."""
    dag_run = SimpleNamespace(
        dag_id="sales",
        run_id="manual__1",
        logical_date=NOW,
        run_after=NOW,
        data_interval_start=NOW,
        data_interval_end=NOW,
        start_date=datetime.now(UTC),
        conf={},
        clear_number=0,
    )
    ti = SimpleNamespace(
        dag_id="sales", task_id="validate", try_number=1, map_index=-1, task=task, dag_run=dag_run
    )
    given = {"ti": ti, "dag_run": dag_run}
    ti.get_template_context = lambda: given
    ti.get_first_reschedule_date = lambda _: None
    ti.xcom_push = PUSHED.__setitem__
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
def test_existing_events_are_compared_at_once(store, options):
    task = sensor(**options)
    store.append(model_event(task))
    assert run(task)["outcome"] == "PASS"


def test_it_defers_by_default(store):
    task = sensor()
    store.append(model_event(task, "START"))
    with pytest.raises(TaskDeferred) as deferred:
        run(task)
    name, arguments = deferred.value.trigger.serialize()
    assert name == "airflow_lineage_provider.triggers.lineage.LineageTrigger"
    assert arguments["config"]["scope"] == ["silver.stg_customers"]


def test_it_can_reschedule_instead_of_waiting(store):
    task = sensor(mode="reschedule")
    store.append(model_event(task, "START"))
    with pytest.raises(AirflowRescheduleException):
        run(task)


def test_at_the_deadline_it_compares_the_events_that_arrived(store):
    task = sensor(mode="poke", timeout=0.3)
    store.append(model_event(task, "START"))
    with pytest.raises(Exception, match=r"dataset-missing: silver\.stg_customers") as failed:
        run(task)
    assert type(failed.value).__name__ == "AirflowFailException"
    verdict = PUSHED["lineage_validation"]  # the lineage report shows it, although the task failed
    assert verdict["outcome"] == "DRIFT"
    assert verdict["findings"][0][0] == "error"
    assert verdict["findings"][0][1].startswith("dataset-missing: silver.stg_customers")


@contextmanager
def in_files(folder):
    """Yield a source and a function that adds an event to it."""

    def add(event):
        with (folder / "events.jsonl").open("a") as file:
            file.write(json.dumps(event) + "\n")

    yield str(folder), add


@contextmanager
def in_marquez(folder):
    """Yield the same for a Marquez that needs an API key, behind an Airflow connection."""
    with marquez(key="s3cret") as server, pytest.MonkeyPatch.context() as patch:
        connection = {"conn_type": "openlineage", "host": server.url, "password": "s3cret"}
        patch.setenv("AIRFLOW_CONN_MARQUEZ", json.dumps(connection))
        yield "marquez", server.events.append


@pytest.mark.parametrize("kept", [in_files, in_marquez])
@pytest.mark.parametrize("options", [{"mode": "poke"}, {"deferrable": True}])
def test_events_can_be_in_files_or_in_marquez(tmp_path, kept, options):
    with kept(tmp_path) as (source, add):
        task = sensor(source=source, **options)
        add(model_event(task) | {"run": {"runId": "another DAG run's"}})
        add(model_event(task))
        assert run(task)["outcome"] == "PASS"


@pytest.mark.parametrize("kept", [in_files, in_marquez])
def test_the_triggerer_waits_for_events_in_files_and_marquez(tmp_path, kept):
    with kept(tmp_path) as (source, add):
        task = sensor(source=source, timeout=60)
        add(model_event(task, "START"))
        with pytest.raises(TaskDeferred) as deferred:
            run(task)
        _, arguments = deferred.value.trigger.serialize()
        fired = asyncio.run(fired_after(LineageTrigger(**arguments), lambda: add(model_event(task))))
        (dag_run,) = fired.payload["dag_runs"]
        assert list(dag_run["own"]) == [run_context(context(task)).root.run_id]
        assert task.execute_complete(context(task), fired.payload)["outcome"] == "PASS"


async def fired_after(trigger, happens):
    """Return the event that the trigger fires after an action."""
    waiting = asyncio.ensure_future(anext(trigger.run()))
    await asyncio.to_thread(happens)
    return await asyncio.wait_for(waiting, timeout=30)


@pytest.mark.parametrize("source", ["/nowhere/broken.jsonl", "/nowhere/missing.jsonl"])
def test_the_triggerer_leaves_errors_to_the_task(tmp_path, source):
    (tmp_path / "broken.jsonl").write_text("oops\n")
    task = sensor(source=source.replace("/nowhere", str(tmp_path)), timeout=0.3)
    trigger = LineageTrigger({**asdict(task._event_wait(context(task)).config)}, 0.05)

    asyncio.run(asyncio.wait_for(anext(trigger.run()), timeout=30))

    with pytest.raises(Exception, match=r"line 1: not JSON|There are no events at") as failed:
        task.execute_complete(context(task), {})
    assert type(failed.value).__name__ == (
        "AirflowFailException" if "broken" in source else "AirflowException"
    )


@pytest.mark.parametrize("marquez_keeps", [2_000])
def test_marquez_is_asked_for_the_time_of_the_dag_run_only(marquez_keeps):
    with marquez() as server:
        old = model_event(sensor()) | {"eventTime": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
        server.events += [old] * marquez_keeps
        task = sensor(source=server.url, mode="poke")
        server.events.append(model_event(task))
        assert run(task)["outcome"] == "PASS"
        assert len(server.queries) == 2  # the look, and the comparison
