"""Secrets are planted, the whole pipeline runs, and nothing that it leaves for people to read has one."""

from __future__ import annotations

import json
import subprocess

import pytest

from airflow_lineage_provider.plugins.dag_run import lineage_of
from airflow_lineage_provider.plugins.report_page import Heading, report_page
from airflow_lineage_provider.utils.dag_run import DagRunIds

from .pipeline import BIN, DAG_ID, Pipeline, new_pipeline

pytestmark = pytest.mark.e2e

PASSWORD = "Planted-Password-91c4"  # Airflow knows it: a connection's
SIGNATURE = "PlantedSignature7f0e"  # nobody knows it: in a URL that a model reads
USERINFO = "PlantedUserInfo33aa"  # in an address that a comment mentions
MOTHERDUCK = "PlantedMotherDuck5d1b"  # in another
API_KEY = "PlantedApiKey88f2"  # of the backend that events are forwarded to
PLANTED = (PASSWORD, SIGNATURE, USERINFO, MOTHERDUCK, API_KEY)

SQL = f"""
  '{{{{ var("planted") }}}}' as planted,
  'https://lake.example.com/x.csv?sig={SIGNATURE}' as address, -- see ftp://me:{USERINFO}@example.com/notes
  orders.total_orders, -- also in md:sales?motherduck_token={MOTHERDUCK}"""
REFUSED = f"""
  error('no https://lake.example.com/y.csv?sig={SIGNATURE} for {{{{ var("planted") }}}}') as refused,
  orders.total_orders, -- also"""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory) -> Pipeline:
    pipeline = new_pipeline(tmp_path_factory.mktemp("secrets"))
    pipeline.edit("gold/marts/customer_behavior.sql", "  orders.total_orders,", SQL)
    pipeline.without_contract()
    dag = pipeline.root / "dags" / f"{DAG_ID}.py"
    text = dag.read_text()
    known = '"target": TARGET}\n'
    assert text.count(known) == 1
    text = text.replace("DbtLayerOperator(", "DbtLayerOperator(vars=VARS, ")
    dag.write_text(text.replace(known, known + 'VARS = {"planted": "{{ conn.planted.password }}"}\n'))
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
def printed_of_failure(pipeline, printed) -> str:
    """What a second run printed, in which the model failed with an error that has secrets in it."""
    pipeline.edit("gold/marts/customer_behavior.sql", "\n  orders.total_orders, -- also", REFUSED)
    done = pipeline.run("airflow", "dags", "test", DAG_ID)
    assert "no https://lake.example.com/y.csv" in done.stdout, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def printed_of_forwarding(pipeline, printed) -> str:
    """What forwarding to a backend printed that cannot be reached, and what the outbox says of it."""
    auth = {"type": "api_key", "apiKey": API_KEY}
    target = {"type": "http", "url": f"http://me:{USERINFO}@127.0.0.1:1", "auth": auth}
    transport = json.dumps({"forward": target})
    forwarder = subprocess.Popen(
        [BIN / "airflow-lineage", "forward", "--transport", transport],
        env=pipeline.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    try:
        while "127.0.0.1:1" not in said:
            line = forwarder.stdout.readline()
            assert line, f"it ended after {said}"
            said += line
        outbox = pipeline.run("airflow-lineage", "outbox").stdout
    finally:
        forwarder.terminate()
        said += forwarder.communicate(timeout=60)[0]
    assert "127.0.0.1:1" in outbox
    return said + outbox


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


def report(pipeline):
    root = pipeline.store.latest_root_run()
    ids = DagRunIds(own=(root,), roots=(root,))
    return report_page(Heading(DAG_ID, "manual", "failed", root), lineage_of(ids, pipeline.store)[0])


def test_no_page_has_one(pipeline, printed):
    assert "customer_behavior" in report(pipeline)
    assert clean(report(pipeline))


def test_an_error_has_none(pipeline, printed_of_failure):
    events = pipeline.store.events(job_name="gold.customer_behavior")
    failed = [event for event in events if event["eventType"] == "FAIL"][-1]
    assert "no https://lake.example.com/y.csv?sig=***" in failed["run"]["facets"]["errorMessage"]["message"]
    assert clean(json.dumps(list(pipeline.store.events())))
    assert clean(printed_of_failure)
    assert "?sig=***" in report(pipeline)
    assert clean(report(pipeline))


def test_forwarding_says_none(printed_of_forwarding):
    assert clean(printed_of_forwarding)


def test_no_file_of_airflow_has_one(pipeline, printed_of_failure):
    """Its database holds rendered templates and what tasks returned."""
    files = [path for path in (pipeline.root / "airflow").rglob("*") if path.is_file()]
    assert "airflow.db" in {path.name for path in files}
    assert [path for path in files if not clean(path.read_text(errors="replace"))] == []
