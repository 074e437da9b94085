# ruff: noqa: E501 - a case is a row
"""The operators of checks, reconciliation, publication and forwarding in a real Airflow: state, log and XCom."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from airflow_cases import Outcome, run_cases
from backend import Backend, backend
from dbt_projects import write_project
from lineage_cases import (
    ADHOC,
    EVENTS,
    JOB,
    MAP,
    MODELS,
    REFUSED,
    TAKEN,
    audit,
    catalog,
    check,
    event,
    forward,
    impact,
    logged,
    publish,
    reconcile,
    review,
)

from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.utils.forwarding import drain

CASES = {
    "agrees": check(),
    "drifts": check(map_path="../../drifted.yaml"),
    "no_such_map": check(map_path="nowhere.yaml"),
    "no_such_manifest": check(manifest_path="/nowhere/manifest.json"),
    "no_such_environment": check(environment="production"),
    "within": impact(allowed=2, change="drop"),
    "templated": {**impact(column="{{ params.column }}"), "params": {"column": "bronze.raw_orders.order_id"}},
    "too_far": impact(allowed=1),
    "only_warns": impact(warn_only=True),
    "migration": impact(column=None, migration_path="../../drop.sql", environment="dev"),
    "harmless_migration": impact(column=None, migration_path="../../add.sql", environment="dev"),
    "no_such_migration": impact(column=None, migration_path="/nowhere.sql"),
    "two_changes": impact(migration_path="../../drop.sql"),
    "audit_agrees": audit(logs="../../jobs.jsonl"),
    "audit_finds": audit(logs=["../../jobs.jsonl", "../../adhoc.jsonl"]),
    "audit_without_log": audit(logs="/nowhere.jsonl"),
    "audit_of_two": audit(logs="../../jobs.jsonl", conn_id="warehouse"),
    "audit_of_no_postgres": audit(conn_id="empty_store"),
    "review": review(),
    "review_without_folder": review(output_dir="/proc/nowhere"),
    "reconciled": reconcile(
        kinds=["map", "manifest", "datahub"],
        manifest_path="../../shop/target/manifest.json",
        datahub_file="../../catalog.json",
        report_path="../../week/report.html",
    ),
    "catalog_differs": reconcile(kinds=["map", "datahub"], datahub_file="../../differs.json"),
    "catalog_is_down": reconcile(kinds=["map", "datahub"], datahub_conn_id="datahub_down"),
    "nothing_ran": reconcile(),
    "one_kind": reconcile(kinds=["map"]),
    "unknown_kind": reconcile(kinds=["map", "rumour"]),
    "kind_without_place": reconcile(kinds=["map", "datahub"]),
    "published_dry": publish(file="/nowhere/catalog.json", dry_run=True),
    "published_nowhere": publish(),
    "impact_without_map": impact(map_path="nowhere.yaml"),
    "no_such_column": impact(column="bronze.raw_orders.amuont"),
    "no_such_dataset": impact(column="bronze.raw_order.amount"),
    "sent_by_a_worker": forward("worker_backend", deferrable=False),
    "sent_by_the_triggerer": forward("triggerer_backend"),
    "partly_refused": forward("picky_backend"),
    "dead": forward("dead_backend", deferrable=False),
    "dead_for_the_triggerer": forward("dead_for_the_triggerer", retries=0),
    "no_such_connection": forward("nowhere", deferrable=False),
    "no_such_connection_for_the_triggerer": forward("nowhere"),
    "takes_no_events": forward("warehouse"),
    "no_such_store": forward("worker_backend", store_conn_id="nowhere"),
    "empty_store": forward("worker_backend", store_conn_id="empty_store"),
}


class Ran(NamedTuple):
    store: str
    backends: dict[str, Backend]
    outcomes: dict[str, Outcome]

    def __getitem__(self, dag_id):
        return self.outcomes[dag_id]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """Run all cases in one Airflow, with live backends and an unreachable one."""
    base = tmp_path_factory.mktemp("lineage_operators")
    home, store = base / "airflow", str(base / "airflow" / "lineage.db")
    project = write_project(base / "shop", MODELS)
    compiled = [sys.executable, "-m", "dbt.cli.main", "--quiet", "compile", "--profiles-dir", project]
    subprocess.run([*compiled, "--project-dir", project], cwd=base, check=True)
    (base / "shop.yaml").write_text(MAP)
    (base / "week.yaml").write_text(MAP.replace("title: Shop", "title: Shop of the week"))
    (base / "catalog.json").write_text(catalog())
    (base / "differs.json").write_text(catalog(without="raw_orders"))
    (base / "drifted.yaml").write_text(MAP.replace("DECIMAL(10,2)", "DECIMAL(12,2)"))
    (base / "drop.sql").write_text("alter table bronze.raw_orders drop column amount")
    (base / "add.sql").write_text("alter table bronze.raw_orders add column extra int")
    (base / "jobs.jsonl").write_text(logged((JOB, "dbt")))
    (base / "adhoc.jsonl").write_text(logged((ADHOC, "eve")))
    EventStore(store).append(EVENTS)
    with backend() as worker, backend() as triggerer, backend(REFUSED) as picky:
        with backend() as dead:
            pass
        backends = {"worker": worker, "triggerer": triggerer, "picky": picky}
        connections = {f"{name}_backend": connection(found.port) for name, found in backends.items()} | {
            "dead_backend": connection(dead.port),
            "dead_for_the_triggerer": connection(dead.port),
            "datahub_down": {"conn_type": "lineage_datahub", "host": "127.0.0.1", "port": dead.port},
            "warehouse": {"conn_type": "postgres", "host": "127.0.0.1"},
            "empty_store": {"conn_type": "lineage_store", "host": str(base / "empty.db")},
        }
        environ = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(conn) for name, conn in connections.items()}
        return Ran(store, backends, run_cases(home, CASES, environ))


def connection(port):
    return {"conn_type": "openlineage", "host": "127.0.0.1", "port": port}


def test_a_project_that_matches_the_map_passes(airflow):
    ran = airflow["agrees"]
    assert ran.state == "success"
    assert ran.returned == {"outcome": "PASS", "edges": 3, "findings": [], "accepted": 0}
    assert "silver.orders" in ran.log


def test_drift_fails_the_task_without_retry_and_names_dataset_and_difference(airflow):
    ran = airflow["drifts"]
    assert (ran.state, ran.tries) == ("failed", 1)
    assert ran.error.startswith("expression-changed: silver.orders.order_amount")
    assert "DECIMAL(12,2)" in ran.error.replace(", ", ",")
    assert "DECIMAL(10,2)" in ran.error.replace(", ", ",")
    assert "drifted.yaml:" in ran.error


def test_a_change_within_what_is_allowed_passes_and_returns_what_it_reaches(airflow):
    ran = airflow["within"]
    assert ran.state == "success"
    assert ran.returned["consumers"] == ["Revenue", "churn"]
    effects = {(r["dataset"], r["column"]): r["effect"] for r in ran.returned["reached"] if "effect" in r}
    assert effects["silver.orders", "order_amount"] == "breaks"


def test_the_column_can_be_a_template(airflow):
    assert airflow["templated"].returned["starts"] == ["bronze.raw_orders.order_id"]


def test_a_change_that_reaches_too_far_fails_with_the_consumers_names(airflow):
    ran = airflow["too_far"]
    assert (ran.state, ran.tries) == ("failed", 1)
    assert ran.error == (
        "changing bronze.raw_orders.amount affects 2 consumers, 1 are allowed: Revenue, churn"
    )


def test_a_migration_that_reaches_too_far_fails_with_the_consumers_names(airflow):
    ran = airflow["migration"]
    assert (ran.state, ran.tries) == ("failed", 1)
    assert ran.error == "changing ../../drop.sql affects 2 consumers, 0 are allowed: Revenue, churn"
    assert "bronze.raw_orders.amount is dropped" in ran.log


def test_a_migration_that_reaches_nobody_passes(airflow):
    ran = airflow["harmless_migration"]
    assert (ran.state, ran.returned["consumers"]) == ("success", {})


def test_an_audit_of_the_documented_jobs_passes(airflow):
    ran = airflow["audit_agrees"]
    assert ran.state == "success"
    assert (ran.returned["outcome"], ran.returned["statements"], ran.returned["outside"]) == ("PASS", 1, 0)


def test_an_audit_that_finds_a_write_outside_of_the_jobs_fails_for_good(airflow):
    ran = airflow["audit_finds"]
    assert (ran.state, ran.tries) == ("failed", 1)
    assert ran.error.startswith(
        "adhoc-write: silver.orders was written outside of the documented jobs by eve"
    )
    assert "41110004111" not in ran.log


def test_a_review_writes_its_package_and_knows_the_audits_before_it(airflow):
    ran = airflow["review"]
    assert ran.state == "success"
    markdown, page = (Path(file).read_text() for file in ran.returned["files"])
    assert markdown.startswith("# Lineage review: ")
    assert page.startswith("<!doctype html>")
    assert ran.returned["checks"] == 2


def test_three_that_agree_are_reconciled_and_reported_to_a_file(airflow):
    ran = airflow["reconciled"]
    assert (ran.state, ran.returned["outcome"]) == ("success", "PASS")
    assert ran.returned["compared"] == ["map", "manifest", "datahub"]
    (report,) = re.findall(r"the report is in (\S+\.html)", ran.log)
    assert "Lineage reconciliation: PASS" in Path(report).read_text()


def test_a_catalog_that_differs_fails_the_task_by_the_policy(airflow):
    ran = airflow["catalog_differs"]
    assert (ran.state, ran.tries) == ("failed", 1)
    assert ran.error.startswith(
        "edge-missing: bronze.raw_orders -> silver.orders is documented, and not in DataHub"
    )


@pytest.mark.parametrize(
    ("case", "why"), [("catalog_is_down", "cannot be reached"), ("nothing_ran", "no job ran")]
)
def test_what_cannot_be_read_is_incomplete_and_says_why(airflow, case, why):
    ran = airflow[case]
    assert (ran.state, ran.returned["outcome"]) == ("success", "INCOMPLETE")
    assert why in ran.returned["incomplete"][0]


def test_a_dry_run_writes_nothing_and_logs_what_it_would_write(airflow):
    ran = airflow["published_dry"]
    assert ran.state == "success"
    assert ran.returned["/nowhere/catalog.json"] > 20
    assert "upstreamLineage" in ran.log


def test_warn_only_warns(airflow):
    ran = airflow["only_warns"]
    assert ran.state == "success"
    assert ran.returned["consumers"] == ["Revenue", "churn"]
    (warning,) = (line for line in ran.log.splitlines() if "consumers, " in line)
    assert "warning" in warning.lower()


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("no_such_map", "nowhere.yaml: cannot be read: No such file or directory"),
        ("no_such_manifest", "/nowhere/manifest.json: cannot be read: No such file or directory; run `dbt compile`"),
        ("no_such_environment", "production"),
        ("no_such_migration", "/nowhere.sql: cannot be read: No such file or directory"),
        ("two_changes", "give one of column, migration_path, and manifest_path with against_path"),
        ("audit_without_log", "/nowhere.jsonl: cannot be read: No such file or directory"),
        ("audit_of_two", "give one of logs, conn_id and project_dir"),
        ("audit_of_no_postgres", "connection 'empty_store' is of type 'lineage_store'"),
        ("review_without_folder", "cannot be written"),
        ("one_kind", "name two or more of map, manifest, event, query, datahub to compare"),
        ("unknown_kind", "'rumour' is no kind of evidence; known are map, datahub, event, manifest, query"),
        ("kind_without_place", "no location is given for 'datahub': name its server, connection or file"),
        ("published_nowhere", "name where to publish to: datahub_conn_id, file, or both"),
        ("impact_without_map", "nowhere.yaml: cannot be read: No such file or directory"),
        ("no_such_column", "bronze.raw_orders has no column 'amuont'; did you mean amount?"),
        ("no_such_dataset", "no dataset 'bronze.raw_order.amount'; did you mean bronze.raw_orders?"),
        ("no_such_connection", "The conn_id `nowhere` isn't defined; add the connection to Airflow"),
        ("no_such_connection_for_the_triggerer", "The conn_id `nowhere` isn't defined; add the connection to"),
        ("takes_no_events", "connection 'warehouse' is of type 'postgres', which names no lineage backend; use"),
        ("no_such_store", "The conn_id `nowhere` isn't defined; add the connection to Airflow"),
        ("empty_store", "empty.db: run a pipeline, or name another store"),
    ],
)  # fmt: skip
def test_invalid_input_is_one_line_and_not_retried(airflow, case, said):
    ran = airflow[case]
    assert (ran.state, ran.tries) == ("failed", 1)
    assert said in ran.error
    assert "AirflowFailException: " + ran.error in ran.log


@pytest.mark.parametrize("by", ["worker", "triggerer"])
def test_a_backend_receives_the_stored_events(airflow, by):
    case = "sent_by_a_worker" if by == "worker" else "sent_by_the_triggerer"
    assert airflow[case].state == "success"
    assert airflow[case].returned == {"sent": 2, "dead_letters": 0}
    assert sorted(airflow.backends[by].taken, key=EVENTS.index) == EVENTS


def test_a_rejected_event_becomes_a_dead_letter_and_the_log_shows_how_to_resend_it(airflow):
    ran = airflow["partly_refused"]
    assert (ran.state, ran.tries) == ("success", 1)
    assert ran.returned == {"sent": 1, "dead_letters": 1}
    assert airflow.backends["picky"].taken == [event(TAKEN)]
    assert "picky_backend rejected 1 events, now dead letters" in ran.log
    assert "resend with `airflow-lineage outbox --replay picky_backend`" in ran.log


@pytest.mark.parametrize(("case", "tries"), [("dead", 2), ("dead_for_the_triggerer", 1)])
def test_an_unreachable_backend_fails_the_task_with_retries(airflow, case, tries):
    ran = airflow[case]
    assert (ran.state, ran.tries) == ("failed", tries)
    assert "Connection refused" in ran.error
    assert ran.error.endswith("; the events that it did not accept stay in the store")
    assert "AirflowFailException" not in ran.log


def test_a_recovered_backend_receives_the_pending_events(airflow, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFLOW_LINEAGE__STORE", airflow.store)
    with backend() as revived:
        monkeypatch.setenv("AIRFLOW_CONN_DEAD_BACKEND", json.dumps(connection(revived.port)))
        assert drain("dead_backend") == {"sent": 2, "dead_letters": 0, "error": ""}
    assert sorted(revived.taken, key=EVENTS.index) == EVENTS
