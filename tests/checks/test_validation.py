"""Drift of a reference pipeline run from its map: one change gives one finding."""

import pytest
from pipeline_run import MAP, event, physical, run_events, tables

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import Code, Severity, Verdict
from airflow_lineage_provider.lineage_map import MapError, parse_map
from airflow_lineage_provider.readers import read_evidence


def compared(events, lineage_map, environment="dev", **options):
    evidence = read_evidence("event", events, lineage_map, environment)
    return validate(evidence, lineage_map, environment=environment, **options)


def drift(pipeline_map, spec, **options):
    comparison = compared(run_events(spec), pipeline_map, **options).comparison
    return [f for f in comparison.findings if f.severity is not Severity.NOTE]


def renamed(old, new):
    return {
        new if name == old else name: ([new if s == old else s for s in sources], columns)
        for name, (sources, columns) in tables().items()
    }


def test_the_pipeline_as_documented_passes(pipeline_map):
    comparison = compared(run_events(), pipeline_map).comparison
    assert comparison.agreed
    assert {e.verdict for e in comparison.edges} == {Verdict.VERIFIED, Verdict.UNOBSERVED}


def test_an_edge_that_the_document_shortens_is_satisfied_through_the_table_between(pipeline_map):
    findings = compared(run_events(), pipeline_map).comparison.findings
    (finding,) = [f for f in findings if f.code is Code.SATISFIED_THROUGH]
    assert finding.severity is Severity.NOTE
    assert finding.message == (
        "silver.stg_orders -> gold.customer_behavior is satisfied through gold.customer_orders_summary"
    )


def test_consumers_are_not_of_this_run(pipeline_map):
    edges = compared(run_events(), pipeline_map).comparison.edges
    unobserved = {e.edge.target for e in edges if e.verdict is Verdict.UNOBSERVED}
    assert unobserved == {
        "Customer Analytics Dashboard",
        "Executive KPI Report",
        "churn_prediction_model",
        "customer_engagement_features",
        "landing.customer_events",
    }


def test_a_dropped_column(pipeline_map):
    spec = tables()
    spec["gold.customer_behavior"][1].remove("total_revenue")
    (finding,) = drift(pipeline_map, spec)
    assert finding.code is Code.COLUMN_MISSING
    assert finding.subject == "gold.customer_behavior.total_revenue"
    assert finding.documented[0].file.endswith("customer_analytics_pipeline.yaml")
    assert "total_revenue" in (finding.documented[0].file and _line_of(finding))
    assert finding.observed[0].job == "gold.customer_behavior"


def _line_of(finding):
    with open(finding.documented[0].file) as stream:  # noqa: PTH123
        return stream.readlines()[finding.documented[0].line - 1]


def test_an_added_column(pipeline_map):
    spec = tables()
    spec["silver.stg_orders"][1].append("discount")
    (finding,) = drift(pipeline_map, spec)
    assert (finding.code, finding.subject) == (Code.COLUMN_UNEXPECTED, "silver.stg_orders.discount")


def test_an_undocumented_ref(pipeline_map):
    spec = tables()
    spec["gold.customer_behavior"][0].append("bronze.raw_products")
    (finding,) = drift(pipeline_map, spec)
    assert finding.code is Code.EDGE_UNEXPECTED
    assert (
        finding.message == "gold.customer_behavior reads bronze.raw_products, which the map does not document"
    )


def test_an_undocumented_ref_to_a_table_that_the_map_does_not_know(pipeline_map):
    spec = tables()
    spec["gold.customer_behavior"][0].append("scratch.prices")
    (finding,) = drift(pipeline_map, spec)
    assert finding.code is Code.DATASET_UNEXPECTED
    assert finding.message == "scratch.prices is not documented: it is read by gold.customer_behavior"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("silver.stg_customers", "silver.stg_clients"),
        ("silver.stg_orders", "silver.purchases"),
        ("gold.customer_orders_summary", "gold.order_totals"),
    ],
)
def test_a_renamed_model(pipeline_map, old, new):
    missing, unexpected = drift(pipeline_map, renamed(old, new))
    assert missing.code is Code.DATASET_MISSING
    assert missing.message == f"{old} is documented and was not produced; perhaps it was renamed to {new}"
    assert (unexpected.code, unexpected.subject) == (Code.DATASET_UNEXPECTED, new)


def test_the_model_of_a_documented_edge_removed(pipeline_map):
    spec = tables()
    del spec["gold.customer_orders_summary"]
    spec["gold.customer_behavior"][0].remove("gold.customer_orders_summary")
    (finding,) = drift(pipeline_map, spec)
    assert (finding.code, finding.subject) == (Code.DATASET_MISSING, "gold.customer_orders_summary")


def test_an_edge_that_no_longer_flows(pipeline_map):
    spec = tables()
    spec["gold.customer_behavior"][0].remove("silver.stg_events")
    (finding,) = drift(pipeline_map, spec)
    assert finding.code is Code.EDGE_MISSING
    assert finding.subject == "silver.stg_events -> gold.customer_behavior"


def test_a_hop_that_no_longer_flows_is_told_once_though_a_longer_edge_went_through_it(pipeline_map):
    spec = tables()
    spec["gold.customer_orders_summary"][0].remove("silver.stg_orders")
    (finding,) = drift(pipeline_map, spec)
    assert finding.subject == "silver.stg_orders -> gold.customer_orders_summary"


DASHBOARD = {"namespace": "tableau://t", "name": "Analytics/Behavior/Customer Analytics Dashboard"}


