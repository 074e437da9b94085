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


def test_an_incremental_model_that_reads_itself_adds_no_edge(pipeline_map):
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


def test_an_invalid_time_is_an_input_error(pipeline_map):
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


def node(
    project, unique_id, *, database="db", schema="main", name="main.customers", at=2, outputs=(), **more
):
    """An event of a dbt node."""
    made = event("COMPLETE", "main.customers", at, more.pop("inputs", []), list(outputs), **more)
    made["run"]["runId"] = f"{project}-{unique_id}-{database}-{schema}-{at}"
    made["run"]["facets"]["dbt_run"] = {"project_name": project}
    made["job"]["facets"]["dbt_node"] = {"unique_id": unique_id, "database": database, "schema": schema}
    return made


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("shop", "model.shop.customers"), ("shop", "test.shop.customers")),
        (("shop", "model.shop.customers"), ("bank", "model.shop.customers")),
    ],
    ids=["another node", "another project"],
)
def test_nodes_of_one_job_name_are_two_jobs(pipeline_map, first, second):
    events = [
        node(*first, at=2, inputs=[physical("silver.a")], outputs=[physical("gold.b")]),
        node(*second, at=4, inputs=[physical("silver.c")], outputs=[physical("gold.d")]),
    ]
    found = observed(pipeline_map, events)
    assert set(found.graph.edges) == {("silver.a", "gold.b"), ("silver.c", "gold.d")}
    assert len({job.label for job in found.jobs}) == 2


@pytest.mark.parametrize("where", [{"database": "other"}, {"schema": "other"}], ids=str)
def test_one_node_that_ran_against_two_targets_is_two_jobs(pipeline_map, where):
    model = ("shop", "model.shop.customers")
    events = [
        node(*model, at=2, inputs=[physical("silver.a")], outputs=[physical("gold.b")]),
        node(*model, at=4, inputs=[physical("silver.a")], outputs=[physical("gold.c")], **where),
    ]
    assert set(observed(pipeline_map, events).graph.edges) == {("silver.a", "gold.b"), ("silver.a", "gold.c")}


def test_jobs_of_one_name_are_labelled_by_what_tells_them_apart(pipeline_map):
    first, second = (node(project, "model.p.customers") for project in ("shop", "bank"))
    assert {job.label for job in observed(pipeline_map, [first, second]).jobs} == {
        "shop: main.customers",
        "bank: main.customers",
    }
    second["job"]["namespace"] = "dbt.bank"
    assert {job.label for job in observed(pipeline_map, [first, second]).jobs} == {
        "dbt/main.customers",
        "dbt.bank/main.customers",
    }
    assert [job.label for job in observed(pipeline_map, [first]).jobs] == ["main.customers"]


