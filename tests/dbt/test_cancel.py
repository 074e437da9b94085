"""Stopping dbt: by `cancel`, by leaving the iteration, by an error in the loop."""

import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from dbt_projects import Outcome, command, run, write_project

from airflow_lineage_provider.dbt import DbtRun
from airflow_lineage_provider.dbt.records import InvocationFinished, NodeFinished, NodeStarted

# A query that takes minutes on any machine.
ENDLESS = "select count(*) as n from range(1000000) a, range(10000000) b where hash(a.range, b.range) = 1"
TABLE = "{{ config(materialized='table') }} "

FILES = {
    "models/gold/quick.sql": TABLE + "select 1 as id",
    "models/gold/endless.sql": "-- depends_on: {{ ref('quick') }}\n" + TABLE + ENDLESS,
    "models/gold/after.sql": TABLE + "select * from {{ ref('endless') }}",
    "models/gold/beside.sql": "-- depends_on: {{ ref('quick') }}\n" + TABLE + ENDLESS,
}

# DuckDB raises if another process holds the lock of the file.
OPEN = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('select 1')"


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path, FILES)


def is_free(project):
    opened = subprocess.run(
        [sys.executable, "-c", OPEN, str(project / "warehouse.duckdb")], capture_output=True, check=False
    )
    return opened.returncode == 0


def dbt_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("dbt")]


def endless_runs(record):
    """Tell whether `record` is the start of an endless query."""
    return isinstance(record, NodeStarted) and record.node.name in {"endless", "beside"}


@pytest.mark.parametrize("delay", [0, 1])
def test_cancel_stops_the_query_and_starts_no_other_node(project, delay):
    """Without delay the query is about to be sent; with delay it is running."""
    dbt, outcome = DbtRun(command(project)), Outcome()
    for record in dbt:
        outcome.records.append(record)
        if endless_runs(record):
            timer = threading.Timer(delay, dbt.cancel)
            timer.start()
            begun = time.monotonic()
    assert time.monotonic() - begun < 60
    assert not outcome.finished.success
    assert outcome.statuses["gold.quick"] == "success"
    assert {outcome.statuses["gold.endless"], outcome.statuses["gold.beside"]} == {"error"}
    assert outcome.statuses["gold.after"] == "skipped"
    first, second = (outcome.ends[label].message for label in ("gold.beside", "gold.endless"))
    assert first.startswith("cancelled: the task was killed (")
    assert "INTERRUPT" in first
    assert second == "cancelled: the task was killed"
    assert is_free(project)


def test_cancel_before_the_first_node_runs_none(project):
    dbt = DbtRun(command(project))
    dbt.cancel()
    outcome = Outcome(list(dbt))
    assert {end.status for end in outcome.of(NodeFinished)} <= {"error", "skipped"}
    assert isinstance(outcome.finished, InvocationFinished)
    assert not outcome.finished.success
    assert is_free(project)


def test_leaving_the_iteration_stops_dbt(project):
    with closing(iter(DbtRun(command(project)))) as records:
        assert any(endless_runs(record) for record in records)
    assert dbt_threads() == []
    assert is_free(project)


def test_an_error_in_the_loop_stops_dbt(project):
    def iterate():
        for record in DbtRun(command(project)):
            if endless_runs(record):
                raise RuntimeError("the loop failed")

    with pytest.raises(RuntimeError, match="the loop failed"):
        iterate()
    assert dbt_threads() == []
    assert is_free(project)


def test_a_run_after_a_cancelled_one_is_not_cancelled(project):
    with closing(iter(DbtRun(command(project)))) as records:
        assert any(endless_runs(record) for record in records)
    assert run(project, "run", select=("quick",)).statuses == {"gold.quick": "success"}


def test_the_database_is_free_after_a_run(project):
    assert run(project, "run", select=("quick",)).finished.success
    assert is_free(project)
