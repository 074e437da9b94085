"""The DAG file: what it costs to read, and which tasks the environment chooses."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

DAG_FILE = Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.py"
HEAVY = {"dbt", "dbt_common", "duckdb", "openlineage", "sqlglot"}
READ = "import runpy, sys; runpy.run_path(sys.argv[1]); print(*sys.modules)"


@pytest.fixture
def modules_after_reading(tmp_path):
    """Return a function that reads a DAG file in a fresh process and returns the modules that are in it."""

    def read(path: Path) -> set[str]:
        environ = os.environ | {"AIRFLOW_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", READ, path],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return set(done.stdout.split())

    return read


def test_reading_the_dag_file_imports_airflow_and_a_handful_of_ours(modules_after_reading, tmp_path):
    plain = tmp_path / "plain.py"
    # An Asset with a URI makes Airflow import the URI handlers of all providers: Amazon's need boto3.
    plain.write_text(
        "from airflow.sdk import DAG, Asset, BaseOperator, BaseOperatorLink, BaseSensorOperator\n"
        "Asset(name='any', uri='any://any/any')\n"
    )
    added = modules_after_reading(DAG_FILE) - modules_after_reading(plain)

    assert {name.partition(".")[0] for name in added} & HEAVY == set()
    assert {name for name in added if name.startswith("airflow_lineage_provider")} == {
        "airflow_lineage_provider.errors",
        "airflow_lineage_provider.links",
        "airflow_lineage_provider.links.lineage",
        "airflow_lineage_provider.operators",
        "airflow_lineage_provider.operators.data_age",
        "airflow_lineage_provider.operators.dbt",
        "airflow_lineage_provider.operators.ingest",
        "airflow_lineage_provider.reports",
        "airflow_lineage_provider.reports.escape",
        "airflow_lineage_provider.sensors",
        "airflow_lineage_provider.sensors.lineage",
        "airflow_lineage_provider.utils",
        "airflow_lineage_provider.utils.warehouse_operator",
    }
    assert len(added) < 40, sorted(added)


def test_the_dag_of_the_consumers_runs_when_gold_is_made_and_daily_when_tableau_refreshes(monkeypatch):
    monkeypatch.setenv("CONSUMERS_TABLEAU_CONN_ID", "tableau")
    path = DAG_FILE.with_name("customer_analytics_consumers.py")
    dag = runpy.run_path(str(path))["validate"].dag
    tableau, tecton = dag.get_task("tableau"), dag.get_task("tecton")

    assert [asset.uri for asset in dag.schedule.asset_condition.objects] == ["dbt://dbt_project/gold"]
    assert (dag.schedule.timetable.expression, str(dag.schedule.timetable.timezone)) == ("0 6 * * *", "UTC")
    assert dag.get_task("validate_path").upstream_task_ids == {"tableau", "tecton", "sagemaker"}
    assert (tableau.tableau_conn_id, tableau.saved_answer) == ("tableau", None)
    assert tecton.saved_answer == "saved_answers"


def test_reading_the_dag_file_of_the_consumers_imports_no_client_of_theirs(modules_after_reading):
    read = modules_after_reading(DAG_FILE.with_name("customer_analytics_consumers.py"))
    assert {name.partition(".")[0] for name in read} & {
        "tableauserverclient",
        "sqlglot",
        "dbt",
        "duckdb",
    } == set()
    assert not any(name.startswith("airflow_lineage_provider.systems") for name in read)


CRM = {"INGEST_CRM_CONN_ID": "crm"}
DMS = {"INGEST_DMS_REPLICATION": "crm-to-s3"}
KAFKA = {"INGEST_KAFKA_CONN_ID": "kafka"}
TOPICS = {"INGEST_CRM_TOPICS": "crm-{table}"}
CONNECT = {"INGEST_CONNECT_CONN_ID": "connect"}
REGISTRY = {"INGEST_REGISTRY_CONN_ID": "registry"}
SNOWFLAKE, POSTGRES = {"DBT_TARGET": "snowflake"}, {"DBT_TARGET": "postgres"}


@pytest.fixture
def read_dag(monkeypatch):
    """Return a function that reads the DAG file in an environment and returns the DAG."""

    def read(environ: dict[str, str]):
        for name in [n for n in os.environ if n.startswith(("INGEST_", "DBT_", "LINEAGE_"))]:
            monkeypatch.delenv(name)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(DAG_FILE))["ingest"].dag

    return read


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {"bronze": set()}),
        (CRM, {"crm": set(), "bronze": {"crm"}}),
        (KAFKA, {"land_events": set(), "load_events": {"land_events"}, "bronze": {"load_events"}}),
        (CRM | KAFKA, {"crm": set(), "land_events": set(), "load_events": {"crm", "land_events"}}),
        (
            KAFKA | REGISTRY,
            {
                "topic": set(),
                "land_events": set(),
                "load_events": {"land_events"},
                "bronze": {"load_events"},
            },
        ),
        (REGISTRY, {"bronze": set()}),
        (POSTGRES, {}),
        (POSTGRES | DMS | CONNECT, {"crm": set(), "connect": set()}),
        (SNOWFLAKE, {}),
        (SNOWFLAKE | DMS, {"crm": set(), "loads": {"crm"}}),
        (SNOWFLAKE | CONNECT, {"connect": set(), "loads": {"connect"}}),
        (
            SNOWFLAKE | DMS | CONNECT | REGISTRY,
            {"crm": set(), "connect": set(), "topic": set(), "loads": {"crm", "connect"}},
        ),
        (
            SNOWFLAKE | CRM | KAFKA | CONNECT | REGISTRY,
            {
                "crm": set(),
                "connect": set(),
                "topic": set(),
                "land_events": set(),
                "load_events": {"crm", "land_events"},
            },
        ),
        (
            KAFKA | TOPICS,
            {
                "crm.land_customers": set(),
                "crm.land_orders": set(),
                "crm.land_products": set(),
                "crm.load_customers": {"crm.land_customers"},
                "crm.load_orders": {"crm.land_orders", "crm.load_customers"},
                "crm.load_products": {"crm.land_products", "crm.load_orders"},
                "land_events": set(),
                "load_events": {"land_events", "crm.load_products"},
            },
        ),
        (CRM | TOPICS, {"crm": set(), "bronze": {"crm"}}),
        (dict.fromkeys(CRM | DMS | KAFKA | TOPICS | CONNECT | REGISTRY, ""), {"bronze": set()}),
    ],
    ids=lambda value: " ".join(value) if value and "bronze" not in value else None,
)
def test_the_environment_chooses_the_tasks_of_ingest(read_dag, environ, expected):
    group = "ingest."
    upstream = {
        task.task_id.removeprefix(group): {name.removeprefix(group) for name in task.upstream_task_ids}
        for task in read_dag(environ).tasks
        if task.task_id.startswith(group)
    }
    assert upstream == expected


@pytest.mark.parametrize("environ", [{}, SNOWFLAKE | DMS | CONNECT | REGISTRY], ids=["duckdb", "snowflake"])
def test_the_layers_follow_the_whole_of_ingest(read_dag, environ):
    dag = read_dag(environ)
    ends = {task.task_id for task in dag.tasks if task.task_id.startswith("ingest.")} - {
        name for task in dag.tasks for name in task.upstream_task_ids if task.task_id.startswith("ingest.")
    }
    assert {task.task_id: task.upstream_task_ids for task in dag.tasks if "." not in task.task_id} == {
        "check_freshness": ends,
        "silver": {"check_freshness"},
        "gold": {"silver"},
        "validate_lineage": {"gold"},
        "bronze_retention": {"gold"},
        "check_retention": {"bronze_retention"},
    }


@pytest.mark.parametrize(
    ("environ", "connection"),
    [
        (KAFKA | REGISTRY, {"conn_type": "kafka", "extra": {"bootstrap.servers": "broker:9092"}}),
        (CONNECT | REGISTRY, {"conn_type": "kafka_connect", "extra": {"bootstrap_servers": "broker:9092"}}),
    ],
    ids=["kafka", "connect"],
)
def test_the_topic_is_named_by_the_brokers_of_the_connection(read_dag, monkeypatch, environ, connection):
    from airflow.sdk.execution_time.context import ConnectionAccessor

    conn_id = environ.get("INGEST_KAFKA_CONN_ID", "connect")
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    task = read_dag(environ).get_task("ingest.topic")
    task.render_template_fields({"conn": ConnectionAccessor()})
    assert task.bootstrap_servers == "broker:9092"


def test_the_review_is_quarterly_and_reads_cheaply(modules_after_reading):
    path = DAG_FILE.with_name("lineage_review.py")
    task = runpy.run_path(str(path))["dag"].get_task("review")

    assert task.dag.schedule == "0 6 1 1,4,7,10 *"
    assert (path.parent / task.map_path).is_file()
    assert {name.partition(".")[0] for name in modules_after_reading(path)} & HEAVY == set()


def test_reading_the_weekly_dag_imports_its_operator_only(modules_after_reading, tmp_path):
    plain = tmp_path / "plain.py"
    plain.write_text("from airflow.sdk import DAG, BaseOperator\n")
    added = modules_after_reading(DAG_FILE.with_name("lineage_reconciliation.py"))
    added -= modules_after_reading(plain)
    assert {name.partition(".")[0] for name in added} & {*HEAVY, "datahub", "sqlalchemy", "pydantic"} == set()
    assert {name for name in added if name.startswith("airflow_lineage_provider.")} == {
        "airflow_lineage_provider.operators",
        "airflow_lineage_provider.operators.reconciliation",
    }
