"""A retry that runs only what failed, in real DAG runs: 30 days by mapped tasks, and on another worker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import duckdb
import pytest
from dbt_projects import write_project

from airflow_lineage_provider.store import EventStore
from tests.support.airflow_home import airflow_environment
from tests.support.s3 import s3_server

RUNNER = Path(__file__).with_name("run_steps.py")

DAGS = """
import shutil
from datetime import datetime, timedelta

import duckdb
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from airflow_lineage_provider.operators.dbt import DbtLayerOperator, layer_asset
from airflow_lineage_provider.sensors.lineage import LineageValidationSensor
from airflow_lineage_provider.utils.dbt_assets import model_asset, models_alias

FIRST = datetime(2026, 1, 1)


def dbt(project):
    folder = PROJECTS + "/" + project
    options = {"retry_failed_only": True, "retry_delay": timedelta(0)}
    return {"project_dir": folder, "profiles_dir": folder, **options}


def mend(context):
    with duckdb.connect(context["task"].project_dir + "/warehouse.duckdb") as warehouse:
        warehouse.execute("update silver.events set value = '1' where value = 'x'")


def move_to_another_worker(context):
    mend(context)
    shutil.rmtree(context["task"].project_dir + "/target")


with DAG("backfill", schedule=None, catchup=False) as backfill:
    silver = DbtLayerOperator(task_id="silver", layer="silver", **dbt("backfill"))
    days = [FIRST + timedelta(days=3 * n) for n in range(10)]
    gold = DbtLayerOperator.partial(
        task_id="gold",
        layer="gold",
        retries=1,
        on_retry_callback=mend,
        max_active_tis_per_dag=1,  # DuckDB has one writer
        model_assets=True,
        outlets=[layer_asset(PROJECTS + "/backfill", "gold")],
        **dbt("backfill"),
    ).expand(
        dbt_options=[
            {"event_time_start": f"{day}", "event_time_end": f"{day + timedelta(days=3)}"} for day in days
        ]
    )
    silver >> gold >> LineageValidationSensor(
        task_id="validate", map_path="map.yaml", environment="dev", mode="poke", poke_interval=0.2, timeout=60
    )

for name, python in (("elsewhere", None), ("other_interpreter", PYTHON)):
    with DAG(name, schedule=None) as dag:
        DbtLayerOperator(
            task_id="all",
            select=["events", "gold"],
            retries=1,
            on_retry_callback=move_to_another_worker,
            artifacts="s3://storage@kept/" + name + "/{{ run_id }}",
            full_refresh=bool(python),
            dbt_options={"event_time_start": "2026-01-16", "event_time_end": "2026-01-19"},
            model_assets=True,
            python=python,
            **dbt(name),
        )
    globals()[name] = dag

with DAG("totals_report", schedule=model_asset(PROJECTS + "/elsewhere", "gold.totals")):
    EmptyOperator(task_id="report")
with DAG("any_report", schedule=models_alias(PROJECTS + "/other_interpreter")):
    EmptyOperator(task_id="report")

with DAG("changed", schedule=None) as changed:
    DbtLayerOperator(
        task_id="changed",
        select="state:modified+",
        state="last_success",
        artifacts="s3://storage@kept/changed/{{ run_id }}",
        empty_selection="skip",
        **dbt("changed"),
    )
"""

MAP = """
document: {title: Events}
layers:
  silver: {tables: {events: {}}}
  gold:
    tables:
      daily: {from: silver.events}
      values_of_day: {from: silver.events}
      totals: {from: gold.values_of_day}
      steady: {from: silver.events}
environments:
  dev:
    bindings: [{dataset: "{layer}.{table}", namespace: "duckdb://*", name: "warehouse.{layer}.{table}"}]
"""

MICROBATCH = """
{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='happened_at',
          batch_size='day', begin='2026-01-01') }}
