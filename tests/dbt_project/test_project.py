"""The project's manifest on each target. No test here needs a warehouse."""

import importlib.util
import json
from types import SimpleNamespace

import pytest

LAYERS = {
    "bronze": {"raw_customers", "raw_orders", "raw_products", "raw_customer_events"},
    "silver": {"stg_customers", "stg_orders", "stg_events"},
    "gold": {"customer_orders_summary", "customer_behavior"},
}
DOCUMENTED = {
    "stg_customers": [
        "customer_id",
        "email_normalized",
        "first_name",
        "last_name",
        "created_at",
        "updated_at",
    ],
    "customer_behavior": [
        "customer_id",
        "email_normalized",
        "event_date",
        "event_type",
        "event_count",
        "total_orders",
        "total_revenue",
    ],
}


TARGETS = [
    name for name in ("duckdb", "postgres", "snowflake") if importlib.util.find_spec(f"dbt.adapters.{name}")
]


@pytest.fixture(scope="module")
def projects(dbt):
    """The manifest of each target, and the models that `--select` finds for each layer."""
    asked = [(target, layer) for target in TARGETS for layer in LAYERS]
    outcomes = dbt.run(
        *(f"ls --select {layer} --resource-type model --target {t} --target-path {t}" for t, layer in asked)
    )
    selected = {target: {} for target in TARGETS}
    for (target, layer), outcome in zip(asked, outcomes, strict=True):
        assert outcome.success, outcome.log
        selected[target][layer] = {name.rpartition(".")[2] for name in outcome.listed}
    manifests = {t: json.loads((dbt.project / t / "manifest.json").read_text()) for t in TARGETS}
    return {t: SimpleNamespace(target=t, manifest=manifests[t], selected=selected[t]) for t in TARGETS}


@pytest.fixture(params=TARGETS)
def project(request, projects):
    return projects[request.param]


def test_a_layer_is_selected_by_its_name_and_bronze_has_models_on_duckdb_only(project):
    bronze = LAYERS["bronze"] if project.target == "duckdb" else set()
    assert project.selected == {**LAYERS, "bronze": bronze}


def test_a_layer_is_the_schema_of_its_name(project):
    nodes = project.manifest["nodes"].values()
    models = {node["name"]: node["schema"] for node in nodes if node["resource_type"] == "model"}
    assert models == {name: layer for layer, names in project.selected.items() for name in names}
    assert {s["schema"] for s in project.manifest["sources"].values() if s["source_name"] == "bronze"} == {
        "bronze"
    }


def test_every_model_source_and_column_has_a_description_and_an_owner(project):
    tables = [node for node in project.manifest["nodes"].values() if node["resource_type"] == "model"]
    tables += project.manifest["sources"].values()
    for table in tables:
        assert table["description"], table["unique_id"]
        assert table["columns"], table["unique_id"]
        assert table["config"]["meta"]["owner"], table["unique_id"]
        assert table["tags"], table["unique_id"]
        for column in table["columns"].values():
            assert column["description"], (table["unique_id"], column["name"])
            assert column["data_type"], (table["unique_id"], column["name"])


def test_silver_reads_bronze_as_a_source(project):
    nodes = project.manifest["nodes"]
    reads = {
        name: nodes[f"model.customer_analytics.{name}"]["depends_on"]["nodes"] for name in LAYERS["silver"]
    }
    assert reads == {
        "stg_customers": ["source.customer_analytics.bronze.raw_customers"],
        "stg_orders": ["source.customer_analytics.bronze.raw_orders"],
        "stg_events": ["source.customer_analytics.bronze.raw_customer_events"],
    }


@pytest.mark.parametrize("model", DOCUMENTED)
def test_the_columns_are_as_documented(project, model):
    assert (
        list(project.manifest["nodes"][f"model.customer_analytics.{model}"]["columns"]) == DOCUMENTED[model]
    )


def test_the_config_is_as_documented(project):
    nodes = project.manifest["nodes"]
    customers = nodes["model.customer_analytics.stg_customers"]["config"]
    behavior = nodes["model.customer_analytics.customer_behavior"]["config"]
    assert customers["materialized"] == "incremental"
    assert customers["unique_key"] == "customer_id"
    assert customers["on_schema_change"] == "append_new_columns"
    assert behavior["materialized"] == "table"
    assert behavior["cluster_by"] == ["customer_id", "event_date"]


def test_freshness_is_the_documented_five_minutes(project):
    bronze = [source for source in project.manifest["sources"].values() if source["source_name"] == "bronze"]
    assert {source["name"] for source in bronze} == LAYERS["bronze"]
    for source in bronze:
        assert source["loaded_at_field"] == "_loaded_at"
        assert source["freshness"]["error_after"] == {"count": 5, "period": "minute"}


def test_all_four_consumers_are_exposures_of_customer_behavior(project):
    exposures = project.manifest["exposures"].values()
    assert {exposure["label"] for exposure in exposures} == {
        "Customer Analytics Dashboard",
        "Executive KPI Report",
        "customer_engagement_features",
        "churn_prediction_model",
    }
    for exposure in exposures:
        assert exposure["depends_on"]["nodes"] == ["model.customer_analytics.customer_behavior"]
        assert exposure["owner"]["email"]
        assert exposure["description"]
