"""A dbt manifest against its map: each seeded drift is found, and nothing else."""

import copy
import os
import subprocess
import sys

import msgspec
import pytest
from pipeline_run import MAP, ROOT

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.graph import Code, Severity
from airflow_lineage_provider.lineage_map import MapError, load_map, parse_map
from airflow_lineage_provider.readers import read_evidence
from airflow_lineage_provider.readers.manifest_file import Manifest

PROJECT = ROOT / "dbt_project"
MODEL = "model.customer_analytics."


@pytest.fixture(scope="module")
def manifest_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compiled")
    environment = {**os.environ, "LINEAGE_DEMO_DATA": str(folder)}

    def run(*command):
        subprocess.run(command, check=True, env=environment, cwd=folder, capture_output=True)

    run(sys.executable, PROJECT / "source_data.py", "--directory", folder, "--scale", "0.01")
    places = ("--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", folder / "target")
    run(sys.executable, "-m", "dbt.cli.main", "--log-path", folder, "compile", *places)
    return folder / "target" / "manifest.json"


@pytest.fixture(scope="module")
def manifest(manifest_file):
    return msgspec.json.decode(manifest_file.read_bytes())


def findings(manifest, lineage_map=None, **options):
    lineage_map = lineage_map or load_map(MAP)
    evidence = read_evidence("manifest", msgspec.convert(manifest, Manifest), lineage_map, "dev")
    found = validate(evidence, lineage_map, environment="dev", **options)
    assert found.evidence.problems == ()
    return [(f.code, f.subject) for f in found.comparison.findings if f.severity is not Severity.NOTE]


def test_the_project_is_as_its_map_documents(manifest):
    assert findings(manifest) == []


def sql(model, old, new):
    def seed(manifest):
        node = manifest["nodes"][MODEL + model]
        assert old in node["compiled_code"]
        node["compiled_code"] = node["compiled_code"].replace(old, new)

    return seed


def depends(model, *, add=(), drop=()):
    def seed(manifest):
        nodes = manifest["nodes"][MODEL + model]["depends_on"]["nodes"]
        nodes[:] = [n for n in nodes if n not in drop] + list(add)

    return seed


def both(*seeds):
    def seed(manifest):
        for one in seeds:
            one(manifest)

    return seed


def rename(old, new):
    def seed(manifest):
        node = manifest["nodes"][MODEL + old]
        node["alias"] = new
        for other in manifest["nodes"].values():
            if other.get("compiled_code"):
                other["compiled_code"] = other["compiled_code"].replace(f'"{old}"', f'"{new}"')

    return seed


def remove(model):
    def seed(manifest):
        del manifest["nodes"][MODEL + model]

    return seed


def add_model(manifest):
    node = copy.deepcopy(manifest["nodes"][MODEL + "stg_orders"])
    node |= {"unique_id": MODEL + "stg_returns", "name": "stg_returns", "alias": "stg_returns"}
    manifest["nodes"][MODEL + "stg_returns"] = node


def data_type(model, column, new):
    def seed(manifest):
        node = manifest["nodes"][MODEL + model]
        node["columns"][column]["data_type"] = new
        node["config"]["contract"]["enforced"] = True

    return seed


def drop_exposure(manifest):
    del manifest["exposures"]["exposure.customer_analytics.executive_kpi_report"]


def exposure(name, **fields):
    def seed(manifest):
        manifest["exposures"][f"exposure.customer_analytics.{name}"] |= fields

    return seed


def lose_test(name, column):
    def seed(manifest):
        tests = manifest["nodes"]
        (key,) = [
            key
            for key, node in tests.items()
            if node["resource_type"] == "test"
            and (node["test_metadata"]["name"], node["column_name"]) == (name, column)
            and node["attached_node"] == MODEL + "stg_orders"
        ]
        del tests[key]

    return seed


def add_exposure(manifest):
    exposure = copy.deepcopy(
        manifest["exposures"]["exposure.customer_analytics.customer_analytics_dashboard"]
    )
    exposure |= {"name": "returns", "label": "Returns"}
    manifest["exposures"]["exposure.customer_analytics.returns"] = exposure


