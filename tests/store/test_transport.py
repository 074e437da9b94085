"""The OpenLineage transport that appends Airflow's events to the event store."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from airflow_lineage_provider.store import EventStore, default_store_url
from tests.support.airflow_home import airflow_environment
from tests.support.samples import run_event

DAG_FILE = """
from airflow.sdk import dag, task

@dag(schedule=None)
def two_tasks():
    @task
    def first(): ...
    @task
    def second(): ...
    first() >> second()

two_tasks()
"""


def test_importing_the_transport_imports_nothing_heavy():
    code = (
        "import sys, airflow_lineage_provider.store as d; d.default_store_url({});"
        "sys.exit(any(m in sys.modules for m in ('sqlalchemy', 'openlineage', 'airflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_emit_returns_after_the_commit(tmp_path):
    from openlineage.client.client import OpenLineageClient
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState

    config = {
        "type": "airflow_lineage_provider.OutboxTransport",
        "store": str(tmp_path / "lineage.db"),
    }
    client = OpenLineageClient(config={"transport": config})
    time = datetime(2026, 11, 22, 7, 28, tzinfo=UTC).isoformat()
    run = Run(runId="01890000-0000-7000-8000-000000000001")

    client.emit(RunEvent(eventType=RunState.START, eventTime=time, run=run, job=Job("dbt", "silver.orders")))

    (event,) = EventStore(config["store"]).events(run_id=run.runId)
    assert (event["eventType"], event["job"]["name"], event["eventTime"]) == ("START", "silver.orders", time)


def test_no_credential_of_a_uri_is_stored(tmp_path):
    from openlineage.client.client import OpenLineageClient
    from openlineage.client.event_v2 import Dataset, DatasetEvent

    config = {
        "type": "airflow_lineage_provider.OutboxTransport",
        "store": str(tmp_path / "lineage.db"),
    }
    dataset = Dataset(namespace="duckdb://md:db?motherduck_token=s3cret", name="t")
    time = datetime(2026, 11, 22, 7, 28, tzinfo=UTC).isoformat()

    OpenLineageClient(config={"transport": config}).emit(
        DatasetEvent(eventTime=time, dataset=dataset, producer="https://user:s3cret@example.com")
    )

    (event,) = EventStore(config["store"]).events()
    assert "s3cret" not in json.dumps(event)


@pytest.mark.parametrize(
    ("environ", "folder", "expected"),
    [
        (
            {"AIRFLOW__AIRFLOW_LINEAGE__STORE": "{tmp}/a.db", "AIRFLOW_HOME": "{tmp}/h"},
            ".airflow",
            "sqlite:///{tmp}/a.db",
        ),
        ({"AIRFLOW__AIRFLOW_LINEAGE__STORE": "sqlite:////{tmp}/a.db"}, ".airflow", "sqlite:////{tmp}/a.db"),
        ({"AIRFLOW__AIRFLOW_LINEAGE__STORE": "postgres://u:p@h/d"}, None, "postgresql+psycopg2://u:p@h/d"),
        ({"AIRFLOW_HOME": "{tmp}/h"}, ".airflow", "sqlite:///{tmp}/h/lineage.db"),
        ({}, ".airflow", "sqlite:///{tmp}/.airflow/lineage.db"),
        ({}, None, "sqlite:///{tmp}/airflow/lineage.db"),
    ],
)
def test_the_default_store(tmp_path, monkeypatch, environ, folder, expected):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    if folder:
        (tmp_path / folder).mkdir()

    url = default_store_url({key: value.format(tmp=tmp_path) for key, value in environ.items()})

    assert url.replace("////", "///") == expected.format(tmp=tmp_path).replace("////", "///")


@pytest.mark.e2e
def test_airflow_stores_start_and_end_of_each_task(tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "two_tasks.py").write_text(DAG_FILE)
    transport = {
        "type": "airflow_lineage_provider.OutboxTransport",
        "store": f"sqlite:///{tmp_path}/store/lineage.db",
    }
    environ = airflow_environment(tmp_path, AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps(transport))
    airflow = [sys.executable, "-m", "airflow"]
    subprocess.run([*airflow, "db", "migrate"], env=environ, check=True, capture_output=True)
    ran = subprocess.run(
        [*airflow, "dags", "test", "two_tasks"], env=environ, check=False, capture_output=True
    )
    assert ran.returncode == 0, ran.stderr.decode()

    store = EventStore(transport["store"])
    root = store.latest_root_run()
    tasks = [(event["job"]["name"], event["eventType"]) for event in store.events(root_run_id=root)]

    assert tasks == [
        ("two_tasks.first", "START"),
        ("two_tasks.first", "COMPLETE"),
        ("two_tasks.second", "START"),
        ("two_tasks.second", "COMPLETE"),
        ("two_tasks", "COMPLETE"),
    ]
    assert {state.state for state in store.run_states(root).values()} == {"COMPLETE"}


def test_a_store_opened_outside_the_client_is_the_same_store(store):
    store.append(run_event())
    assert len(list(EventStore(f"sqlite:///{store}").events())) == 1
