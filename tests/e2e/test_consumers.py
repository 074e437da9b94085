"""The whole path: the pipeline with Great Expectations, then its consumers from saved answers, in Airflow."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest

from airflow_lineage_provider.store.latest import latest_roots
from tests.support.gx import gx_path

from .pipeline import Pipeline, new_pipeline

pytestmark = pytest.mark.e2e

MAP = "dags/customer_analytics_pipeline.yaml"


@dataclass(frozen=True, slots=True)
class WithExpectations(Pipeline):
    """The pipeline where Great Expectations is installed."""

    @property
    def environ(self):
        return Pipeline.environ.fget(self) | {"PYTHONPATH": str(gx_path())}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """The pipeline after one run of it and one of its consumers' DAG, with the log of both."""
    plain = new_pipeline(tmp_path_factory.mktemp("path") / "demo")
    made = WithExpectations(plain.root, plain.bin)
    log = ""
    for dag in ("customer_analytics_pipeline", "customer_analytics_consumers"):
        done = made.run("airflow", "dags", "test", dag, timeout=240)
        assert done.returncode == 0, done.stdout[-5000:]
        log += done.stdout
    return made, log


def validated(pipeline, *options):
    done = pipeline.run("airflow-lineage", "validate", MAP, "--environment", "dev", *options)
    return done.stdout


def test_every_documented_edge_is_verified_and_the_report_says_which_by_a_saved_answer_only(pipeline):
    report = validated(pipeline[0])
    data = json.loads(validated(pipeline[0], "--format", "json"))
    documented = [edge for edge in data["edges"] if edge["verdict"] != "UNDECLARED"]

    # The embedded warehouse has no Kafka topic here, so its edge is not of these runs.
    assert re.search(r"PASS  16 edges and \d+ column edges verified, 4 by a saved answer only", report)
    assert [edge["source"] for edge in documented if edge["verdict"] != "VERIFIED"] == [
        "kafka.customer-events-prod"
    ]
    assert {edge["target"] for edge in documented if "saved_answer" in edge} == {
        *("Customer Analytics Dashboard", "Executive KPI Report"),
        *("customer_engagement_features", "churn_prediction_model"),
    }
    assert report.count("saved answer of 2026-11-25") == 4


def test_the_sensor_of_the_consumers_validates_the_pipelines_run_too(pipeline):
    assert re.search(r"PASS  16 edges and \d+ column edges verified, 4 by a saved answer only", pipeline[1])


def test_the_suites_of_the_project_ran_on_silver_and_the_map_finds_its_checks(pipeline):
    made, _ = pipeline
    (root,) = latest_roots(made.store, ["customer_analytics_pipeline"])
    ends = [
        event
        for event in made.store.events(root_run_id=root)
        if event["job"]["namespace"] == "great_expectations" and event["eventType"] == "COMPLETE"
    ]
    assert [event["job"]["name"] for event in ends] == [
        *("silver.stg_customers", "silver.stg_events", "silver.stg_orders"),
    ]
    assert "check-not-run" not in validated(made)
    assert "check-missing" not in validated(made)


def test_the_column_chain_from_the_crm_to_the_dashboard_is_complete(pipeline):
    column = "Customer Analytics Dashboard.Total Revenue"
    traced = pipeline[0].run("airflow-lineage", "trace", MAP, column, "--run", "latest", "-e", "dev").stdout
    steps = [line.strip().removeprefix("<- ").partition("  ")[0] for line in traced.splitlines()[1:6]]
    assert steps == [
        *("gold.customer_behavior.total_revenue", "gold.customer_orders_summary.total_revenue"),
        *("silver.stg_orders.order_amount", "bronze.raw_orders.amount", "crm.public.orders.amount"),
    ]
    assert traced.count("[documented and observed") == 5


def test_impact_reaches_four_consumers_with_evidence_for_each_step(pipeline):
    impact = ("airflow-lineage", "impact", MAP, "bronze.raw_orders.amount", "--run", "latest", "-e", "dev")
    text = pipeline[0].run(*impact).stdout
    assert text.splitlines()[-1] == "TOTAL IMPACT: 4 downstream consumers"
    assert "(Tecton)  SUM(total_revenue)  [documented and observed, saved answer of 2026-11-25]" in text
    assert "Owners to inform: Business Intelligence Team, Customer Analytics Team" in text
