# ruff: noqa: E501 - SQL
"""Snowflake's QUERY_HISTORY and ACCESS_HISTORY, as tables of the documented form behind Snowflake's protocol."""

import json
from datetime import UTC, datetime

import pytest

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map import bindings_of, parse_map
from airflow_lineage_provider.readers.query_log import read_writes, snowflake
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.warehouse_log import warehouse_query_log
from tests.support.snowflake_server import fakesnow

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
DBT = '/* {"app": "dbt", "node_id": "model.shop.revenue"} */ '
MAP = """
document: {title: T}
layers: {silver: {tables: [orders]}, gold: {tables: [revenue]}}
environments:
  prod: {bindings: [{dataset: "{layer}.{table}", namespace: "snowflake://*", name: "SHOP.{layer}.{table}", ignore_case: true}]}
"""
QUERIES = [
    ("q1", "2026-01-02 00:00:01", DBT + "create temporary table gold.revenue__dbt_tmp as select id from silver.orders", "DBT", 1, "CREATE_TABLE_AS_SELECT", "SUCCESS"),
    ("q2", "2026-01-02 00:00:02", DBT + "insert into gold.revenue (total) select id from gold.revenue__dbt_tmp", "DBT", 1, "INSERT", "SUCCESS"),
    ("q3", "2026-01-02 00:00:03", "insert into gold.revenue (total) select id from silver.orders where note = 'topsecret'", "EVE", 2, "INSERT", "SUCCESS"),
    ("q4", "2026-01-02 00:00:04", "insert into gold.revenue (total) select id from silver.orders", "FAILED", 3, "INSERT", "FAIL"),
    ("q5", "2026-01-02 00:00:05", "select * from gold.revenue", "READER", 3, "SELECT", "SUCCESS"),
    ("q6", "2025-01-01 00:00:00", "insert into gold.revenue (total) select 1", "OLD", 4, "INSERT", "SUCCESS"),
]  # fmt: skip


def access(target, column, source, source_column):
    origin = {"objectName": source, "objectDomain": "Table", "objectId": 1, "columnName": source_column}
    modified = {"objectName": target, "objectDomain": "Table", "objectId": 2}
    modified["columns"] = [
        {"columnId": 3, "columnName": column, "directSources": [origin], "baseSources": []}
    ]
    return json.dumps([{"objectName": source, "objectDomain": "Table", "objectId": 1}]), json.dumps(
        [modified]
    )


ACCESS = {
    "q1": access("SHOP.GOLD.REVENUE__DBT_TMP", "ID", "SHOP.SILVER.ORDERS", "ID"),
    "q2": access("SHOP.GOLD.REVENUE", "TOTAL", "SHOP.GOLD.REVENUE__DBT_TMP", "ID"),
    "q3": access("SHOP.GOLD.REVENUE", "TOTAL", "SHOP.SILVER.ORDERS", "ID"),
}


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    """Return a function that runs SQL on a server with the views."""
    import snowflake.connector

    with fakesnow(tmp_path_factory.mktemp("fakesnow") / "server.log") as options:
        connection = snowflake.connector.connect(**options, paramstyle="qmark")

        def query(sql, parameters=()):
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return [tuple(row) for row in cursor.fetchall()]

        query("create database snowflake")
        query("create schema snowflake.account_usage")
        query(
            "create table snowflake.account_usage.query_history (query_id varchar, start_time timestamp_tz, query_text varchar, "
            "user_name varchar, session_id number, database_name varchar, schema_name varchar, query_type varchar, execution_status varchar)"
        )
        for query_id, at, text, user, session, kind, status in QUERIES:
            query(
                "insert into snowflake.account_usage.query_history select "
                f"'{query_id}', cast('{at}+00:00' as timestamp_tz), ?, '{user}', {session}, 'SHOP', 'PUBLIC', '{kind}', '{status}'",
                (text,),
            )
        yield query
        connection.close()


@pytest.fixture(scope="module")
def recorded(account):
    """Add ACCESS_HISTORY to the account."""
    account(
        "create table snowflake.account_usage.access_history (query_id varchar, direct_objects_accessed variant, objects_modified variant)"
    )
    for query_id, (read, modified) in ACCESS.items():
        account(
            "insert into snowflake.account_usage.access_history "
            f"select '{query_id}', parse_json('{read}'), parse_json('{modified}')"
        )
    return account


def written(query):
    log = warehouse_query_log(query, "snowflake://org-account", "SHOP", SINCE)
    found = read_writes(log, bindings_of(parse_map(MAP), "prod"))
    return found, {(write.target, write.sources, write.user, write.node) for write in found.writes}


EXPECTED = {
    ("gold.revenue", ("silver.orders",), "DBT", "model.shop.revenue"),
    ("gold.revenue", ("silver.orders",), "EVE", ""),
}


def test_without_access_history_the_statements_are_parsed(account):
    found, flows = written(account)
    assert flows == EXPECTED
    assert "ACCESS_HISTORY cannot be read" in found.gaps[0]
    assert found.problems == ()


def test_what_access_history_records_is_read_as_it_is(recorded):
    found, flows = written(recorded)
    assert flows == EXPECTED
    assert (found.problems, found.gaps) == ((), ())
    assert {str(edge) for write in found.writes for edge in write.column_edges} == {
        "silver.orders.id -> gold.revenue.total"
    }
    assert all(write.first.startswith("2026-01-02 00:00:0") for write in found.writes)


def test_the_history_is_read_by_pages(recorded, monkeypatch):
    monkeypatch.setattr(snowflake, "PAGE", 2)
    assert written(recorded)[1] == EXPECTED


def test_a_text_at_snowflakes_limit_is_cut_off(account, monkeypatch):
    monkeypatch.setattr(snowflake, "LONGEST_TEXT", 60)
    found, flows = written(lambda sql: account(sql.replace("access_history", "nowhere")))
    assert flows == set()
    assert all("cut it off" in problem for problem in found.problems)


def test_a_record_that_cannot_be_read_is_said_and_the_text_is_parsed():
    row = (
        "q1",
        "2026-01-02",
        "insert into gold.revenue (total) select id from silver.orders",
        "EVE",
        "1",
        "SHOP",
        "PUBLIC",
        "[]",
        "{broken",
    )
    found, flows = written(lambda _: [row])
    assert flows == {("gold.revenue", ("silver.orders",), "EVE", "")}
    assert "query q1 cannot be read" in found.problems[0]


def test_an_account_that_cannot_be_asked_is_an_error_that_says_what_to_grant():
    def query(_):
        raise RuntimeError("Object 'SNOWFLAKE' does not exist or not authorized")

    with pytest.raises(SystemReadError, match="grant IMPORTED PRIVILEGES"):
        written(query)


def test_another_warehouse_is_an_error_that_says_what_to_give():
    with pytest.raises(InputError, match="give its log files"):
        warehouse_query_log(lambda _: [], "duckdb:///x.duckdb", "x", SINCE)
