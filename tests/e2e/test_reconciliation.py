"""The weekly DAG by `airflow dags test`: a week of events and a saved file of DataHub's, no network."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_lineage_provider.lineage_map import load_map
from airflow_lineage_provider.store.reports import reports
from airflow_lineage_provider.systems.datahub.publication import Publication

from .pipeline import new_pipeline

sys.path.insert(0, str(Path(__file__).parents[1] / "readers"))
from pipeline_run import MAP, event, physical, run_events, tables

pytestmark = pytest.mark.e2e
GOLD = "warehouse.gold.customer_behavior"


def week():
    """Return the events of three runs in the last days."""
    found = []
    topic = {"namespace": "kafka://127.0.0.1:9092", "name": "customer-events-prod"}
    land = event("COMPLETE", "land", 199, [topic], [physical("landing.customer_events")])
    for days in (1, 3, 5):
        start = datetime.now(UTC) - timedelta(days=days)
        for number, one in enumerate([*run_events(tables()), land]):
            run = one["run"] | {"runId": f"0000000{days}{one['run']['runId'][8:]}"}
            found.append(one | {"eventTime": (start + timedelta(seconds=number)).isoformat(), "run": run})
    return found


def catalog():
    """Return DataHub's file: what the map documents, less an edge, and with a table that nobody documents."""
    records = []
    for one in Publication(load_map(MAP), "dev").proposals():
        value = dict(one.value)
        if one.aspect == "upstreamLineage" and GOLD in one.urn:
            value["upstreams"] = [e for e in value["upstreams"] if "stg_events" not in e["dataset"]]
            value["fineGrainedLineages"] = [
                e for e in value["fineGrainedLineages"] if "stg_events" not in e["upstreams"][0]
            ]
        records.append({"entityUrn": one.urn, "aspectName": one.aspect, "aspect": {"json": value}})
    extra = "urn:li:dataset:(urn:li:dataPlatform:duckdb,warehouse.gold.forgotten,PROD)"
    records.append({"entityUrn": extra, "aspectName": "status", "aspect": {"json": {"removed": False}}})
    return records


@pytest.fixture(scope="module")
def reconciled(tmp_path_factory):
    pipeline = new_pipeline(tmp_path_factory.mktemp("reconciliation") / "p")
    pipeline.store.append(week())
    (pipeline.root / "datahub.json").write_text(json.dumps(catalog()))
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("LINEAGE_DATAHUB_FILE", str(pipeline.root / "datahub.json"))
    done = pipeline.run("airflow", "dags", "test", "lineage_reconciliation")
    monkeypatch.undo()
    return pipeline, done


def test_the_dag_compares_three_ways_and_fails_by_the_policy(reconciled):
    _, done = reconciled
    said = done.stdout
    edge = "silver.stg_events -> gold.customer_behavior is documented and emitted, and not in DataHub"
    assert edge in " ".join(said.split())
    assert "gold.forgotten is in DataHub, and not documented or emitted" in said
    assert "AirflowFailException" in said


def test_the_report_is_a_file_and_the_trend_is_kept(reconciled):
    pipeline, _ = reconciled
    (page,) = (pipeline.root / "airflow" / "lineage_reports").glob("reconciliation-*.html")
    text = page.read_text()
    assert "Lineage reconciliation: DRIFT" in text
    assert "gold.forgotten" in text
    (kept,) = reports(pipeline.store, "reconciliation", "customer_analytics_pipeline")
    assert kept["kinds"] == ["map", "event", "datahub"]
    assert kept["incomplete"] == []


def test_the_quarterly_review_shows_it_beside_what_was_observed(reconciled):
    pipeline, _ = reconciled
    done = pipeline.run("airflow", "dags", "test", "lineage_review")
    folder = pipeline.root / "airflow" / "lineage_reports"
    (markdown,) = folder.glob("lineage-review-*.md")
    (page,) = folder.glob("lineage-review-*.html")
    assert done.returncode == 0, done.stdout[-3000:]
    text = markdown.read_text()
    assert "| reconciliation | DRIFT |" in text
    assert "| `gold.customer_behavior` | 3 |" in text
    assert "- 14 of 18 documented datasets observed" in text
    assert page.read_text().count("<h2>") >= 8
