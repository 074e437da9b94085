"""The pipeline under a real scheduler, from a trigger through the REST API to its lineage."""

from __future__ import annotations

import os
import socket
import subprocess
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from airflow_lineage_provider.store import EventStore

from .pipeline import BIN, DAG_ID, new_pipeline
from .standalone import free_ports, standalone
from .triggered import trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .triggered import Triggered

pytestmark = pytest.mark.e2e

TASKS = {
    "ingest.bronze",
    "check_freshness",
    "silver",
    "gold",
    "validate_lineage",
    "bronze_retention",
    "check_retention",
}
MODELS = {
    *("bronze.raw_customers", "bronze.raw_orders", "bronze.raw_products", "bronze.raw_customer_events"),
    *("silver.stg_customers", "silver.stg_orders", "silver.stg_events"),
    *("gold.customer_orders_summary", "gold.customer_behavior"),
}


FORWARD_DAG = """
from airflow.sdk import DAG
from airflow_lineage_provider.operators.forward import ForwardLineageOperator

with DAG("forward_lineage", schedule=None, default_args={"retries": 9, "retry_delay": 0}):
    ForwardLineageOperator(task_id="forward", conn_id="another_store", deferrable=True)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Iterator[Triggered]:
    """Start Airflow, trigger the DAG and wait for its end."""
    pipeline = new_pipeline(tmp_path_factory.mktemp("scheduler"))
    (pipeline.root / "dags" / "forward_lineage.py").write_text(FORWARD_DAG)
    with standalone(pipeline) as airflow:
        yield trigger(airflow, airflow.token("admin"), DAG_ID)


def test_every_task_succeeded_the_deferred_validation_too(run):
    states = {name: task["state"] for name, task in run.tasks().items()}
    assert states == dict.fromkeys(TASKS, "success"), run.airflow.tail()


def test_the_validation_passed_and_says_so_in_xcom(run):
    assert run.validation()["outcome"] == "PASS"
    assert run.validation()["edges"] > len(MODELS)


def test_the_events_of_the_dbt_nodes_and_of_airflow_are_one_tree(run):
    events = run.events()
    dbt = [event for event in events if event["job"]["namespace"] == "dbt"]
    airflow = [event for event in events if event["job"]["name"].startswith(f"{DAG_ID}.")]
    tasks = {event["run"]["runId"] for event in airflow}

    assert {event["job"]["name"] for event in dbt if event["eventType"] == "COMPLETE"} >= MODELS
    assert {event["run"]["facets"]["parent"]["root"]["job"]["name"] for event in dbt} == {DAG_ID}
    assert {event["run"]["facets"]["parent"]["run"]["runId"] for event in dbt} <= tasks
    ended = {event["job"]["name"] for event in airflow if event["eventType"] == "COMPLETE"}
    assert ended == {f"{DAG_ID}.{task}" for task in TASKS}


def test_the_log_of_a_layer_has_dbt_s_lines_with_each_node_s_number(run):
    log = run.get("/taskInstances/silver/logs/1").text
    assert "1 of " in log
    assert "stg_orders" in log
    assert "OK" in log


def test_each_layer_is_an_invocation_of_its_own_although_the_scheduler_has_imported_dbt(run):
    returned = (
        run.get(f"/taskInstances/{layer}/xcomEntries/return_value?deserialize=true").json()["value"]
        for layer in ("ingest.bronze", "silver", "gold")
    )
    assert len({value["invocation_id"] for value in returned}) == 3


def report_link(run: Triggered) -> str:
    return run.get("/taskInstances/validate_lineage/links").json()["extra_links"]["Lineage report"]


def test_the_extra_link_leads_to_the_report_of_this_run(run):
    page = run.airflow.request("GET", report_link(run), token=run.token)
    assert page.status == 200
    assert page.content_type.startswith("text/html")
    assert escape(run.run_id) in page.text
    for model in MODELS:
        assert f"<code>{model}</code>" in page.text
    assert "failed" not in page.text.partition("<body>")[2]
    assert '<code>validate_lineage</code> <span class="state ok">PASS</span>' in page.text


def test_a_browser_that_is_logged_in_sees_the_report(run):
    assert run.airflow.request("GET", report_link(run), cookie=run.token).status == 200


def test_the_report_needs_a_login_and_the_right_to_see_the_dag(run):
    link = report_link(run)
    assert run.airflow.request("GET", link).status == 401
    assert run.airflow.request("GET", link, token="forged").status == 403
    assert run.airflow.request("GET", link, token=run.airflow.token("guest")).status == 403


def test_a_run_id_that_no_database_can_hold_is_refused(run):
    link = "/lineage/report?" + urlencode({"dag_id": DAG_ID, "run_id": "a\0b"})
    assert run.airflow.request("GET", link, token=run.token).status == 422


def test_the_report_of_a_run_that_there_is_not_is_not_found(run):
    link = "/lineage/report?" + urlencode({"dag_id": DAG_ID, "run_id": "no-such-run"})
    assert run.airflow.request("GET", link, token=run.token).status == 404


REPORTED = {
    "eventType": "COMPLETE",
    "eventTime": "2026-01-01T00:00:00Z",
    "producer": "https://example.com/spark",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "run": {"runId": "0190a0e2-0000-7000-8000-00000000beef"},
    "job": {"namespace": "spark", "name": "nightly"},
    "inputs": [],
    "outputs": [],
}


def test_what_another_system_reports_comes_into_the_same_store(run):
    done = run.airflow.request("POST", "/lineage/api/v1/lineage", REPORTED, run.token)
    assert done.status == 201, done.text
    store = run.airflow.pipeline.store
    assert list(EventStore(str(store)).events(job_namespace="spark")) == [REPORTED]


def test_reporting_needs_a_login_and_the_right(run):
    guest = run.airflow.token("guest")
    for token, status in (("", 401), ("forged", 403), (f"{run.token}x", 403), (guest, 403)):
        assert run.airflow.request("POST", "/lineage/api/v1/lineage", REPORTED, token).status == status


@pytest.mark.parametrize(
    ("body", "status"), [({"eventType": "COMPLETE"}, 422), ([REPORTED, 1], 422), ("x" * 2**24, 413)]
)
def test_what_is_no_event_is_refused(run, body, status):
    assert run.airflow.request("POST", "/lineage/api/v1/lineage", body, run.token).status == status


def test_reporting_is_what_its_openapi_document_says(run, schemathesis):
    document = f"{run.airflow.url}/lineage/openapi.json"
    assert not schemathesis(document, run.token, "--include-path", "/api/v1/lineage")


@pytest.fixture
def another_store(run) -> Iterator[EventStore]:
    """Serve `airflow-lineage serve`, the backend behind the connection of the same name."""
    path = run.airflow.pipeline.root / "another.db"
    (port,) = free_ports(1)
    command = [BIN / "airflow-lineage", "serve", "--store", str(path), "--port", str(port)]
    with subprocess.Popen(command, env=os.environ | {"AIRFLOW_LINEAGE_TOKEN": "a-token"}) as server:
        connection = {"connection_id": "another_store", "conn_type": "openlineage", "password": "a-token"}
        connection |= {"host": "127.0.0.1", "port": port}
        try:
            assert run.airflow.request("POST", "/api/v2/connections", connection, run.token).status == 201
            run.airflow.wait_until("serving", lambda: listens(port), seconds=60)
            yield EventStore(str(path))
        finally:
            run.airflow.request("DELETE", "/api/v2/connections/another_store", token=run.token)
            server.terminate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_triggerer_takes_the_events_on_to_a_backend(run, another_store):
    """In the order of each run; the task's worker is free while the triggerer sends over HTTP.

    Airflow 3.3 can fail a task that resumes: both halves of a deferred task have one key, and
    `BaseExecutor.trigger_tasks` sends the second half while the first still is in `running`. When the worker
    of the first half ends, `change_state` removes the key, `has_task` is false, and the condition
    `ti_queued and not ti_requeued` of `SchedulerJobRunner.process_executor_events` (scheduler_job_runner.py,
    line 1494) fails the second half. Its comment names the race for a task that is SCHEDULED; for one that is
    QUEUED or RUNNING it remains. So a try may fail here; the retry sends what is left.
    """
    events = run.events()

    forwarded = trigger(run.airflow, run.token, "forward_lineage")

    task = forwarded.tasks()["forward"]
    tries = range(1, task["try_number"] + 1)
    log = "".join(forwarded.get(f"/taskInstances/forward/logs/{number}").text for number in tries)
    assert task["state"] == "success", f"{log}\n{run.airflow.tail()}"
    assert "DEFERRED" in log
    for run_id in {event["run"]["runId"] for event in events}:
        sent = list(another_store.events(run_id=run_id))
        assert len(sent) >= sum(event["run"]["runId"] == run_id for event in events)
        assert sent == list(run.airflow.pipeline.store.events(run_id=run_id))[: len(sent)]


def test_after_one_task_was_cleared_the_validation_still_counts_what_the_others_did(run):
    clear = {"dry_run": False, "dag_run_id": run.run_id, "task_ids": ["gold"], "include_downstream": True}
    clear |= {"only_failed": False, "reset_dag_runs": True}
    assert run.post("/clearTaskInstances", clear).status == 200
    run.wait_until_ended()

    tasks = run.tasks()
    assert {name for name, task in tasks.items() if task["try_number"] > 1} == {
        *("gold", "validate_lineage", "bronze_retention", "check_retention")
    }
    assert tasks["validate_lineage"]["state"] == "success", run.airflow.tail()
    assert run.validation()["outcome"] == "PASS"
    page = run.airflow.request("GET", report_link(run), token=run.token).text
    assert "<code>silver.stg_orders</code>" in page
    assert "<code>gold.customer_behavior</code>" in page
