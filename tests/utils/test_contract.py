"""Which nodes of a dbt run the documented map stops before their SQL is sent."""

from __future__ import annotations

import duckdb
import pytest

from airflow_lineage_provider.dbt import Command, DbtRun
from airflow_lineage_provider.dbt.records import LogLine, NodeFinished
from airflow_lineage_provider.utils.contract import node_check
from airflow_lineage_provider.utils.dbt_process import DbtProcess
from tests.dbt.dbt_projects import write_project
from tests.support.environments import python_of

MAP = """
document: {title: Sales}
layers:
  silver:
    tables:
      orders: {columns: {id: {}, amount: {}, customer_id: {}}}
      customers: {columns: {id: {}, name: {}}}
  gold:
    tables:
      revenue:
        from: silver.orders
        columns:
          customer_id: {from: silver.orders.customer_id}
          revenue: {from: silver.orders.amount, expression: SUM(amount)}
      copy:
        from: silver.orders
        columns: {id: {from: silver.orders.id}, amount: {from: silver.orders.amount}}
environments:
  dev:
    bindings: [{dataset: "{layer}.{table}", namespace: "duckdb://*", name: "*.{layer}.{table}"}]
"""
TABLE = "{{ config(materialized='table') }} "
MODELS = {
    "models/silver/orders.sql": TABLE + "select 1 as id, 10 as amount, 7 as customer_id",
    "models/silver/customers.sql": TABLE + "select 7 as id, 'a' as name",
    "models/gold/revenue.sql": TABLE
    + "select customer_id, sum(amount) as revenue from {{ ref('orders') }} group by 1",
    "models/gold/copy.sql": TABLE + "select id, amount from {{ ref('orders') }}",
    "models/gold/after.sql": TABLE + "select * from {{ ref('copy') }}",
}
PYTHON = "dbt-1.10"
REVENUE, COPY = "models/gold/revenue.sql", "models/gold/copy.sql"


@pytest.fixture
def run(tmp_path):
    """Return a function that builds the project with other models, and returns each failed node's error."""

    def build(models=(), *, policy="", documents_after=True, python=None):
        project = write_project(tmp_path / "shop", MODELS | dict(models))
        lineage_map = tmp_path / "map.yaml"
        text = MAP.replace("environments:", "      after: {from: gold.copy}\nenvironments:")
        lineage_map.write_text((text if documents_after else MAP) + policy)
        command = Command(project_dir=str(project), profiles_dir=str(project), verb="build")
        check = node_check(lineage_map, "dev")
        if python:
            records = list(DbtProcess(python_of(python), command, lambda *_: (), check))
        else:
            records = list(DbtRun(command, check_node=check))
        build.log = [record.text for record in records if isinstance(record, LogLine)]
        build.status = {r.node.label: r.status for r in records if isinstance(r, NodeFinished)}
        with duckdb.connect(str(project / "warehouse.duckdb"), read_only=True) as warehouse:
            tables = warehouse.sql("select table_schema || '.' || table_name from information_schema.tables")
            build.tables = {name for (name,) in tables.fetchall()}
        return {r.node.label: r.message for r in records if isinstance(r, NodeFinished) and r.failed}

    return build


def test_a_project_that_keeps_the_map_runs(run):
    assert run() == {}
    assert "gold.revenue" in run.tables


@pytest.mark.parametrize(
    ("path", "sql", "finding"),
    [
        (
            REVENUE,
            "select customer_id, max(amount) as revenue from {{ ref('orders') }} group by 1",
            "expression-changed: gold.revenue.revenue is documented as SUM(amount) and is MAX(amount)",
        ),
        (
            REVENUE,
            "select customer_id, count(*) as orders from {{ ref('orders') }} group by 1",
            "column-missing: gold.revenue.revenue is documented, and gold.revenue has no such column",
        ),
        (
            COPY,
            "select id, amount, customer_id from {{ ref('orders') }}",
            "column-unexpected: gold.copy.customer_id is not documented",
        ),
        (
            COPY,
            "select id, customer_id as amount from {{ ref('orders') }}",
            "silver.orders.customer_id",
        ),
        (
            COPY,
            "select orders.id, orders.amount from {{ ref('orders') }} as orders, {{ ref('customers') }} as c",
            "edge-unexpected: gold.copy reads silver.customers, which the map does not document",
        ),
        (COPY, "select 1 as id, 2 as amount", "edge-missing: silver.orders -> gold.copy is documented"),
    ],
    ids=["expression", "column missing", "column unexpected", "source", "input unexpected", "input missing"],
)
def test_drift_stops_the_node_and_skips_what_is_downstream(run, path, sql, finding):
    failed = run({path: TABLE + sql})
    label = "gold." + path.split("/")[-1].removesuffix(".sql")
    assert list(failed) == [label]
    assert failed[label].startswith("it breaks the documented lineage and was not run: ")
    assert finding in failed[label]
    assert label not in run.tables
    assert (run.status["gold.after"] == "skipped") == (path == COPY)


def test_a_model_that_the_map_does_not_list_is_not_run(run):
    failed = run(documents_after=False)
    assert list(failed) == ["gold.after"]
    assert "dataset-unexpected: gold.after is not documented: it is made from" in failed["gold.after"]


def test_the_policy_of_the_map_decides_what_is_an_error(run):
    failed = run(
        {COPY: TABLE + "select id, amount, 1 as more from {{ ref('orders') }}"},
        policy="policy: {column-unexpected: warning}\n",
    )
    assert failed == {}


def test_the_columns_of_a_star_are_left_to_the_validation_of_the_run(run):
    assert run({COPY: TABLE + "select * from {{ ref('orders') }}"}) == {}


def test_an_ephemeral_model_is_looked_through(run):
    between = {
        "models/gold/between.sql": "{{ config(materialized='ephemeral') }} select * from {{ ref('orders') }}",
        COPY: TABLE + "select id, amount from {{ ref('between') }}",
    }
    assert run(between) == {}


def test_an_undocumented_table_between_satisfies_a_documented_edge(run):
    between = {
        "models/silver/between.sql": TABLE + "select id as x, amount as y from {{ ref('orders') }}",
        COPY: TABLE + "select x as id, y as amount from {{ ref('between') }}",
    }
    failed = run(between, policy="policy: {dataset-unexpected: warning}\n")
    assert failed == {}


def test_a_node_of_dbt_in_its_own_interpreter_is_stopped_as_well(run):
    failed = run({COPY: TABLE + "select id, customer_id as amount from {{ ref('orders') }}"}, python=PYTHON)
    assert list(failed) == ["gold.copy"]
    assert failed["gold.copy"].startswith("it breaks the documented lineage and was not run: ")
    assert "silver.orders.customer_id" in failed["gold.copy"]
    assert "gold.copy" not in run.tables
    assert run.status["gold.after"] == "skipped"


@pytest.mark.parametrize("python", [None, PYTHON], ids=["here", "in another interpreter"])
def test_a_check_that_cannot_be_made_never_fails_a_model(run, monkeypatch, python):
    def broken(*_):
        raise RuntimeError("no such thing")

    monkeypatch.setattr("airflow_lineage_provider.checks.contract.read_manifest", broken)
    assert run({COPY: TABLE + "select 1 as other from {{ ref('orders') }}"}, python=python) == {}
    assert any("is not checked before it runs: " in line and "no such thing" in line for line in run.log)
