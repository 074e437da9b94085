"""Cosmos runs a project; one line, the callback, emits each node's lineage (docs/snippets/dbt/cosmos.py)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.airflow_home import airflow_environment

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))

from dbt_projects import write_project

from airflow_lineage_provider.store import EventStore
from tests.support.environments import python_of

SNIPPET = Path(__file__).parents[2] / "docs" / "snippets" / "dbt" / "cosmos.py"
FILES = {
    "models/gold/orders.sql": "{{ config(materialized='table') }} select 1 as id, 2 as amount",
    "models/gold/totals.sql": "select sum(amount) as total from {{ ref('orders') }}",
}
RUN = """
import os
from datetime import UTC, datetime
from airflow.dag_processing.dagbag import DagBag
from airflow.utils.db import upgradedb

upgradedb()
bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
assert not bag.import_errors, bag.import_errors
(dag,) = bag.dags.values()
print("=== state", dag.test(logical_date=datetime(2026, 1, 1, tzinfo=UTC)).state)
"""


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cosmos")
    project = write_project(folder / "project", FILES)
    home = folder / "airflow"
    (home / "dags").mkdir(parents=True)
    (home / "dags" / "dag.py").write_text(SNIPPET.read_text().replace("/opt/dbt/analytics", str(project)))
    (libraries,) = Path(python_of("airflow-cosmos")).parents[1].glob("lib/python*/site-packages")
    given = airflow_environment(
        home,
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        PYTHONPATH=str(libraries),
        AIRFLOW__AIRFLOW_LINEAGE__STORE=str(home / "lineage.db"),
        AIRFLOW__COSMOS__ENABLE_TELEMETRY="False",
        AIRFLOW__COSMOS__ENABLE_CACHE="False",
    )
    command = [sys.executable, "-c", RUN]
    done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=300, check=False)
    assert "=== state success" in done.stdout, (done.stdout + done.stderr)[-5000:]
    found = EventStore(str(home / "lineage.db")).events()
    return [event for event in found if event["job"]["namespace"] == "dbt"]


def test_each_node_has_its_events_below_the_task_that_ran_it(events):
    found = [
        (event["job"]["name"], event["eventType"], event["run"]["facets"]["parent"]["job"]["name"])
        for event in events
    ]
    assert found == [
        ("gold.orders", "START", "analytics_cosmos.orders_run"),
        ("gold.orders", "COMPLETE", "analytics_cosmos.orders_run"),
        ("gold.totals", "START", "analytics_cosmos.totals_run"),
        ("gold.totals", "COMPLETE", "analytics_cosmos.totals_run"),
    ]


def test_the_inputs_and_the_sql_are_those_of_the_node(events):
    end = events[-1]
    assert [dataset["name"] for dataset in end["inputs"]] == ["warehouse.gold.orders"]
    assert [dataset["name"] for dataset in end["outputs"]] == ["warehouse.gold.totals"]
    assert "sum(amount)" in end["job"]["facets"]["sql"]["query"]
    assert json.dumps(end).count("after_the_fact")
