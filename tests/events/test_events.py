"""The events of a dbt run: runs, jobs, datasets and facets."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from dbt_projects import Outcome, run, write_project
from event_helpers import DAG, TASK, end_of, events_of, task_events

from airflow_lineage_provider.dbt.records import NodeFinished
from airflow_lineage_provider.events.context import RunContext
from airflow_lineage_provider.events.nodes import NodeEvents

CHECK = Path(__file__).parents[3] / "shared" / "tools" / "check_events.py"
UNIQUE = "silver.unique_stg_orders_order_id"


def facets(event, *, of="run"):
    return event[of]["facets"]


def ends(events):
    return {e["job"]["name"]: e["eventType"] for e in events if e["eventType"] != "START"}


def test_a_node_ends_complete_failed_or_aborted(small_events):
    assert ends(small_events) == {
        "main.raw_orders": "COMPLETE",
        "silver.stg_orders": "COMPLETE",
        "silver.not_null_stg_orders_order_id": "COMPLETE",
        UNIQUE: "COMPLETE",
        "gold.order_totals": "COMPLETE",
        "gold.fails": "FAIL",
        "gold.skipped": "ABORT",
    }


def test_start_and_end_share_a_run_id_that_no_other_node_has(small_events):
    runs = {}
    for event in small_events:
        runs.setdefault(event["run"]["runId"], []).append((event["job"]["name"], event["eventType"]))
    assert all(len(pair) == 2 and pair[0] == (pair[1][0], "START") for pair in runs.values())
    assert len(runs) == 7


def test_the_parent_is_the_task_and_the_root_the_dag(small_events):
    for event in small_events:
        parent = facets(event)["parent"]
        assert parent["run"]["runId"] == TASK.run_id
        assert (parent["job"]["namespace"], parent["job"]["name"]) == (TASK.namespace, TASK.name)
        assert parent["root"]["run"]["runId"] == DAG.run_id
        assert facets(event)["nominalTime"]["nominalStartTime"] == "2026-01-01T00:00:00.000000Z"


def test_the_job_namespace_names_the_project_where_a_dag_runs_several(small):
    context = RunContext(several_projects=True)
    events = NodeEvents(small.invocation, context)
    assert {events.end(record).job.namespace for record in small.of(NodeFinished)} == {"dbt.shop"}


def test_a_failure_has_its_error_and_a_skip_its_reason(small_events):
    error = facets(end_of(small_events, "gold.fails"))["errorMessage"]
    assert 'Referenced column "no_such_column" not found' in error["message"]
    assert error["programmingLanguage"] == "SQL"
    reason = facets(end_of(small_events, "gold.skipped"))["errorMessage"]["message"]
    assert reason == "skipped because gold.fails did not succeed"


def test_a_node_that_did_not_run_has_no_rows_and_no_life_cycle_change(small_events):
    for name in ("gold.fails", "gold.skipped"):
        (output,) = end_of(small_events, name)["outputs"]
        assert "lifecycleStateChange" not in output["facets"]
        assert output["outputFacets"] == {}


def test_a_complete_event_has_every_facet(small_events):
    end = end_of(small_events, "silver.stg_orders")
    (read,), (made,) = end["inputs"], end["outputs"]
    assert set(facets(end, of="job")) == {
        *("jobType", "dbt_node", "sourceCodeLocation", "sql", "documentation", "ownership", "tags"),
    }
    assert {*facets(end)} == {"processing_engine", "dbt_version", "dbt_run", "parent", "nominalTime"}
    assert set(made["facets"]) >= {
        *("schema", "documentation", "ownership", "tags", "dataSource", "datasetType"),
        *("lifecycleStateChange", "columnLineage", "dbt_model"),
    }
    assert [(f["name"], f["type"]) for f in made["facets"]["schema"]["fields"]] == [
        ("order_id", "INTEGER"),
        ("order_amount", "DECIMAL(10,2)"),
    ]
    assert made["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert [f["name"] for f in read["facets"]["schema"]["fields"]] == ["order_id", "amount"]
    assert facets(end, of="job")["sql"]["dialect"] == "duckdb"


def test_a_start_has_its_sql_and_its_datasets(small_events):
    (start,) = [
        e for e in small_events if (e["job"]["name"], e["eventType"]) == ("gold.order_totals", "START")
    ]
    assert "sum(order_amount)" in facets(start, of="job")["sql"]["query"]
    assert [d["name"] for d in start["inputs"] + start["outputs"]] == [
        "warehouse.silver.stg_orders",
        "warehouse.gold.order_totals",
    ]


@pytest.mark.parametrize(
    ("which", "table", "change"),
    [
        ("first", "silver.stg_orders", "CREATE"),
        ("first", "gold.order_summary", "CREATE"),
        ("second", "gold.order_summary", "OVERWRITE"),
        ("second", "silver.stg_orders", None),
        ("second", "silver.order_history", None),
    ],
)
def test_life_cycle_change_of_a_table(shop, which, table, change):
    (output,) = end_of(events_of(getattr(shop, which)), table)["outputs"]
    assert output["facets"].get("lifecycleStateChange", {}).get("lifecycleStateChange") == change


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (
            "silver.not_null_stg_orders_order_id",
            {"assertion": "not_null", "success": True, "severity": "error", "actual": "0"},
        ),
        (UNIQUE, {"assertion": "unique", "success": False, "severity": "warn", "actual": "1"}),
    ],
)
def test_a_test_is_an_assertion_on_a_column_of_its_table(small_events, test, expected):
    end = end_of(small_events, test)
    (table,) = end["inputs"]
    (assertion,) = table["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert table["name"] == "warehouse.silver.stg_orders"
    assert assertion | expected == assertion
    assert (assertion["column"], assertion["expected"]) == ("order_id", "0")
    assert end["outputs"] == []
    assert facets(end, of="job")["jobType"]["jobType"] == "TEST"


def test_a_test_of_two_tables_has_its_assertion_on_its_own_table(shop_events):
    end = end_of(shop_events, "silver.relationships_stg_orders_country_code__code__ref_countries_")
    asserted = {d["name"]: list(d["inputFacets"]) for d in end["inputs"]}
    assert asserted == {
        "warehouse.silver.stg_orders": ["dataQualityAssertions"],
        "warehouse.bronze.countries": [],
    }


def test_a_test_that_did_not_run_has_no_count(shop):
    record = shop.first.ends["silver.not_null_stg_orders_order_id"]
    errored = replace(record, status="error", message="no such column")
    (end,) = events_of(Outcome([shop.first.invocation, errored]))
    (assertion,) = end["inputs"][0]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (end["eventType"], assertion["success"]) == ("FAIL", False)
    assert "actual" not in assertion


def test_files_are_datasets_of_their_own(shop, shop_events):
    (clicks,) = end_of(shop_events, "silver.stg_clicks")["inputs"]
    assert (clicks["namespace"], clicks["name"]) == ("file", f"{shop.project}/landing/clicks/*.parquet")
    assert clicks["facets"]["datasetType"]["datasetType"] == "FILE"


def test_an_external_model_is_its_file_as_output_and_as_input(tmp_path):
    location = f"{tmp_path}/orders.parquet"
    config = f"{{{{ config(materialized='external', location='{location}') }}}}"
    files = {
        "models/silver/orders.sql": f"{config} select 1 as order_id",
        "models/gold/report.sql": "select * from {{ ref('orders') }}",
    }
    events = events_of(run(write_project(tmp_path, files)))
    (made,) = end_of(events, "silver.orders")["outputs"]
    end = end_of(events, "gold.report")
    (read,), (report,) = end["inputs"], end["outputs"]
    assert (made["namespace"], made["name"]) == (read["namespace"], read["name"]) == ("file", location)
    (source,) = report["facets"]["columnLineage"]["fields"]["order_id"]["inputFields"]
    assert (source["namespace"], source["name"], source["field"]) == ("file", location, "order_id")


def test_exposures_are_a_facet_of_the_model(shop_events):
    (output,) = end_of(shop_events, "gold.order_summary")["outputs"]
    (dashboard,) = output["facets"]["dbt_exposures"]["exposures"]
    assert (dashboard["name"], dashboard["url"]) == ("sales_dashboard", "https://tableau.example.com/sales")


def test_a_python_model_has_its_source_and_an_extraction_error(shop_events):
    end = end_of(shop_events, "gold.python_totals")
    assert facets(end, of="job")["sourceCode"]["language"] == "python"
    (error,) = facets(end)["extractionError"]["errors"]
    assert error["errorMessage"] == "gold.python_totals is written in python: it has no SQL to read"


def test_secrets_are_masked_in_text_and_names_are_unchanged(shop):
    """The secret is `order`, which is part of names, SQL, descriptions, expressions and parameters."""
    masked = events_of(shop.first, lambda text: text.replace("order", "***"))
    plain = events_of(shop.first)

    def names(event):
        return [(d["namespace"], d["name"], fields(d)) for d in event["inputs"] + event["outputs"]]

    def fields(dataset):
        return [field["name"] for field in dataset["facets"].get("schema", {}).get("fields", ())]

    assert [(e["job"]["name"], names(e)) for e in masked] == [(e["job"]["name"], names(e)) for e in plain]
    end = end_of(masked, "silver.stg_orders")
    (output,) = end["outputs"]
    columns = output["facets"]["columnLineage"]["fields"]
    assert "order" not in facets(end, of="job")["sql"]["query"]
    assert columns["order_id"]["inputFields"][0]["field"] == "order_id"
    assert columns["order_id"]["transformationDescription"] == "***_id"
    relationships = end_of(masked, "crm.source_relationships_crm_orders_order_id__order_id__ref_stg_orders_")
    (found,) = facets(relationships)["test"]["tests"]
    assert found["params"] == {"to": "ref('stg_***s')", "field": "***_id"}


@pytest.mark.skipif(not CHECK.exists(), reason="the event checker is not beside this repository")
@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("small_events", {}),
        # A Python model has no SQL, and no engine reads its columns.
        ("shop_events", {"no-sql": 1, "no-columnLineage": 1}),
    ],
)
def test_every_event_is_valid_and_consistent(request, tmp_path, which, expected):
    start, complete = task_events()
    file = tmp_path / "events.jsonl"
    events = [start, *request.getfixturevalue(which), complete]
    file.write_text("\n".join(json.dumps(event) for event in events))
    checked = subprocess.run(
        [sys.executable, CHECK, file, "--known", r"crm\.|landing|\.csv", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(checked.stdout)["by_code"] == expected, checked.stdout
