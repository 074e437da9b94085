"""The report that a task's log and a terminal show."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "readers"))

from pipeline_run import MAP, run_events, tables

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.lineage_map import load_map
from airflow_lineage_provider.readers import read_evidence
from airflow_lineage_provider.reports.text import outcome, validation_text


def validation(spec=None):
    lineage_map = load_map(MAP)
    evidence = read_evidence("event", run_events(spec), lineage_map, "dev")
    return validate(evidence, lineage_map, environment="dev")


def test_a_run_that_agrees_ends_with_pass():
    lines = validation_text(validation()).splitlines()
    assert lines[-1] == "PASS  12 edges verified, 5 not in this run, 3 notes"
    assert "through gold.customer_orders_summary" in [line.strip() for line in lines]


def test_a_run_that_drifts_ends_with_drift_and_says_what_and_where():
    spec = tables()
    spec["gold.customer_behavior"][1].remove("total_revenue")
    found = validation(spec)
    text = validation_text(found)
    assert text.splitlines()[-1].startswith("DRIFT")
    assert "gold.customer_behavior.total_revenue is documented" in text
    assert "customer_analytics_pipeline.yaml:" in text
    assert outcome(found.comparison) == "DRIFT"


def test_a_log_holds_no_escape_codes_and_lines_of_the_tables_fit():
    text = validation_text(validation())
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100
