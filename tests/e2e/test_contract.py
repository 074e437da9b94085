"""A model whose SQL breaks the documented map fails before it is sent; its table keeps its rows."""

from __future__ import annotations

import re

import duckdb
import pytest

from .pipeline import DAG_ID, Pipeline, new_pipeline

pytestmark = pytest.mark.e2e

SUMMARY = "gold/marts/customer_orders_summary.sql"


def rows(pipeline: Pipeline, table: str) -> list[tuple]:
    with duckdb.connect(
        str(pipeline.root / "dbt_project/data/warehouse.duckdb"), read_only=True
    ) as warehouse:
        return sorted(warehouse.sql(f"select * from {table}").fetchall(), key=repr)


def test_drift_in_a_gold_model_stops_the_run_before_gold_is_overwritten(tmp_path):
    pipeline = new_pipeline(tmp_path)
    done = pipeline.run("airflow", "dags", "test", DAG_ID)
    assert done.returncode == 0, done.stdout[-5000:]
    tables = ("gold.customer_orders_summary", "gold.customer_behavior")
    before = [rows(pipeline, table) for table in tables]
    assert all(before)

    pipeline.edit(SUMMARY, "SUM(order_amount)", "MAX(order_amount)")
    pipeline.run("python", "dbt_project/source_data.py", "--directory", "dbt_project/data", "--batch", "2")
    done = pipeline.run("airflow", "dags", "test", DAG_ID)

    assert done.returncode != 0
    assert [rows(pipeline, table) for table in tables] == before
    message = re.compile(
        r"gold\.customer_orders_summary: .*total_revenue is documented as SUM\(order_amount\) and is "
        r"MAX\(order_amount\) \(documented in \S+/customer_analytics_pipeline\.yaml:\d+"
    )
    assert message.search(done.stdout), done.stdout[-5000:]
    store = pipeline.store
    run = list(store.events(root_run_id=store.latest_root_run()))
    ends = {e["job"]["name"]: e for e in run if e["eventType"] in {"COMPLETE", "FAIL", "ABORT"}}
    failed = ends["gold.customer_orders_summary"]
    assert failed["eventType"] == "FAIL"
    assert "is documented as SUM(order_amount)" in failed["run"]["facets"]["errorMessage"]["message"]
    assert ends["gold.customer_behavior"]["eventType"] == "ABORT"
