"""Snowflake by its protocol in a real Airflow: rows moved into it, and files that it loaded, as lineage."""

import json
import sys
from pathlib import Path

import psycopg2
import pytest
import snowflake.connector

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "dbt"), str(TESTS / "operators")]

from airflow_cases import run_cases  # noqa: E402
from dbt_projects import write_project  # noqa: E402

from tests.support.postgres_server import create_database  # noqa: E402
from tests.support.snowflake_server import fakesnow  # noqa: E402

pytestmark = pytest.mark.e2e

DATABASE = "snowflake_crm"
PIPE = (
    "copy into raw_orders from @lake file_format = (type = parquet) match_by_column_name = case_insensitive"
)
VIEWS = """
create database analytics;
create schema analytics.bronze;
create table analytics.bronze.raw_files (id bigint, amount number(10, 2), _op varchar);
create database snowflake;
create schema snowflake.account_usage;
create table snowflake.account_usage.copy_history (
    file_name varchar, stage_location varchar, last_load_time timestamp_tz, row_count bigint, status varchar,
    first_error_message varchar, table_catalog_name varchar, table_schema_name varchar, table_name varchar,
    pipe_catalog_name varchar, pipe_schema_name varchar, pipe_name varchar);
create table snowflake.account_usage.pipes (
    pipe_catalog varchar, pipe_schema varchar, pipe_name varchar, definition varchar, deleted timestamp_tz)
"""
LOADED = """
insert into snowflake.account_usage.copy_history
select 'orders/load-00000000000000000000.parquet', 's3://lake/snowflake/', current_timestamp(), 30, 'Loaded',
       null, 'ANALYTICS', 'BRONZE', 'RAW_FILES', 'ANALYTICS', 'BRONZE', 'P'
"""
SETTINGS = {"account": "acme-emea", "database": "ANALYTICS", "protocol": "http"}


def prepare(port):
    """Create what a real account has: a database, a table, and the views of loads."""
    connection = snowflake.connector.connect(
        host="127.0.0.1", port=port, protocol="http", account="acme-emea", user="etl", password="p",
        network_timeout=30,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        for statement in VIEWS.split(";"):
            cursor.execute(statement)
        cursor.execute(LOADED)
        cursor.execute(
            f"insert into snowflake.account_usage.pipes select 'ANALYTICS', 'BRONZE', 'P', '{PIPE}', null"
        )


def source(postgres):
    create_database(postgres, DATABASE)
    crm = {
        "conn_type": "postgres",
        "host": postgres["PGHOST"],
        "port": int(postgres["PGPORT"]),
        "login": postgres["PGUSER"],
        "password": postgres["PGPASSWORD"],
        "schema": DATABASE,
    }
    connection = psycopg2.connect(
        host=crm["host"], port=crm["port"], user=crm["login"], password=crm["password"], dbname=DATABASE
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("create table orders (id bigint primary key, amount numeric(10, 2), note text)")
        cursor.execute("insert into orders select n, n, 'n' || n from generate_series(1, 30) n")
    connection.close()
    return crm


@pytest.fixture(scope="module")
def cases(tmp_path_factory, postgres, bucket):
    base = tmp_path_factory.mktemp("snowflake")
    project = str(write_project(base / "shop", {"models/gold/one.sql": "select 1 as id"}))
    with fakesnow(base / "snowflake.log") as server:
        port = server["port"]
        prepare(port)
        snow = {"conn_type": "snowflake", "login": "etl", "password": "very-secret", "schema": "SILVER"}
        connections = {
            "crm": source(postgres),
            "snow": snow | {"extra": SETTINGS | {"host": "127.0.0.1", "port": port}},
            "s3": {
                "conn_type": "aws",
                "login": bucket.access_key,
                "password": bucket.secret_key,
                "extra": {"region_name": bucket.region, "endpoint_url": bucket.endpoint_url},
            },
        }
        where = {"project_dir": project, "profile_conn_id": "snow"}
        crm = {"source_conn_id": "crm"}
        loads = {"class": "snowflake_loads.SnowflakeLoadLineageOperator"}
        movers = {"class": "ingest.PostgresToBronzeOperator"}
        files = {"tables": {"public.orders": "orders"}, "lake": "s3://lake/snowflake", "s3_conn_id": "s3"}
        return run_cases(
            base / "airflow",
            {
                "rows": movers
                | {"operator": crm | where | {"tables": {"public.orders": "bronze.raw_orders"}}},
                "rows_again": movers
                | {"operator": crm | where | {"tables": {"public.orders": "bronze.raw_orders"}}},
                "files": movers | {"operator": crm | files},
                "loads": loads
                | {"params": {"since": "2 days"}, "operator": where | {"since": "{{ params.since }}"}},
                "no_duration": loads | {"operator": where | {"since": "lately"}},
                "not_snowflake": loads | {"operator": {"project_dir": project, "profiles_dir": project}},
            },
            {f"AIRFLOW_CONN_{name.upper()}": json.dumps(conn) for name, conn in connections.items()},
        )


def test_rows_are_moved_into_snowflake_and_named_by_its_account(cases):
    ran = cases["rows"]
    assert ran.returned["moved"] == {"bronze.raw_orders": {"rows": 30, "deleted": 0}}
    assert cases["rows_again"].returned["moved"] == {"bronze.raw_orders": {"rows": 30, "deleted": 0}}
    (target,) = ran.events[-1]["outputs"]
    assert (target["namespace"], target["name"]) == ("snowflake://acme-emea", "ANALYTICS.BRONZE.RAW_ORDERS")
    fields = target["facets"]["columnLineage"]["fields"]
    assert [one["field"] for one in fields["AMOUNT"]["inputFields"]] == ["amount"]


def test_files_that_snowflake_loaded_are_lineage_from_the_bucket_to_the_table(cases):
    ran = cases["loads"]
    assert ran.state == "success"
    assert ran.returned["jobs"] == {"COMPLETE": 1}
    complete = ran.events[-1]
    (files,), (table,) = complete["inputs"], complete["outputs"]
    assert (files["namespace"], files["name"]) == ("s3://lake", "snowflake/orders")
    assert (table["namespace"], table["name"]) == ("snowflake://acme-emea", "ANALYTICS.BRONZE.RAW_FILES")
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 30
    fields = table["facets"]["columnLineage"]["fields"]
    assert {name.lower(): made["inputFields"][0]["field"] for name, made in fields.items()} == {
        "id": "id",
        "amount": "amount",
        "_op": "_op",
    }


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("no_duration", "'lately' does not name one duration"),
        ("not_snowflake", "name one of Snowflake"),
    ],
)
def test_what_is_wrong_is_one_line(cases, case, said):
    assert cases[case].state == "failed"
    assert said in cases[case].error
    assert cases[case].events == []


def test_the_password_is_in_no_log(cases):
    assert all("very-secret" not in ran.log for ran in cases.values())
