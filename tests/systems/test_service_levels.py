"""Documented retention, freshness and latency against what is measured; and the task that checks them."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))

from airflow_cases import run_cases
from dbt_projects import write_project

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map.load import parse_map
from airflow_lineage_provider.lineage_map.sla import parse_duration
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.systems.service_levels import (
    TableAge,
    age_findings,
    job_findings,
    late,
    source_sla,
)

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TEXT = """
document: {title: Shop}
sources:
  crm: {type: postgres, extraction: {sla: fresh within 2 hours}, datasets: {public.orders: bronze.raw_orders}}
layers: {bronze: {retention: 90 days, tables: [raw_orders, raw_events, missing]}, silver: {tables: [x]}}
policy: {POLICY}
"""
MAP = parse_map(TEXT.replace("POLICY", ""))


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("< 5 minute latency", timedelta(minutes=5)),
        ("99.9% within 1.5 hours", timedelta(hours=1.5)),
        ("90 days", timedelta(days=90)),
        ("30s", timedelta(seconds=30)),
        ("5-minute", timedelta(minutes=5)),
        ("2 Weeks", timedelta(weeks=2)),
        ("1 year", timedelta(days=365)),
    ],
)
def test_a_duration_is_read_from_words(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "soon", "5", "5 parsecs", "1 hour 30 minutes"])
def test_what_names_no_duration_is_one_line(text):
    with pytest.raises(InputError, match="does not name one duration; write it like"):
        parse_duration(text)


def test_latency_is_held_to_the_documented_sla():
    sla, where = source_sla(MAP, "crm")
    assert late("crm", sla, {"CDCLatencyTarget": 7199.0}, where) == []
    (finding,) = late("crm", sla, {"CDCLatencyTarget": 7200.0}, where)
    assert finding.message == "CDCLatencyTarget of crm is 7200 s, and 'fresh within 2 hours' is documented"
    assert finding.documented[0].line == 4
    with pytest.raises(InputError, match="has no source 'shop'; it has crm"):
        source_sla(MAP, "shop")


def ages(table, oldest, newest=timedelta(0)):
    return [TableAge(f"bronze.{table}", NOW - oldest, NOW - newest)]


@pytest.mark.parametrize(
    ("oldest", "newest", "codes"),
    [
        (91 * DAY, timedelta(0), []),
        (92 * DAY, timedelta(0), ["retention-exceeded"]),
        (DAY, timedelta(hours=1), []),
        (DAY, timedelta(hours=3), ["sla-missed"]),
    ],
)
def test_rows_are_held_to_retention_and_freshness(oldest, newest, codes):
    found = age_findings(MAP, "bronze", ages("raw_orders", oldest, newest), NOW, DAY)
    assert [finding.code.value for finding in found] == codes


def test_freshness_is_of_the_tables_that_the_source_is_extracted_to():
    assert age_findings(MAP, "bronze", ages("raw_events", DAY, DAY), NOW, DAY) == []


def test_an_empty_table_is_neither_old_nor_stale():
    assert age_findings(MAP, "bronze", [TableAge("bronze.raw_orders", None, None)], NOW, DAY) == []


@pytest.mark.parametrize("layer", ["silver", "nowhere"])
def test_a_layer_without_a_retention_is_one_line(layer):
    with pytest.raises(InputError, match=f"documents no retention of a layer '{layer}'"):
        age_findings(MAP, layer, [], NOW, DAY)


def test_the_retention_job_must_have_completed_lately():
    assert job_findings(MAP, "bronze", "dag.job", NOW - DAY, NOW, DAY) == []
    (old,) = job_findings(MAP, "bronze", "dag.job", NOW - 2 * DAY, NOW, DAY)
    assert old.message == (
        "dag.job, which keeps the retention of bronze, last completed at 2026-05-30 00:00 UTC"
    )
    (never,) = job_findings(MAP, "bronze", "dag.job", None, NOW, DAY)
    assert never.message.endswith("has never been seen to complete")


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """The outcome of the operator over a DuckDB warehouse, by one Airflow."""
    base = tmp_path_factory.mktemp("age")
    project = write_project(base / "shop", {"models/gold/x.sql": "select 1 as id"})
    (base / "map.yaml").write_text(TEXT.replace("POLICY", ""))
    (base / "lenient.yaml").write_text(TEXT.replace("POLICY", "retention-exceeded: warning"))
    warehouse = base / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema bronze")
        for table, days in (("raw_orders", 1 / 24), ("raw_events", 200)):
            connection.execute(
                f"create table bronze.{table} as select now() - interval '{days * 24} hours' as _loaded_at"
            )
    event = {
        "eventType": "COMPLETE",
        "eventTime": datetime.now(UTC).isoformat(),
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0190a0e2-0000-7000-8000-000000000001"},
        "job": {"namespace": "airflow", "name": "dag.bronze_retention"},
    }
    store = EventStore(str(base / "airflow" / "lineage.db"))
    store.append(event)
    store.close()
    here = {"project_dir": str(project), "profile_conn_id": "duck"}
    given = {
        "old": {"map_path": str(base / "map.yaml"), **here},
        "lenient": {"map_path": str(base / "lenient.yaml"), "retention_job": "dag.bronze_retention", **here},
        "no_job": {"map_path": str(base / "map.yaml"), "grace": "1 year 1 day", **here},
        "no_layer": {"map_path": str(base / "map.yaml"), "layer": "silver", **here},
        "odd_column": {"map_path": str(base / "map.yaml"), "column": "x) or (1=1", **here},
    }
    connections = {
        "duck": {"conn_type": "duckdb", "host": str(warehouse)},
    }
    cases = {
        name: {"class": "data_age.DataAgeCheckOperator", "operator": case} for name, case in given.items()
    }
    environ = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(conn) for name, conn in connections.items()}
    return run_cases(base / "airflow", cases, environ)


def test_rows_that_outlived_the_retention_fail_the_task(cases):
    assert cases["old"].error.startswith(
        "retention-exceeded: the oldest row of bronze.raw_events is 200.0 days old, and '90 days' is"
    )
    assert "raw_orders" not in cases["old"].error


def test_the_policy_weighs_it_and_the_retention_jobs_last_run_is_found(cases):
    assert cases["lenient"].state == "success"
    (finding,) = cases["lenient"].returned["findings"]
    assert "bronze.raw_events" in finding
    assert set(cases["lenient"].returned["oldest"]) == {"bronze.raw_orders", "bronze.raw_events"}


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("no_job", "'1 year 1 day' does not name one duration"),
        ("no_layer", "documents no retention of a layer 'silver'"),
        ("odd_column", "is not named as schema.table, in letters, digits and _"),
    ],
)
def test_bad_arguments_are_one_line(cases, case, said):
    assert said in cases[case].error
