"""Logical names of OpenLineage's."""

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


def test_an_unknown_environment_says_which_there_are():
    with pytest.raises(MapError, match="no environment 'staging'; the map has dev, postgres, prod"):
        bindings_of(MAP, "staging")


def test_a_placeholder_without_a_logical_part_is_an_error():
    text = (
        "document: {}\nenvironments:\n  dev:\n    bindings:\n"
        "      - {dataset: 'raw.{table}', namespace: x, name: '{schema}.{table}'}\n"
    )
    with pytest.raises(MapError) as error:
        bindings_of(parse_map(text, "m.yaml"))
    assert str(error.value) == ("m.yaml:5:9: {schema} must be in `dataset` too; write `*` for any text")


LAYERS = """
document: {}
layers:
  raw: {tables: [customers_csv]}
  staging: {tables: [stg_customers]}
  marts: {tables: [customers, Orders]}
environments:
  shared:
    bindings:
      - {dataset: "raw.{table}", namespace: "*", name: "db.main.{table}"}
      - {dataset: "staging.{table}", namespace: "*", name: "db.main.{table}"}
      - {dataset: "marts.{table}", namespace: "*", name: "db.main.{table}"}
  constant:
    bindings: [{dataset: "{layer}.{table}", namespace: "*", name: "db.main.{table}"}]
  folded:
    bindings: [{dataset: "{layer}.{table}", namespace: "*", name: "DB.MAIN.{table}", ignore_case: true}]
  prefixed:
    bindings:
      - {dataset: "raw.{table}", namespace: "*", name: "db.main.raw_{table}"}
      - {dataset: "marts.{table}", namespace: "*", name: "db.main.{table}"}
"""


@pytest.mark.parametrize(
    ("environment", "name", "logical"),
    [
        ("shared", "db.main.customers_csv", "raw.customers_csv"),
        ("shared", "db.main.stg_customers", "staging.stg_customers"),
        ("shared", "db.main.customers", "marts.customers"),
        ("shared", "db.main.unknown", None),
        ("constant", "db.main.customers", "marts.customers"),
        ("constant", "db.main.customers_csv", "raw.customers_csv"),
        ("constant", "db.main.unknown", None),
        ("constant", "db.other.customers", None),
        ("folded", "db.main.ORDERS", "marts.Orders"),
        ("prefixed", "db.main.customers", "marts.customers"),
        ("prefixed", "db.main.raw_customers_csv", "raw.customers_csv"),
        ("prefixed", "db.main.unknown", "marts.unknown"),
    ],
)
def test_layers_in_one_schema_are_told_apart_by_the_documented_names(environment, name, logical):
    bindings = bindings_of(parse_map(LAYERS), environment)
    assert bindings.logical("duckdb:///x", name) == logical
    assert bindings.logical_of_name(name) == logical


def test_a_table_that_two_documented_datasets_are_bound_to_is_ambiguous():
    lineage_map = parse_map(LAYERS.replace("raw: {tables: [customers_csv]}", "raw: {tables: [customers]}"))
    assert list(bindings_of(lineage_map, "shared").ambiguous()) == [
        ("* db.main.customers", ("raw.customers", "marts.customers"))
    ]
    assert list(bindings_of(MAP, "dev").ambiguous()) == []


def test_a_name_beyond_all_bounds_is_not_matched():
    assert bindings_of(MAP, "postgres").logical("postgres://x", "a." * 1_000_000) is None