NO_EVENTS = "(select 'c' as customer_id, current_timestamp as event_timestamp, 'x' as event_type) as e"
BEHAVIOR, SUMMARY = "customer_behavior", "customer_orders_summary"
DRIFTS = {
    "a column dropped": (
        sql(BEHAVIOR, "  events.event_type,\n", ""),
        [(Code.COLUMN_MISSING, "gold.customer_behavior.event_type")],
    ),
    "a column added": (
        sql(BEHAVIOR, "  events.event_count,", "  events.event_count, 1 as score,"),
        [(Code.COLUMN_UNEXPECTED, "gold.customer_behavior.score")],
    ),
    "a column of the last position dropped": (
        sql(SUMMARY, ",\n  MAX(ordered_at) as last_ordered_at", ""),
        [(Code.COLUMN_MISSING, "gold.customer_orders_summary.last_ordered_at")],
    ),
    "a type": (
        data_type("stg_orders", "order_amount", "double"),
        [(Code.TYPE_CHANGED, "silver.stg_orders.order_amount")],
    ),
    "a type's precision": (
        data_type("stg_orders", "order_amount", "decimal(12,2)"),
        [(Code.TYPE_CHANGED, "silver.stg_orders.order_amount")],
    ),
    "a type of a timestamp": (
        data_type("stg_customers", "created_at", "date"),
        [(Code.TYPE_CHANGED, "silver.stg_customers.created_at")],
    ),
    "an expression": (
        sql("stg_customers", "TRIM(UPPER(email))", "TRIM(LOWER(email))"),
        [(Code.EXPRESSION_CHANGED, "silver.stg_customers.email_normalized")],
    ),
    "an aggregation": (
        sql(SUMMARY, "SUM(order_amount)", "AVG(order_amount)"),
        [(Code.EXPRESSION_CHANGED, "gold.customer_orders_summary.total_revenue")],
    ),
    "a cast": (
        sql("stg_orders", "DECIMAL(10,2)", "DECIMAL(12,2)"),
        [(Code.EXPRESSION_CHANGED, "silver.stg_orders.order_amount")],
    ),
    "a transformation removed": (
        sql("stg_customers", "TRIM(UPPER(email)) as", "email as"),
        [(Code.EXPRESSION_CHANGED, "silver.stg_customers.email_normalized")],
    ),
    "a column edge added and one removed": (
        sql("stg_orders", "  status as order_status,", "  customer_id as order_status,"),
        [
            (Code.COLUMN_EDGE_MISSING, "bronze.raw_orders.status -> silver.stg_orders.order_status"),
            (Code.COLUMN_EDGE_UNEXPECTED, "bronze.raw_orders.customer_id -> silver.stg_orders.order_status"),
        ],
    ),
    "a column edge added": (
        sql(SUMMARY, "SUM(order_amount)", "SUM(order_amount) + 0 * COUNT(DISTINCT product_id)"),
        [
            (
                Code.COLUMN_EDGE_UNEXPECTED,
                "silver.stg_orders.product_id -> gold.customer_orders_summary.total_revenue",
            ),
            (Code.EXPRESSION_CHANGED, "gold.customer_orders_summary.total_revenue"),
        ],
    ),
    "a column edge removed": (
        sql("stg_customers", "  last_name,", "  'x' as last_name,"),
        [(Code.COLUMN_EDGE_MISSING, "bronze.raw_customers.last_name -> silver.stg_customers.last_name")],
    ),
    "an edge added": (
        depends(BEHAVIOR, add=["source.customer_analytics.bronze.raw_products"]),
        [(Code.EDGE_UNEXPECTED, "bronze.raw_products -> gold.customer_behavior")],
    ),
    "an edge removed": (
        both(
            depends(BEHAVIOR, drop=[MODEL + "stg_events"]),
            sql(BEHAVIOR, '"warehouse"."silver"."stg_events"', NO_EVENTS),
        ),
        [(Code.EDGE_MISSING, "silver.stg_events -> gold.customer_behavior")],
    ),
    "a model removed": (
        both(
            remove("raw_products"),
            lambda m: m["sources"].pop("source.customer_analytics.bronze.raw_products"),
        ),
        [(Code.DATASET_MISSING, "bronze.raw_products")],
    ),
    "a model added": (add_model, [(Code.DATASET_UNEXPECTED, "silver.stg_returns")]),
    "a model renamed": (
        rename("stg_customers", "stg_clients"),
        [(Code.DATASET_MISSING, "silver.stg_customers"), (Code.DATASET_UNEXPECTED, "silver.stg_clients")],
    ),
    "a summary renamed": (
        rename(SUMMARY, "order_totals"),
        [
            (Code.DATASET_MISSING, "gold.customer_orders_summary"),
            (Code.DATASET_UNEXPECTED, "gold.order_totals"),
        ],
    ),
    "a dashboard removed": (drop_exposure, [(Code.DATASET_MISSING, "Executive KPI Report")]),
    "a dashboard with another owner": (
        exposure("customer_analytics_dashboard", owner={"name": "Finance", "email": "finance@example.com"}),
        [(Code.PROPERTY_CHANGED, "Customer Analytics Dashboard")],
    ),
    "a dashboard at another address": (
        exposure("executive_kpi_report", url="https://tableau.example.com/#/views/Old"),
        [(Code.PROPERTY_CHANGED, "Executive KPI Report")],
    ),
    "features of another table": (
        exposure("customer_engagement_features", depends_on={"nodes": [MODEL + "customer_orders_summary"]}),
        [(Code.EDGE_MISSING, "gold.customer_behavior -> customer_engagement_features")],
    ),
    "a documented test removed": (
        lose_test("relationships", "customer_id"),
        [(Code.CHECK_MISSING, "silver.stg_orders.customer_id")],
    ),
    "a dashboard added": (add_exposure, [(Code.DATASET_UNEXPECTED, "Returns")]),
}


