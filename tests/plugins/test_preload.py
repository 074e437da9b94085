"""Which processes of Airflow import dbt ahead of the tasks, and in what state that leaves them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

STARTED = """
import json, sys, threading
from pathlib import Path
from importlib import import_module
import_module(sys.argv[1])  # as `airflow scheduler` and `airflow triggerer` do
from airflow.jobs.job import Job
Job()
status = Path("/proc/self/status")
threads = status.read_text().partition("Threads:")[2].split()[0] if status.exists() else 1
print(json.dumps([name in sys.modules for name in sys.argv[2:]] + [int(threads)]))
"""
SCHEDULER, TRIGGERER = "airflow.jobs.scheduler_job_runner", "airflow.jobs.triggerer_job_runner"
MODULES = ("dbt.cli.main", "dbt.adapters.duckdb", "airflow_lineage_provider.utils.emitter")


@pytest.fixture
def started(tmp_path):
    """Return a function that starts a component; it returns which MODULES are imported, and the threads."""

    def start(component: str, **settings: str) -> tuple[list[bool], int]:
        environ = os.environ | {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        done = subprocess.run(
            [sys.executable, "-c", STARTED, component, *MODULES],
            env=environ | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        *imported, threads = json.loads(done.stdout.strip().splitlines()[-1])
        return imported, threads

    return start


def test_a_scheduler_with_local_executor_has_imported_dbt_and_is_safe_to_fork(started):
    assert started(SCHEDULER, AIRFLOW__CORE__EXECUTOR="LocalExecutor") == ([True, True, True], 1)


@pytest.mark.parametrize(
    ("component", "settings"),
    [
        (TRIGGERER, {"AIRFLOW__CORE__EXECUTOR": "LocalExecutor"}),
        (SCHEDULER, {"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor"}),
        (SCHEDULER, {"AIRFLOW__AIRFLOW_LINEAGE__PRELOAD_DBT": "False"}),
    ],
    ids=["triggerer", "celery", "switched off"],
)
def test_other_processes_do_not_import_it(started, component, settings):
    imported, _ = started(component, **settings)
    assert imported == [False, False, False]


def test_with_dbt_in_an_interpreter_of_its_own_only_the_rest_is_imported(started):
    imported, _ = started(SCHEDULER, AIRFLOW__AIRFLOW_LINEAGE__DBT_PYTHON="/opt/dbt/bin/python")
    assert imported == [False, False, True]