@pytest.mark.parametrize(
    ("failed", "completed", "status"),
    [
        ("2026-01-01T12:00:00+02:00", "2026-01-01T10:30:00Z", "COMPLETE"),
        ("2026-01-01T10:30:00Z", "2026-01-01T12:00:00+02:00", "FAIL"),
        ("2026-01-01T10:00:00.5Z", "2026-01-01T10:00:00.45Z", "FAIL"),
        ("2026-01-01T09:59:59Z", "2026-01-01T10:00:00", "COMPLETE"),
        ("", "2026-01-01T10:00:00Z", "COMPLETE"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_last_run_is_the_last_by_time_and_not_by_text(pipeline_map, failed, completed, status, order):
    events = [
        event("FAIL", "j", 2, [], [physical(SUMMARY)]) | {"eventTime": failed},
        event("COMPLETE", "j", 4, [physical(ORDERS)], [physical(SUMMARY)]) | {"eventTime": completed},
    ]
    (job,) = observed(pipeline_map, events[::order]).jobs
    assert job.status == status


def test_until_compares_times_and_not_texts(pipeline_map):
    complete = event("COMPLETE", "j", 2, [physical(ORDERS)], [physical(SUMMARY)])
    complete["eventTime"] = "2026-01-01T12:00:00+02:00"
    bindings = bindings_of(pipeline_map, "dev")
    assert read_events([complete], bindings, until="2026-01-01T10:00:00Z").jobs
    assert not read_events([complete], bindings, until="2026-01-01T09:59:59Z").jobs


def test_the_order_in_which_events_come_does_not_matter(pipeline_map):
    events = run_events()
    forward, backward = (observed(pipeline_map, one) for one in (events, events[::-1]))
    assert forward.jobs == backward.jobs
    assert forward.graph.edges == backward.graph.edges
    assert forward.graph.datasets[SUMMARY] == backward.graph.datasets[SUMMARY]


SEED_MAP = """
document: {}
sources: {files: {type: file, datasets: {orders.csv: raw.orders}}}
layers: {raw: {tables: [orders]}}
environments:
  dev:
    bindings:
      - {dataset: "files.orders.csv", namespace: file, name: "*/seeds/orders.csv"}
      - {dataset: "{layer}.{table}", namespace: "*", name: "db.{layer}.{table}"}
"""


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        (SEED_MAP, {("files.orders.csv", "raw.orders")}),
        (SEED_MAP.replace("sources: {files: {type: file, datasets: {orders.csv: raw.orders}}}\n", ""), set()),
    ],
    ids=["documented", "not documented"],
)
def test_the_file_of_a_seed_is_an_input_where_the_map_documents_it(text, edges):
    file = {"namespace": "file", "name": "/srv/shop/seeds/orders.csv"}
    seed = event("COMPLETE", "raw.orders", 2, [file], [{"namespace": "duckdb:///x", "name": "db.raw.orders"}])
    seed["job"]["facets"]["jobType"]["jobType"] = "SEED"
    made_from = {"fields": {"id": {"inputFields": [file | {"field": "id"}]}}}
    seed["outputs"][0]["facets"] = {"columnLineage": made_from}
    found = read_events([seed], bindings_of(parse_map(text), "dev"))
    assert set(found.graph.edges) == edges
    assert [one.name for one in found.jobs[0].inputs] == ["/srv/shop/seeds/orders.csv"]


AUDIT = "layers: {raw: {tables: {orders: {}, audit: {from: [raw.orders]}}}}"


@pytest.mark.parametrize(
    ("text", "edges"),
    [
        (SEED_MAP.replace("layers: {raw: {tables: [orders]}}", AUDIT), {("raw.orders", "raw.audit")}),
        (SEED_MAP, set()),
    ],
    ids=["documented", "not documented"],
)
def test_the_failing_rows_that_a_test_stores_count_where_the_map_documents_them(text, edges):
    orders, audit = ({"namespace": "duckdb:///x", "name": f"db.raw.{name}"} for name in ("orders", "audit"))
    test = event("COMPLETE", "raw.unique_orders", 2, [orders], [audit])
    test["job"]["facets"]["jobType"]["jobType"] = "TEST"
    found = read_events([test], bindings_of(parse_map(text), "dev"))
    assert set(found.graph.edges) == edges
    assert [one.logical for one in found.jobs[0].outputs] == ["raw.audit"]


def test_a_name_that_two_documented_datasets_are_bound_to_is_a_problem():
    text = """
document: {}
layers: {raw: {tables: [orders]}, marts: {tables: [orders]}}
environments: {dev: {bindings: [{dataset: "{layer}.{table}", namespace: duckdb, name: "db.main.{table}"}]}}
"""
    made = event("COMPLETE", "j", 2, [], [{"namespace": "duckdb", "name": "db.main.orders"}])
    assert read_events([made], bindings_of(parse_map(text), "dev")).problems == (
        "duckdb db.main.orders is bound to marts.orders and to raw.orders: marts.orders is taken",
    )


def test_a_column_that_is_made_from_no_column_is_resolved(pipeline_map):
    """`count(*)` has an entry without input fields."""
    output = dataset(SUMMARY, ["total_orders"])
    output["facets"]["columnLineage"] = {"fields": {"total_orders": {"inputFields": []}}}
    graph = observed(pipeline_map, [event("COMPLETE", "j", 2, [physical(ORDERS)], [output])]).graph
    assert [str(found) for found in coverage(graph)] == [f"{SUMMARY}: 1 of 1 columns resolved"]