@pytest.mark.parametrize(("seed", "expected"), DRIFTS.values(), ids=DRIFTS)
def test_a_seeded_drift_is_found_and_no_other(manifest, seed, expected):
    drifted = copy.deepcopy(manifest)
    seed(drifted)
    assert findings(drifted) == expected


UPPER_NAME = sql("stg_customers", "  first_name,", "  UPPER(first_name) as first_name,")


@pytest.mark.parametrize(
    ("documented", "expected"),
    [
        ("first_name: {type: VARCHAR}", []),
        ("first_name: {type: VARCHAR, from: first_name}", []),
        ("first_name: {type: VARCHAR, from: bronze.raw_customers.first_name}", []),
        (
            "first_name: {type: VARCHAR, subtype: IDENTITY}",
            [(Code.TRANSFORMATION_CHANGED, "silver.stg_customers.first_name")],
        ),
        (
            "first_name: {type: VARCHAR, expression: first_name}",
            [(Code.EXPRESSION_CHANGED, "silver.stg_customers.first_name")],
        ),
        ("first_name: {type: VARCHAR, subtype: TRANSFORMATION}", []),
    ],
)
def test_made_from_is_any_direct_derivation_unless_the_map_says_which(manifest, documented, expected):
    text = MAP.read_text()
    assert text.count("first_name: {type: VARCHAR}") == 1
    drifted = copy.deepcopy(manifest)
    UPPER_NAME(drifted)
    lineage_map = parse_map(text.replace("first_name: {type: VARCHAR}", documented))
    assert findings(drifted, lineage_map) == expected


def chain(seed):
    """Add staging models that the map does not document: one beside silver, one that gold reads."""
    for name, schema, parent in (("notes", "scratch", "stg_orders"), ("extra", "silver", "stg_orders")):
        node = copy.deepcopy(seed["nodes"][MODEL + "stg_orders"])
        node |= {"unique_id": MODEL + name, "name": name, "alias": name, "schema": schema}
        node["depends_on"]["nodes"] = [MODEL + parent]
        node["compiled_code"] = 'select * from "warehouse"."silver"."stg_orders"'
        seed["nodes"][MODEL + name] = node


