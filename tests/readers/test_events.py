"""OpenLineage events in, graph out."""

import pytest
from pipeline_run import TABLES, dataset, event, physical, run_events

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import EVERY_COLUMN, ColumnRef, coverage
from airflow_lineage_provider.lineage_map import bindings_of, parse_map
from airflow_lineage_provider.readers import read_events

ORDERS, SUMMARY = "silver.stg_orders", "gold.customer_orders_summary"


def observed(pipeline_map, events):
    return read_events(events, bindings_of(pipeline_map, "dev"))


def test_inputs_by_outputs_of_a_complete_event_are_edges(pipeline_map):
    events = [event("COMPLETE", "j", 2, [physical("silver.a"), physical("silver.b")], [physical("gold.c")])]
    assert set(observed(pipeline_map, events).graph.edges) == {("silver.a", "gold.c"), ("silver.b", "gold.c")}


def test_an_incremental_model_that_reads_itself_is_no_edge(pipeline_map):
    events = [event("COMPLETE", "j", 2, [physical(ORDERS)], [physical(ORDERS)])]
    assert observed(pipeline_map, events).graph.edges == {}


def test_a_test_reads_and_adds_no_edge(pipeline_map):
    assertions = [{"assertion": "not_null", "success": True}, {"assertion": "unique", "success": False}]
    assertions.append({"assertion": "decimal_text", "success": False, "severity": "warn"})
    tested = physical(ORDERS) | {"inputFacets": {"dataQualityAssertions": {"assertions": assertions}}}
    found = observed(pipeline_map, [event("COMPLETE", "not_null_orders", 2, [tested], [])])
    (job,) = found.jobs
    assert found.graph.edges == {}
    assert (job.assertions, job.failed_assertions, job.warned_assertions) == (3, 1, 1)


def test_a_retry_replaces_the_try_before_it(pipeline_map):
    outputs = [physical(SUMMARY)]
    failed = event("FAIL", "j", 2, [physical("silver.old")], outputs)
    again = event("COMPLETE", "j", 4, [physical(ORDERS)], outputs)
    found = observed(pipeline_map, [again, failed])
    assert set(found.graph.edges) == {(ORDERS, SUMMARY)}
    assert [job.status for job in found.jobs] == ["COMPLETE"]


def test_a_try_that_is_running_does_not_replace_the_one_that_ended(pipeline_map):
    outputs = [physical(SUMMARY)]
    events = [
        event("COMPLETE", "j", 2, [physical(ORDERS)], outputs),
        event("START", "j", 4, [], outputs),
    ]
    assert set(observed(pipeline_map, events).graph.edges) == {(ORDERS, SUMMARY)}


def test_a_failed_run_adds_nothing(pipeline_map):
    events = [event("FAIL", "j", 2, [physical(ORDERS)], [physical(SUMMARY)])]
    assert observed(pipeline_map, events).graph.datasets == {}


def test_a_dataset_that_no_binding_fits_keeps_its_physical_name(pipeline_map):
    elsewhere = {"namespace": "s3://bucket/", "name": "/tmp/x"}
    events = [event("COMPLETE", "j", 2, [elsewhere], [physical(SUMMARY)])]
    assert ("s3://bucket/tmp/x", SUMMARY) in observed(pipeline_map, events).graph.edges


def test_schema_facets_are_columns(pipeline_map):
    graph = observed(pipeline_map, run_events()).graph
    assert list(graph.datasets[SUMMARY].columns) == TABLES[SUMMARY][1]
    assert graph.datasets[SUMMARY].columns["customer_id"].type == "VARCHAR"


def test_column_lineage_facets_are_column_edges(pipeline_map):
    made_from = {
        "namespace": physical(ORDERS)["namespace"],
        "name": physical(ORDERS)["name"],
        "field": "order_amount",
        "transformations": [{"type": "DIRECT", "subtype": "AGGREGATION", "description": "SUM(order_amount)"}],
    }
    facet = {"fields": {"total_revenue": {"inputFields": [made_from]}}, "dataset": [made_from]}
    output = physical(SUMMARY) | {"facets": {"columnLineage": facet}}
    graph = observed(pipeline_map, [event("COMPLETE", "j", 2, [physical(ORDERS)], [output])]).graph
    source = ColumnRef(ORDERS, "order_amount")
    assert set(graph.column_downstream[source]) == {
        ColumnRef(SUMMARY, "total_revenue"),
        ColumnRef(SUMMARY, EVERY_COLUMN),
    }
    (how,) = graph.column_edge(source, ColumnRef(SUMMARY, "total_revenue")).transformations
    assert (how.type, how.subtype, how.expression) == ("DIRECT", "AGGREGATION", "SUM(order_amount)")


def test_snowflake_names_in_capitals_are_the_documented_ones(pipeline_map):
    account = "snowflake://org-analytics"
    fields = [{"name": "ORDER_ID", "type": "NUMBER(38,0)"}]
    output = {
        "namespace": account,
        "name": "ANALYTICS.SILVER.STG_ORDERS",
        "facets": {"schema": {"fields": fields}},
    }
    source = {"namespace": account, "name": "ANALYTICS.BRONZE.RAW_ORDERS"}
    found = read_events(
        [event("COMPLETE", "j", 2, [source], [output])], bindings_of(pipeline_map, "prod")
    ).graph
    assert set(found.edges) == {("bronze.raw_orders", ORDERS)}
    assert list(found.datasets[ORDERS].columns) == ["order_id"]


def test_events_about_no_run_say_nothing_of_a_flow(pipeline_map):
    events = [{"eventTime": "2026-01-01T00:00:00Z", "dataset": physical(ORDERS)}, {"job": {"name": "x"}}]
    assert observed(pipeline_map, events).jobs == ()


def test_without_bindings_names_stay_physical():
    bindings = bindings_of(parse_map("document: {}"))
    events = [event("COMPLETE", "j", 2, [physical(ORDERS)], [physical(SUMMARY)])]
    assert ("duckdb:///srv/demo/warehouse.duckdb/warehouse.silver.stg_orders") in read_events(
        events, bindings
    ).graph.datasets


def test_the_graph_as_it_was_known_at_a_time(pipeline_map):
    bindings = bindings_of(pipeline_map, "dev")
    half = read_events(run_events(), bindings, until="2026-01-02T03:00:09Z").graph
    assert "silver.stg_customers" in half.datasets
    assert "silver.stg_orders" not in half.datasets


def test_a_time_that_is_none(pipeline_map):
    with pytest.raises(InputError, match="'soon' is not a time; write it like 2026-01-31T12:00:00"):
        read_events([], bindings_of(pipeline_map, "dev"), until="soon")


def test_columns_that_the_column_lineage_leaves_out_are_said(pipeline_map):
    made_from = {**physical(ORDERS), "field": "order_amount"}
    output = dataset(SUMMARY, ["total_revenue", "score"])
    output["facets"]["columnLineage"] = {"fields": {"total_revenue": {"inputFields": [made_from]}}}
    graph = observed(pipeline_map, [event("COMPLETE", "j", 2, [physical(ORDERS)], [output])]).graph
    assert [str(found) for found in coverage(graph)] == [
        f"{SUMMARY}: 1 of 2 columns resolved; score: the event's column lineage does not name it"
    ]
