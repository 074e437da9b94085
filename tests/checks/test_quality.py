"""The checks that a map documents against those that a run, or a dbt project, has."""

import pytest
from pipeline_run import event, physical, run_events

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.graph import Code, Severity
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.readers import read_evidence

BETWEEN = "expect_column_values_to_be_between"
REGEX = "expect_column_values_to_match_regex"
DBT = {
    "silver.stg_customers": ["customer_id not_null", "customer_id unique", "email_normalized not_null"],
    "silver.stg_orders": [
        *("order_id not_null", "order_id unique", "customer_id not_null"),
        *("customer_id relationships", "order_amount not_null"),
    ],
    "silver.stg_events": [
        *("event_id not_null", "event_id unique", "customer_id not_null"),
        *("customer_id relationships", "event_timestamp not_null"),
    ],
}
SUITES = {
    "silver.stg_customers": [f"email_normalized {REGEX}", f"created_at {BETWEEN}"],
    "silver.stg_orders": [f"order_amount {BETWEEN}", f"ordered_at {BETWEEN}"],
    "silver.stg_events": [f"event_timestamp {BETWEEN}"],
}


def checks(spec, at, *, status="COMPLETE", success=True):
    """Return the events of jobs that check tables, one job a table."""
    events = []
    for number, (table, listed) in enumerate(spec.items()):
        asserted = [
            {"assertion": kind, "column": column, "success": success}
            for column, kind in (one.split() for one in listed)
        ]
        facet = {"dataQualityAssertions": {"assertions": asserted}} if asserted else {}
        read = physical(table) | {"inputFacets": facet}
        one = event(status, f"{at}.{table}", at + 2 * number, [read], [])
        one["job"]["facets"]["jobType"]["jobType"] = "TEST"
        events.append(one)
    return events


def without(spec, table, check):
    return spec | {table: [one for one in spec[table] if one != check]}


def findings(pipeline_map, *events, **options):
    every = [*run_events(), *(one for part in events for one in part)]
    evidence = read_evidence("event", every, pipeline_map, "dev")
    comparison = validate(evidence, pipeline_map, environment="dev", **options).comparison
    return [f for f in comparison.findings if f.code is not Code.SATISFIED_THROUGH]


def test_a_run_with_every_documented_check_has_no_finding(pipeline_map):
    assert findings(pipeline_map, checks(DBT, 100), checks(SUITES, 200)) == []


def test_a_suite_that_lost_an_expectation_is_a_finding_that_names_both_sides(pipeline_map):
    lost = without(SUITES, "silver.stg_customers", f"email_normalized {REGEX}")
    (finding,) = findings(pipeline_map, checks(DBT, 100), checks(lost, 200))

    assert (finding.code, finding.severity) == (Code.CHECK_MISSING, Severity.ERROR)
    assert finding.message == (
        f"silver.stg_customers.email_normalized is documented to be checked by {REGEX}, "
        "and it is checked by not_null only"
    )
    assert finding.documented[0].file.endswith("customer_analytics_pipeline.yaml")
    assert finding.observed[0].job == "silver.stg_customers"


def test_a_dbt_test_that_is_gone_is_a_finding(pipeline_map):
    lost = without(DBT, "silver.stg_orders", "customer_id relationships")
    (finding,) = findings(pipeline_map, checks(lost, 100), checks(SUITES, 200))
    assert (finding.code, finding.subject) == (Code.CHECK_MISSING, "silver.stg_orders.customer_id")


def test_a_check_that_fails_is_there(pipeline_map):
    failed = checks(SUITES, 200, status="FAIL", success=False)
    assert findings(pipeline_map, checks(DBT, 100), failed) == []


def test_where_no_suite_ran_one_note_says_so(pipeline_map):
    (finding,) = findings(pipeline_map, checks(DBT, 100))
    assert (finding.code, finding.severity) == (Code.CHECK_NOT_RUN, Severity.NOTE)
    assert finding.message.startswith("5 documented checks of Great Expectations did not run: ")
    assert finding.message.endswith(" and 2 more")


def test_a_table_whose_tests_were_skipped_has_no_finding(pipeline_map):
    skipped = checks({"silver.stg_events": []}, 100, status="ABORT")
    rest = {table: listed for table, listed in DBT.items() if table != "silver.stg_events"}
    assert findings(pipeline_map, skipped, checks(rest, 120), checks(SUITES, 200)) == []


def test_tables_out_of_scope_are_not_held_to_their_checks(pipeline_map):
    assert findings(pipeline_map, checks(SUITES, 200), scope=["gold"]) == []


@pytest.mark.parametrize("words", ["no duplicates", "fresh", "Great Expectations: format validation"])
def test_words_are_not_held_to_anything(words):
    lineage_map = parse_map(
        f"""
        document: {{title: Words}}
        layers:
          silver: {{tables: {{stg_orders: {{checks: ["{words}"]}}}}}}
        environments:
          dev:
            bindings: [{{dataset: "silver.{{t}}", namespace: "duckdb://*", name: "warehouse.silver.{{t}}"}}]
        """
    )
    made = event("COMPLETE", "silver.stg_orders", 0, [], [physical("silver.stg_orders")])
    ran = checks({"silver.stg_orders": ["order_id unique", f"order_id {BETWEEN}"]}, 10)
    evidence = read_evidence("event", [made, *ran], lineage_map, "dev")
    assert validate(evidence, lineage_map, environment="dev").comparison.findings == ()