@pytest.mark.parametrize(
    ("map_scope", "scope", "expected"),
    [
        ("[]", (), ["scratch.notes", "silver.extra"]),
        ("[silver.*, gold.*]", (), ["silver.extra"]),
        ("gold.*", (), []),
        ("[]", ("gold",), []),
        ("[]", ("silver",), ["silver.extra"]),
        ("[]", ("silver.stg_*",), []),
        ("[bronze.*, gold.*]", ("silver",), []),
    ],
)
def test_outside_of_the_scope_nothing_is_expected_or_reported(manifest, map_scope, scope, expected):
    drifted = copy.deepcopy(manifest)
    chain(drifted)
    remove("raw_products")(drifted)
    drifted["sources"].pop("source.customer_analytics.bronze.raw_products")
    text = MAP.read_text().replace("pipeline:\n", f"scope: {map_scope}\npipeline:\n", 1)
    missing = [(Code.DATASET_MISSING, "bronze.raw_products")] if (map_scope, scope) == ("[]", ()) else []
    assert findings(drifted, parse_map(text), scope=scope) == [
        *missing,
        *((Code.DATASET_UNEXPECTED, name) for name in expected),
    ]


def test_an_input_from_outside_of_the_scope_is_reported(manifest):
    drifted = copy.deepcopy(manifest)
    chain(drifted)
    depends(BEHAVIOR, add=[MODEL + "notes"])(drifted)
    assert findings(drifted, scope=["gold"]) == [(Code.DATASET_UNEXPECTED, "scratch.notes")]


def test_what_a_table_outside_of_the_scope_reads_is_not_reported(manifest):
    drifted = copy.deepcopy(manifest)
    depends("stg_orders", add=["source.customer_analytics.bronze.raw_products"])(drifted)
    assert findings(drifted, scope=["gold"]) == []
    assert findings(drifted) == [(Code.EDGE_UNEXPECTED, "bronze.raw_products -> silver.stg_orders")]


def test_a_path_through_tables_outside_of_the_scope_satisfies_an_edge(manifest):
    drifted = copy.deepcopy(manifest)
    chain(drifted)
    depends(SUMMARY, add=[MODEL + "notes"], drop=[MODEL + "stg_orders"])(drifted)
    sql(SUMMARY, '"warehouse"."silver"."stg_orders"', '"warehouse"."scratch"."notes"')(drifted)
    assert findings(drifted, scope=["gold"]) == []


def test_a_scope_of_the_map_that_fits_nothing_says_where(manifest):
    text = MAP.read_text().replace("pipeline:\n", "scope: [silver.*, slver.*]\npipeline:\n", 1)
    with pytest.raises(MapError, match=r"m.yaml:\d+:1: the scope 'slver.\*' fits no dataset of the map"):
        findings(manifest, parse_map(text, "m.yaml"))


def not_compiled(manifest):
    for node in manifest["nodes"].values():
        node["compiled_code"] = None


def half_described(manifest):
    for node in (*manifest["nodes"].values(), *manifest["sources"].values()):
        node["columns"] = dict(list(node["columns"].items())[:1])


def other_types(manifest):
    for node in (*manifest["nodes"].values(), *manifest["sources"].values()):
        for column in node["columns"].values():
            column["data_type"] = "double"


@pytest.mark.parametrize(
    "seed",
    [not_compiled, half_described, other_types, both(not_compiled, half_described, other_types)],
    ids=["from dbt parse", "YAML of some columns", "YAML of other types", "all"],
)
def test_documentation_is_no_evidence_of_columns_and_types(manifest, seed):
    drifted = copy.deepcopy(manifest)
    seed(drifted)
    lineage_map = load_map(MAP)
    evidence = read_evidence("manifest", msgspec.convert(drifted, Manifest), lineage_map, "dev")
    comparison = validate(evidence, lineage_map, environment="dev").comparison
    assert comparison.agreed, comparison.findings


def test_a_star_of_a_half_described_source_lists_no_columns(manifest):
    drifted = copy.deepcopy(manifest)
    half_described(drifted)
    source = next(s for s in drifted["sources"].values() if s["name"] == "raw_products")
    source |= {"schema": "elsewhere", "columns": {"product_id": {"name": "product_id"}}}
    node = drifted["nodes"][MODEL + "stg_orders"]
    node["compiled_code"] = "select * from warehouse.elsewhere.raw_products"
    node["depends_on"]["nodes"] = [source["unique_id"]]
    evidence = read_evidence("manifest", msgspec.convert(drifted, Manifest), load_map(MAP), "dev")
    assert evidence.graph.datasets["silver.stg_orders"].columns == {}
