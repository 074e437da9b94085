# ruff: noqa: E501 - SQL
"""The query log of a real DuckDB, of statements that dbt ran and of others: by CSV files and by `duckdb_logs`."""

import subprocess
import sys

import duckdb
import pytest

from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers.query_log import QueryLog, read_writes
from airflow_lineage_provider.readers.query_log.duckdb import LOGS, read_rows
from airflow_lineage_provider.readers.query_log.files import open_log_files

DBT = '/* {"app": "dbt", "node_id": "model.shop.revenue"} */'
STATEMENTS = (
    "create schema silver",
    "create schema gold",
    "create table silver.orders as select 1 as id, 'a\n\"b\"' as note",
    "create temp table x as select id as total from silver.orders",
    f"create table gold.revenue as select total from x {DBT}",
)


def written(log):
    return {
        (write.target, write.sources, write.node)
        for write in read_writes(log, Bindings()).writes
        if write.target.startswith("gold.")
    }


def run(folder, call):
    connection = duckdb.connect(str(folder / "warehouse.duckdb"))
    connection.execute(call)
    for sql in STATEMENTS:
        connection.execute(sql)
    return connection


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("duckdb")
    place = f"storage_config={{'path': '{base / 'log'}'}}"
    run(base, f"call enable_logging('QueryLog', storage='file', {place})").close()
    return base / "log"


@pytest.mark.parametrize("name", ["", "duckdb_log_entries.csv"])
def test_the_files_say_who_wrote_what_from_what(folder, name):
    log = open_log_files([folder / name], database="warehouse")
    assert written(log) == {("gold.revenue", ("silver.orders",), "model.shop.revenue")}
    assert log.problems == []


def test_the_table_function_says_the_same(tmp_path):
    connection = run(tmp_path, "call enable_logging('QueryLog', storage='memory')")
    log = QueryLog(read_rows(connection.execute(LOGS).fetchall()), "duckdb", "", "warehouse", "main")
    assert written(log) == {("gold.revenue", ("silver.orders",), "model.shop.revenue")}


def test_without_the_file_of_contexts_sessions_are_not_known(folder, tmp_path):
    (tmp_path / "entries.csv").write_bytes((folder / "duckdb_log_entries.csv").read_bytes())
    log = open_log_files([tmp_path / "entries.csv"], database="warehouse")
    assert written(log) == {("gold.revenue", ("main.x",), "model.shop.revenue")}
    assert "duckdb_log_contexts.csv is not beside it" in log.problems[0]


def test_what_dbt_ran_is_attributed_to_its_node(tmp_path):
    """dbt appends its comment here: DuckDB does not log a comment in front of a statement."""
    project = tmp_path / "shop"
    (project / "models").mkdir(parents=True)
    (project / "models" / "orders.sql").write_text("{{ config(schema='silver') }} select 1 as id")
    (project / "models" / "revenue.sql").write_text(
        "{{ config(schema='gold', materialized='table') }} select id as total from {{ ref('orders') }}"
    )
    (project / "dbt_project.yml").write_text(
        f"""
name: shop
profile: shop
query-comment: {{comment: "{{{{ query_comment_macro(node) }}}}", append: true}}
on-run-start: "call enable_logging('QueryLog', storage='file', storage_config={{'path': '{tmp_path / "log"}'}})"
"""
    )
    (project / "macros").mkdir()
    (project / "macros" / "comment.sql").write_text(
        "{% macro query_comment_macro(node) %}{% do return(tojson({'app': 'dbt', 'node_id': node.unique_id if node else none})) %}"
        "{% endmacro %}{% macro generate_schema_name(name, node) %}{{ name or 'main' }}{% endmacro %}"
    )
    (project / "profiles.yml").write_text(
        f"shop: {{target: dev, outputs: {{dev: {{type: duckdb, path: '{tmp_path}/warehouse.duckdb'}}}}}}"
    )
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "run", "--profiles-dir", project]
    subprocess.run([*command, "--project-dir", project], cwd=tmp_path, check=True)
    found = written(open_log_files([tmp_path / "log"], database="warehouse"))
    assert found == {("gold.revenue", ("silver.orders",), "model.shop.revenue")}
