# ruff: noqa: E501 - SQL
"""The log of a real Postgres: as csvlog, as jsonlog and by pg_stat_statements."""

import gzip
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import URL

from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers.query_log import read_writes
from airflow_lineage_provider.readers.query_log.files import open_log_files
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.postgres_statements import postgres_query_log
from tests.support.postgres_server import connect, postgres_or_skip

DBT = '/* {"app": "dbt", "node_id": "model.shop.%s"} */ '
SETTINGS = (
    *("logging_collector=on", "log_destination=csvlog,jsonlog", "log_filename=q.log", "log_file_mode=0644"),
    *("log_min_duration_statement=0", "log_rotation_age=0", "shared_preload_libraries=pg_stat_statements"),
)
JOBS = [
    "create table bronze.orders (id int, amount text)",
    DBT % "orders"
    + "create temporary table stg__dbt_tmp101 as select id, amount::numeric as paid from bronze.orders",
    DBT % "orders" + "create table silver.orders as select * from stg__dbt_tmp101",
    DBT % "parts"
    + "create temp table parts__dbt_tmp7 as select id from silver.orders; create table gold.parts (id int); insert into gold.parts (id) select id from parts__dbt_tmp7",
    DBT % "revenue" + "create table gold.revenue__dbt_tmp as select sum(paid) as total from silver.orders",
    DBT % "revenue" + "alter table gold.revenue__dbt_tmp rename to revenue",
]
WRITES = {
    ("silver.orders", ("bronze.orders",), "analytics", "model.shop.orders"),
    ("gold.revenue", ("silver.orders",), "analytics", "model.shop.revenue"),
    ("gold.parts", ("silver.orders",), "analytics", "model.shop.parts"),
    ("gold.revenue", ("bronze.orders",), "eve", ""),
}


@pytest.fixture(scope="module")
def server():
    """A server on which a job and a user have written; gives its variables, data folder and log files."""
    with postgres_or_skip(*SETTINGS) as variables:
        admin = connect(variables)
        folder = Path(one(admin, "show data_directory")) / "log"
        admin.cursor().execute("create extension pg_stat_statements")
        admin.cursor().execute("create schema bronze; create schema silver; create schema gold")
        job = connect(variables)
        for sql in JOBS:
            job.cursor().execute(sql)
        admin.cursor().execute("create role eve login superuser password 'eve'")
        eve = connect(variables | {"PGUSER": "eve", "PGPASSWORD": "eve"})
        for number in (4111, 4112):
            eve.cursor().execute(
                "insert into gold.revenue (total) select amount::numeric from bronze.orders where id = %s",
                (number,),
            )
        with pytest.raises(psycopg2.Error):
            eve.cursor().execute("insert into gold.nowhere select id from bronze.orders")
        eve.cursor().execute("begin; insert into gold.revenue (total) select 1 from silver.orders; rollback")
        eve.cursor().execute("begin")
        eve.cursor().execute("insert into gold.revenue (total) select 2 from silver.orders")
        eve.cursor().execute("rollback")
        eve.close()
        yield variables, folder


def one(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def url(variables, **changes):
    return URL.create(
        "postgresql",
        changes.get("user", variables["PGUSER"]),
        changes.get("password", variables["PGPASSWORD"]),
        variables["PGHOST"],
        int(variables["PGPORT"]),
        variables["PGDATABASE"],
    )


def written(log):
    found = read_writes(log, Bindings())
    return {
        (write.target, write.sources, write.user, write.node)
        for write in found.writes
        if write.target.startswith(("silver.", "gold."))
    }, found


@pytest.mark.parametrize("name", ["q.csv", "q.json"])
def test_the_servers_log_says_who_wrote_what_from_what(server, name):
    flows, found = written(open_log_files([server[1] / name]))
    assert flows == WRITES
    (eve,) = (write for write in found.writes if write.user == "eve")
    assert eve.calls == 2
    assert "" < eve.first <= eve.last
    assert "4111" not in eve.statement
    (revenue,) = (write for write in found.writes if write.node == "model.shop.revenue")
    assert [str(edge) for edge in revenue.column_edges] == ["silver.orders.paid -> gold.revenue.total"]


def test_the_log_is_read_as_gzip_and_after_its_rotation(server, tmp_path):
    text = (server[1] / "q.csv").read_bytes()
    lines = text.splitlines(keepends=True)
    (tmp_path / "q.1.csv.gz").write_bytes(gzip.compress(b"".join(lines[:20])))
    (tmp_path / "q.csv").write_bytes(b"".join(lines[20:]))
    flows, _ = written(open_log_files([tmp_path / "q*"]))
    assert flows == WRITES


def test_a_folder_with_both_logs_is_read_once(server):
    log = open_log_files([server[1]])
    flows, found = written(log)
    assert flows == WRITES
    assert [write.calls for write in found.writes if write.user == "eve"] == [2]
    assert "q.json has the records of the csvlog" in log.notes[0]


def test_pg_stat_statements_says_it_without_times(server):
    flows, found = written(postgres_query_log(url(server[0]), "crm"))
    assert flows >= WRITES
    assert all(write.first == "" for write in found.writes)
    (eve,) = (write for write in found.writes if (write.user, write.sources) == ("eve", ("bronze.orders",)))
    assert eve.calls == 2


def test_pg_stat_statements_knows_the_columns_of_the_tables(server):
    _, found = written(postgres_query_log(url(server[0]), "crm"))
    assert not [gap for gap in found.gaps if "columns which are not known" in gap]


def test_a_server_that_cannot_be_asked_is_an_error_without_its_password(server):
    with pytest.raises(SystemReadError) as raised:
        postgres_query_log(url(server[0], password="wrong-password"), "crm")
    assert "wrong-password" not in str(raised.value)
