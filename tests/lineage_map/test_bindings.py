"""Logical names and OpenLineage's, both ways."""

from pathlib import Path

import pytest

from airflow_lineage_provider.lineage_map import MapError, bindings_of, load_map, parse_map

MAP = load_map(Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml")

OBSERVED = [
    ("dev", "duckdb:///data/me/data/warehouse.duckdb", "warehouse.bronze.raw_orders", "bronze.raw_orders"),
    ("dev", "duckdb:///data/me/data/crm.duckdb", "crm.public.orders", "crm.public.orders"),
    ("dev", "file", "/data/me/landing/customer_events/*.parquet", "landing.customer_events"),
    ("dev", "file", "/data/me/landing/customer_events", "landing.customer_events"),
    ("dev", "duckdb:///data/me/data/warehouse.duckdb", "warehouse.silver.new_one", "silver.new_one"),
    ("dev", "duckdb:///data/me/data/other.duckdb", "other.silver.new_one", None),
    ("postgres", "postgres://localhost:5432", "analytics.gold.customer_behavior", "gold.customer_behavior"),
    ("prod", "postgres://crm-db.prod.example.com:5432", "crm.public.orders", "crm.public.orders"),
    ("prod", "kafka://broker:9092", "customer-events-prod", "kafka.customer-events-prod"),
    ("prod", "s3://data-lake", "bronze/customer_events", "landing.customer_events"),
    ("prod", "s3://data-lake", "bronze/customer_events/", "landing.customer_events"),
    ("prod", "snowflake://analytics.prod", "ANALYTICS.BRONZE.RAW_ORDERS", "bronze.raw_orders"),
    ("prod", "snowflake://analytics.prod", "analytics.gold.customer_behavior", "gold.customer_behavior"),
]


@pytest.mark.parametrize(("environment", "namespace", "name", "logical"), OBSERVED)
def test_an_observed_dataset_has_its_logical_name(environment, namespace, name, logical):
    assert bindings_of(MAP, environment).logical(namespace, name) == logical


def test_a_logical_dataset_has_its_physical_name():
    production = bindings_of(MAP, "prod")
    assert production.physical("crm.public.orders") == (
        "postgres://crm-db.prod.example.com:5432",
        "crm.public.orders",
    )
    assert production.physical("gold.customer_behavior") == (
        "snowflake://*",
        "ANALYTICS.gold.customer_behavior",
    )


def test_an_unknown_environment_says_which_there_are():
    with pytest.raises(MapError, match="no environment 'staging'; the map has dev, postgres, prod"):
        bindings_of(MAP, "staging")


def test_a_template_that_cannot_be_filled():
    text = (
        "document: {}\nenvironments:\n  dev:\n    bindings:\n"
        "      - {dataset: '{layer}.{table}', namespace: x, name: '{table}'}\n"
    )
    with pytest.raises(MapError) as error:
        bindings_of(parse_map(text, "m.yaml"))
    assert (
        str(error.value) == "m.yaml:5:9: {layer} must stand in `dataset` and in `namespace` or `name` alike"
    )


def test_a_name_beyond_all_bounds_is_not_matched():
    assert bindings_of(MAP, "postgres").logical("postgres://x", "a." * 1_000_000) is None