@pytest.mark.parametrize("readers", [[], [DASHBOARD]], ids=["", "it is read all the same"])
def test_a_failed_model_is_named_with_its_error(pipeline_map, readers):
    spec = tables()
    del spec["gold.customer_behavior"]
    message = 'Binder Error: column "o" not found'
    failed = event(
        "FAIL", "gold.customer_behavior", 100, [], [physical("gold.customer_behavior")],
        errorMessage={"message": message, "programmingLanguage": "SQL"},
    )  # fmt: skip
    read = [
        event("COMPLETE", one["name"], 110, [physical("gold.customer_behavior")], [one]) for one in readers
    ]
    comparison = compared([*run_events(spec), failed, *read], pipeline_map).comparison
    (finding,) = [f for f in comparison.findings if f.severity is Severity.ERROR]
    assert finding.message == (
        "gold.customer_behavior is documented and was not produced: "
        f"gold.customer_behavior ended FAIL ({message})"
    )


def test_a_model_that_has_not_ended_is_the_reason_given(pipeline_map):
    spec = tables()
    del spec["gold.customer_behavior"]
    running = event("START", "gold.customer_behavior", 100, [], [physical("gold.customer_behavior")])
    comparison = compared([*run_events(spec), running], pipeline_map).comparison
    (finding,) = [f for f in comparison.findings if f.severity is Severity.ERROR]
    assert finding.message.endswith("was not produced: gold.customer_behavior has not ended")


def test_only_datasets_in_scope_are_expected(pipeline_map):
    silver = {name: made for name, made in tables().items() if not name.startswith("gold.")}
    assert drift(pipeline_map, silver, scope=["bronze", "silver"]) == []
    assert {f.subject for f in drift(pipeline_map, silver, scope=["gold.customer_b*"])} == {
        "gold.customer_behavior"
    }


def test_layers_that_an_environment_does_not_produce_are_not_expected(pipeline_map):
    def on_postgres(dataset):
        name = dataset["name"].replace("warehouse.", "analytics.")
        return dataset | {"namespace": "postgres://db:5432", "name": name}

    ours = {name: made for name, made in tables().items() if not name.startswith("bronze.")}
    events = run_events(ours)
    for one in events:
        one["inputs"], one["outputs"] = ([on_postgres(d) for d in one[k]] for k in ("inputs", "outputs"))
    assert compared(events, pipeline_map, "postgres").comparison.agreed


def test_a_scope_that_fits_nothing_says_what_there_is(pipeline_map):
    with pytest.raises(
        InputError, match=r"'slver' fits nothing in the map; its layers are bronze, gold, silver"
    ):
        compared([], pipeline_map, scope=["slver"])


def test_a_misspelt_name_in_the_map_is_reported_before_the_comparison():
    text = MAP.read_text().replace("from: bronze.raw_customers", "from: bronze.raw_custmers")
    with pytest.raises(MapError) as error:
        compared(run_events(), parse_map(text, "m.yaml"))
    assert str(error.value) == (
        "m.yaml:127:1: bronze.raw_custmers is used and not documented; did you mean bronze.raw_customers?"
    )


ONE_TABLE = """
document: {}
layers: {gold: {tables: {customer_behavior: }}}
environments:
  dev: {bindings: [{dataset: "gold.{table}", namespace: "postgres://*", name: "x.gold.{table}"}]}
  prod: {bindings: [{dataset: "gold.{table}", namespace: "snowflake://*", name: "X.gold.{table}"}]}
"""


@pytest.mark.parametrize(
    ("text", "environment", "cause"),
    [
        (
            ONE_TABLE.partition("environments:")[0],
            None,
            (
                "m.yaml:2:1: none of the 13 datasets observed is documented, such as "
                "duckdb:///srv/demo/warehouse.duckdb/warehouse.bronze.raw_customers: the map has no "
                "`environments`; add one whose bindings name the datasets of a run"
            ),
        ),
        (ONE_TABLE, "dev", "no binding of the environment 'dev' fits; correct `namespace` and `name`"),
        (ONE_TABLE, None, "no binding of the environments dev, prod fits; correct"),
    ],
)
def test_bindings_that_fit_nothing_observed_are_one_error(text, environment, cause):
    with pytest.raises(MapError) as error:
        compared(run_events(), parse_map(text, "m.yaml"), environment)
    assert cause in str(error.value)
    assert "\n" not in str(error.value)


def test_a_run_without_events_is_compared_all_the_same():
    comparison = compared([], parse_map(ONE_TABLE), "dev").comparison
    assert [f.message for f in comparison.findings] == [
        "gold.customer_behavior is documented and was not produced"
    ]


def test_columns_behind_a_star_that_was_not_expanded_are_no_drift():
    """A run without the columns of its tables names what it knows; the others may be there."""
    text = """
document: {}
layers:
  a: {tables: {t: }}
  b: {tables: {t: {from: a.t, columns: {id: a.t.id, total: a.t.amount}}}}
environments: {dev: {bindings: [{dataset: "{layer}.{table}", namespace: "db", name: "{layer}.{table}"}]}}
"""
    named = {"total": {"inputFields": [{"namespace": "db", "name": "a.t", "field": "amount"}]}}
    output = {"namespace": "db", "name": "b.t", "facets": {"columnLineage": {"fields": named}}}
    made = event("COMPLETE", "j", 1, [{"namespace": "db", "name": "a.t"}], [output])
    documented = parse_map(text)

    def codes():
        return [f.code for f in compared([made], documented).comparison.findings]

    assert codes() == []
    output["facets"]["schema"] = {"fields": [{"name": "id"}, {"name": "total"}]}
    assert codes() == ["column-edge-missing"]
