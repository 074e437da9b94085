"""Queries for columns: a complete type on each warehouse. A new warehouse is one row."""

import pytest

from airflow_lineage_provider.dbt.columns_sql import columns_query, full_type


@pytest.mark.parametrize(
    ("name", "length", "precision", "scale", "expected"),
    [
        ("NUMBER", None, 10, 2, "NUMBER(10,2)"),  # Snowflake
        ("NUMBER", None, 38, 0, "NUMBER(38,0)"),
        ("TEXT", 100, None, None, "TEXT(100)"),
        ("TIMESTAMP_NTZ", None, None, None, "TIMESTAMP_NTZ"),
        ("numeric", None, 12, 4, "numeric(12,4)"),  # Redshift, SQL Server
        ("character varying", 256, None, None, "character varying(256)"),
        ("integer", None, 32, 0, "integer"),
        ("varchar", -1, None, None, "varchar"),  # SQL Server's varchar(max)
        ("decimal(10,2)", None, None, None, "decimal(10,2)"),  # Trino, Databricks, BigQuery
    ],
)
def test_a_type_has_its_parameters(name, length, precision, scale, expected):
    assert full_type(("orders", "amount", name, length, precision, scale)) == expected


@pytest.mark.parametrize(
    ("adapter", "source"),
    [
        ("snowflake", "Shop.information_schema.columns"),
        ("redshift", "svv_columns"),
        ("bigquery", "`Shop`.`Gold`.INFORMATION_SCHEMA.COLUMNS"),
        ("postgres", "pg_catalog.pg_attribute"),
        ("duckdb", "duckdb_columns()"),
        ("databricks", "full_data_type"),
    ],
)
def test_one_query_reads_all_tables_of_a_schema(adapter, source):
    query = columns_query(adapter, "Shop", "Gold", ["Orders", "events"])
    assert source in query
    assert "in ('events', 'orders')" in query


@pytest.mark.parametrize("table", ["o'hara", 'a"b', "a`b", "a\\b"])
def test_a_name_that_would_need_escapes_is_not_put_into_sql(table):
    assert columns_query("duckdb", "shop", "gold", ["orders", table]) is None


def test_an_unknown_warehouse_is_asked_through_dbt():
    assert columns_query("clickhouse", "shop", "gold", ["orders"]) is None