"""
MODELS = {
    # Three rows a day; what day 17 says is no number.
    "models/silver/events.sql": """
        {{ config(materialized='table', event_time='happened_at') }}
        select range as id, timestamp '2026-01-01' + to_hours(range::int * 8) as happened_at,
            case when range = 49 then 'x' else '1' end as value
        from range(90)
        """,
    "models/gold/daily.sql": MICROBATCH + "select id, happened_at from {{ ref('events') }}",
    "models/gold/values_of_day.sql": MICROBATCH
    + "select id, happened_at, cast(value as integer) as value from {{ ref('events') }}",
    "models/gold/totals.sql": "select sum(value) as total from {{ ref('values_of_day') }}",
    "models/gold/steady.sql": "{{ config(materialized='table') }} select id from {{ ref('events') }}",
}
OTHER = {
    "models/gold/a.sql": "select 1 as id",
    "models/gold/b.sql": "select id from {{ ref('a') }}",
    "models/gold/c.sql": "select 3 as id",
}


class Ran(NamedTuple):
    outcomes: dict[str, list[dict[str, Any]]]
    store: Path
    projects: Path
    kept: list[str]
    log: str

    def ends(self, outcome):
        """Return how often each dbt node ended with each event type, in one DAG run."""
        with closing(EventStore(str(self.store))) as store:
            events = [e for e in store.events(root_run_id=outcome["root"]) if e["job"]["namespace"] == "dbt"]
        return Counter((e["job"]["name"], e["eventType"]) for e in events if e["eventType"] != "START")

    def ids(self, dag_id):
        """Return the number of rows of the microbatch model of a DAG, and of its ids."""
        with duckdb.connect(str(self.projects / dag_id / "warehouse.duckdb"), read_only=True) as warehouse:
            found = warehouse.execute("select count(*), count(distinct id) from gold.values_of_day")
            return found.fetchone()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run the DAGs in one Airflow, with an S3 server beside it."""
    base = tmp_path_factory.mktemp("retries")
    for name in ("backfill", "elsewhere", "other_interpreter"):
        write_project(base / name, MODELS)
    write_project(base / "changed", OTHER)
    dags = base / "dags"
    dags.mkdir()
    (dags / "map.yaml").write_text(MAP)
    (dags / "dags.py").write_text(f"PROJECTS, PYTHON = {str(base)!r}, {sys.executable!r}\n{DAGS}")
    model = str(base / "changed" / "models" / "gold" / "a.sql")
    steps = [
        *({"dag_id": name} for name in ("backfill", "elsewhere", "other_interpreter", "changed", "changed")),
        {"dag_id": "changed", "files": {model: "select 2 as id"}},
    ]
    (base / "steps.json").write_text(json.dumps(steps))
    with s3_server() as url:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        bucket = boto3.client("s3", endpoint_url=url, **keys)
        bucket.create_bucket(Bucket="kept")
        storage = {"conn_type": "aws", "login": "a", "password": "b"}
        storage["extra"] = {"endpoint_url": url, "region_name": "us-east-1"}
        environ = airflow_environment(
            base / "airflow",
            AIRFLOW__CORE__DAGS_FOLDER=str(dags),
            AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="False",
            AIRFLOW__OPENLINEAGE__TRANSPORT='{"type": "airflow_lineage_provider.OutboxTransport"}',
            AIRFLOW_CONN_STORAGE=json.dumps(storage),
        )
        done = subprocess.run(
            [sys.executable, RUNNER, base / "steps.json", base / "results.json"],
            env=environ, cwd=base, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        kept = [one["Key"] for one in bucket.list_objects_v2(Bucket="kept").get("Contents", ())]
    (base / "output.log").write_text(done.stdout)
    assert done.returncode == 0, done.stdout[-5000:]
    outcomes: dict[str, list[dict[str, Any]]] = {}
    for step, outcome in zip(steps, json.loads((base / "results.json").read_text()), strict=True):
        outcomes.setdefault(str(step["dag_id"]), []).append(outcome)
    return Ran(outcomes, base / "airflow" / "lineage.db", base, kept, done.stdout)


def batches(log, dag_id, model):
    """Return how often each day of a microbatch model began, in the runs of one DAG."""
    (part,) = (text for text in log.split("\n=== ") if text.startswith(f"{dag_id}\n"))
    return Counter(re.findall(rf"START batch (\S+) of {re.escape(model)} ", part))


def days(first, last):
    return [f"2026-01-{day:02}" for day in range(first, last + 1)]


def test_only_the_mapped_task_that_failed_was_retried(ran):
    (backfill,) = ran.outcomes["backfill"]
    tries = {index: tries for task, index, _, tries in backfill["tasks"] if task == "gold"}
    assert (len(tries), sum(tries.values())) == (10, 11)
    assert max(tries.values()) == 2
    assert backfill["state"] == "success"


def test_in_a_backfill_only_the_batch_that_failed_ran_again(ran):
    assert batches(ran.log, "backfill", "gold.daily") == dict.fromkeys(days(1, 30), 1)
    assert batches(ran.log, "backfill", "gold.values_of_day") == {
        **dict.fromkeys(days(1, 30), 1),
        "2026-01-17": 2,
    }
    assert ran.ids("backfill") == (90, 90)


def test_in_a_backfill_only_the_nodes_that_failed_or_were_skipped_ran_again(ran):
    (backfill,) = ran.outcomes["backfill"]
    assert ran.ends(backfill) == {
        ("silver.events", "COMPLETE"): 1,
        ("gold.daily", "COMPLETE"): 10,
        ("gold.steady", "COMPLETE"): 10,
        ("gold.values_of_day", "COMPLETE"): 10,
        ("gold.values_of_day", "FAIL"): 1,
        ("gold.totals", "COMPLETE"): 10,
        ("gold.totals", "ABORT"): 1,
    }


def test_the_lineage_of_the_backfill_is_whole(ran):
    (backfill,) = ran.outcomes["backfill"]
    assert backfill["returned"]["validate.-1"]["outcome"] == "PASS"
    assert backfill["returned"]["validate.-1"]["edges"] == 4


def test_mapped_tasks_update_the_assets_too(ran):
    (backfill,) = ran.outcomes["backfill"]
    updates = Counter(uri for uri, _ in backfill["assets"])
    assert updates == {
        "dbt://backfill/silver": 1,
        "dbt://backfill/gold": 10,
        **{f"dbt://backfill/gold/{name}": 10 for name in ("daily", "steady", "values_of_day", "totals")},
    }


def test_nothing_is_kept_for_a_retry_after_the_success(ran):
    assert list((ran.projects / "backfill" / "target").glob("retries/*")) == []


@pytest.mark.parametrize("dag_id", ["elsewhere", "other_interpreter"])
def test_a_retry_on_another_worker_starts_from_the_results_in_the_object_store(ran, dag_id):
    (outcome,) = ran.outcomes[dag_id]
    assert outcome["tasks"] == [["all", -1, "success", 2]]
    assert ran.ends(outcome) == {
        ("silver.events", "COMPLETE"): 1,
        ("gold.daily", "COMPLETE"): 1,
        ("gold.steady", "COMPLETE"): 1,
        ("gold.values_of_day", "FAIL"): 1,
        ("gold.values_of_day", "COMPLETE"): 1,
        ("gold.totals", "ABORT"): 1,
        ("gold.totals", "COMPLETE"): 1,
    }


def test_a_retry_runs_the_batches_that_failed_but_all_of_a_table_that_is_made_anew(ran):
    expected = {"elsewhere": (1, 2, 1), "other_interpreter": (2, 2, 2)}
    for dag_id, counts in expected.items():
        found = batches(ran.log, dag_id, "gold.values_of_day")
        assert tuple(found[day] for day in days(16, 18)) == counts
        assert ran.ids(dag_id) == (9, 9)


@pytest.mark.parametrize("dag_id", ["elsewhere", "other_interpreter"])
def test_each_model_s_asset_is_updated_once_whichever_try_made_it(ran, dag_id):
    (outcome,) = ran.outcomes[dag_id]
    assets = dict(outcome["assets"])
    assert len(outcome["assets"]) == len(assets)
    assert set(assets) == {
        f"dbt://{dag_id}/silver/events",
        *(f"dbt://{dag_id}/gold/{model}" for model in ("daily", "steady", "values_of_day", "totals")),
    }
    lineage = assets[f"dbt://{dag_id}/gold/totals"]
    namespace = f"duckdb://{ran.projects}/{dag_id}/warehouse.duckdb"
    assert lineage["job"] == {"namespace": "dbt", "name": "gold.totals"}
    assert lineage["dataset"] == {"namespace": namespace, "name": "warehouse.gold.totals"}
    assert lineage["inputs"] == [{"namespace": namespace, "name": "warehouse.gold.values_of_day"}]
    assert lineage["columns"] == {"total": [[namespace, "warehouse.gold.values_of_day", "value"]]}


def test_a_dag_that_is_scheduled_on_a_model_or_on_any_of_a_project_is_queued(ran):
    queued = {dag_id: outcomes[0]["queued"] for dag_id, outcomes in ran.outcomes.items()}
    assert queued["elsewhere"] == ["totals_report"]
    assert queued["other_interpreter"] == ["any_report"]
    assert queued["backfill"] == queued["changed"] == []


def test_the_state_of_the_last_success_selects_what_changed(ran):
    first, unchanged, changed = ran.outcomes["changed"]
    assert set(ran.ends(first)) == {(f"gold.{name}", "COMPLETE") for name in "abc"}
    assert [task[2] for task in unchanged["tasks"]] == ["skipped"]
    assert set(ran.ends(changed)) == {("gold.a", "COMPLETE"), ("gold.b", "COMPLETE")}


def test_the_artifacts_are_kept_under_the_task_of_each_run(ran):
    kept = {key for key in ran.kept if key.startswith("changed/")}
    assert len({key.split("/")[1] for key in kept}) == 3
    assert {key.split("/", 2)[2] for key in kept} == {
        f"changed/{name}" for name in ("manifest.json", "run_results.json", "try.json")
    }
