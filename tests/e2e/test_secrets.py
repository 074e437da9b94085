"""Secrets are planted, the whole pipeline runs, and nothing that it leaves for people to read has one."""

from __future__ import annotations

import json

import pytest

from .pipeline import DAG_ID, Pipeline, new_pipeline

pytestmark = pytest.mark.e2e

PASSWORD = "Planted-Password-91c4"  # Airflow knows it: a connection's
SIGNATURE = "PlantedSignature7f0e"  # nobody knows it: in a URL that a model reads
USERINFO = "PlantedUserInfo33aa"  # in an address that a comment mentions
PLANTED = (PASSWORD, SIGNATURE, USERINFO)

SQL = f"""
  '{{{{ var("planted") }}}}' as planted,
  'https://lake.example.com/x.csv?sig={SIGNATURE}' as address, -- see ftp://me:{USERINFO}@example.com/notes
  orders.total_orders,"""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> Pipeline:
    pipeline = new_pipeline(tmp_path_factory.mktemp("secrets"))
    pipeline.edit("gold/marts/customer_behavior.sql", "  orders.total_orders,", SQL)
    dag = pipeline.root / "dags" / f"{DAG_ID}.py"
    text = dag.read_text()
    known = '"target": TARGET}'
    assert text.count(known) == 1
    dag.write_text(
        text.replace(known, '"target": TARGET, "vars": {"planted": "{{ conn.planted.password }}"}}')
    )
    return pipeline


@pytest.fixture(scope="module")
def printed(pipeline, monkeypatch_module) -> str:
    """What the run printed: all of dbt's and Airflow's log lines. The two columns are drift."""
    connection = json.dumps({"conn_type": "generic", "password": PASSWORD})
    monkeypatch_module.setenv("AIRFLOW_CONN_PLANTED", connection)
    done = pipeline.run("airflow", "dags", "test", DAG_ID)
    assert "gold.customer_behavior.planted" in done.stdout, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def clean(text: str) -> bool:
    return not any(secret in text for secret in PLANTED)


def test_the_secret_was_in_what_dbt_ran(pipeline, printed):
    compiled = (pipeline.root / "dbt_project" / "target" / "compiled").rglob("customer_behavior.sql")
    assert all(secret in next(iter(compiled)).read_text() for secret in (PASSWORD,))


def test_no_event_has_one(pipeline, printed):
    events = json.dumps(list(pipeline.store.events()))
    assert "customer_behavior" in events
    assert clean(events)


def test_names_are_not_touched(pipeline, printed):
    (event,) = (
        event
        for event in pipeline.store.events(job_name="gold.customer_behavior")
        if event["eventType"] == "COMPLETE"
    )
    fields = [field["name"] for field in event["outputs"][0]["facets"]["schema"]["fields"]]
    assert fields[-4:] == ["planted", "address", "total_orders", "total_revenue"]
    assert "?sig=***" in event["job"]["facets"]["sql"]["query"]


def test_no_log_line_has_one(printed):
    assert clean(printed)


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "junit", "sarif", "github"])
def test_no_report_has_one(pipeline, printed, form):
    environment = ("--environment", "dev", "--store", str(pipeline.root / "airflow" / "lineage.db"))
    done = pipeline.run("airflow-lineage", "validate", f"dags/{DAG_ID}.yaml", *environment, "--format", form)
    assert "planted" in done.stdout
    assert clean(done.stdout)
