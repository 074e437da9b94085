# ruff: noqa: E501 - a case is a row
"""Snowflake's copy history as jobs. Its views are tables of a DuckDB database named `snowflake` here."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.operators.snowflake_loads import read_copy_history
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.snowflake_loads import Load, load_observation, read_loads

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LAKE = DatasetName("s3://data-lake", "bronze/public/orders")
PIPE = (
    "COPY INTO raw_orders FROM @lake FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE"
)


class Views:
    """A database with the views of ACCOUNT_USAGE that are read."""

    def __init__(self):
        self._connection = duckdb.connect()
        self._connection.execute("attach ':memory:' as snowflake")
        self._connection.execute("create schema snowflake.account_usage")
        self._connection.execute(
            """
            create table snowflake.account_usage.copy_history (
                file_name text, stage_location text, last_load_time timestamptz, row_count bigint, status text,
                first_error_message text, table_catalog_name text, table_schema_name text, table_name text,
                pipe_catalog_name text, pipe_schema_name text, pipe_name text
            )
            """
        )
        self._connection.execute(
            """
            create table snowflake.account_usage.pipes (
                pipe_catalog text, pipe_schema text, pipe_name text, definition text, deleted timestamptz
            )
            """
        )
        self._connection.execute(
            "insert into snowflake.account_usage.pipes values ('A', 'B', 'P', 'old', now()), ('A', 'B', 'P', ?, null)",
            [PIPE],
        )

    def loaded(self, file, rows=10, status="Loaded", error=None, ago=timedelta(hours=1), pipe="P"):
        stage = "s3://data-lake/bronze/"
        row = [
            file,
            stage,
            NOW - ago,
            rows,
            status,
            error,
            "ANALYTICS",
            "BRONZE",
            "RAW_ORDERS",
            "A",
            "B",
            pipe,
        ]
        self._connection.execute(
            f"insert into snowflake.account_usage.copy_history values ({', '.join('?' * len(row))})", row
        )

    def query(self, sql):
        return self._connection.execute(sql).fetchall()


def test_the_files_of_a_folder_are_one_load_with_the_pipe_that_copied_them():
    views = Views()
    views.loaded("public/orders/LOAD1.parquet", 10)
    views.loaded("public/orders/LOAD2.parquet", 5)
    views.loaded("public/orders/LOAD0.parquet", 99, ago=timedelta(days=2))
    (load,) = read_copy_history(views, NOW - timedelta(days=1))
    assert (load.database, load.schema, load.table) == ("ANALYTICS", "BRONZE", "RAW_ORDERS")
    assert (load.files, load.rows, load.definition) == (LAKE, 15, PIPE)


@pytest.mark.parametrize(
    "folder",
    [
        "public/orders/day=2026-01-01/",
        "public/orders/2026/01/31/",
        "public/orders/20260131/",
        "public/orders/",
    ],
)
def test_partitions_are_one_load_of_the_folder_around_them(folder):
    views = Views()
    views.loaded("public/orders/LOAD1.parquet")
    views.loaded(f"{folder}x.parquet", pipe=None)
    (load,) = read_copy_history(views, NOW - timedelta(days=1))
    assert (load.files, load.rows, load.definition) == (LAKE, 20, PIPE)


@pytest.mark.parametrize("count", [10, 10.0, Decimal(10)])
def test_a_sum_is_of_whatever_type_the_driver_has(count):
    (found,) = read_loads([("A", "B", "T", "s3://data-lake/bronze/", "x/", None, count, count, None)])
    assert (found.rows, found.failed) == (10, 10)


def test_what_comes_from_an_internal_stage_has_no_dataset():
    assert read_loads([("A", "B", "T", "@internal/stage", "x/", None, 1, 0, None)]) == []


def test_a_view_that_cannot_be_read_is_one_line_that_says_what_to_grant():
    class Denied:
        def query(self, sql):
            raise RuntimeError("002003 (02000): SQL compilation error:\nSchema does not exist")

    with pytest.raises(
        SystemReadError, match=r"cannot be read \(002003.*\): grant IMPORTED PRIVILEGES"
    ) as found:
        read_copy_history(Denied(), NOW)
    assert "\n" not in str(found.value)


def load(definition=PIPE, failed=0, error=""):
    return Load("ANALYTICS", "BRONZE", "RAW_ORDERS", LAKE, definition, 15, failed, error)


TABLE = {"order_id": "number", "amount": "varchar", "loaded_by": "varchar"}


def observe(load, files=("Order_Id", "amount")):
    return load_observation(load, "snowflake://org-account", TABLE, files, NOW)


def test_columns_are_matched_by_name_whatever_their_case():
    movement = observe(load()).movement
    (target,) = movement.outputs
    assert (target.name.namespace, target.name.name) == (
        "snowflake://org-account",
        "ANALYTICS.BRONZE.RAW_ORDERS",
    )
    assert target.rows == 15
    assert {name: [s.column for s in made] for name, made in movement.columns.items()} == {
        "ORDER_ID": ["Order_Id"],
        "AMOUNT": ["amount"],
        "LOADED_BY": [],
    }


@pytest.mark.parametrize(
    ("definition", "files", "said"),
    [
        ("COPY INTO t FROM (SELECT $1:a FROM @s)", ("a",), "does not match columns by name"),
        ("", ("a",), "does not match columns by name, or is no pipe"),
        (PIPE, (), "no event says which columns s3://data-lake/bronze/public/orders has"),
    ],
)
def test_columns_that_are_not_certain_are_not_claimed(definition, files, said):
    movement = observe(load(definition), files).movement
    assert movement.columns is None
    assert said in movement.problems[0]


def test_files_that_failed_fail_the_job():
    observation = observe(load(failed=2, error="bad row"))
    assert observation.state is RunState.FAIL
    assert observation.error == "2 files failed to load into ANALYTICS.BRONZE.RAW_ORDERS: bad row"
