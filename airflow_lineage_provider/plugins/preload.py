"""A listener that imports dbt in the scheduler, before LocalExecutor forks the workers that fork the tasks.

A task that runs dbt would otherwise spend 1.5 to 2 s of processor time on imports. The memory of the modules
is shared with all tasks. Other executors start tasks from processes that no listener is called in: see
`import_dbt`.
"""

from __future__ import annotations

import logging
import multiprocessing
import sys
from importlib import import_module
from typing import Any

from airflow.providers.common.compat.sdk import conf, hookimpl

log = logging.getLogger(__name__)

OURS = (
    "airflow_lineage_provider.operators.dbt",
    "airflow_lineage_provider.events.sql_tables",
    "airflow_lineage_provider.sql.project",
    "airflow_lineage_provider.utils.dbt_process",
    "airflow_lineage_provider.utils.dbt_profile",
    "airflow_lineage_provider.utils.emitter",
    "airflow.providers.openlineage.plugins.macros",
)
# The import of these adapters starts no thread. That of others (numpy, pyarrow) does, and a process with
# threads is not safe to fork.
DBT = ("dbt.cli.main", "dbt.task.build", "dbt.task.retry", "dbt.adapters.duckdb", "dbt.adapters.postgres")


@hookimpl
def on_starting(component: Any) -> None:
    """Import dbt where this process is a scheduler whose executor forks."""
    if type(component).__name__ == "Job" and _is_forking_scheduler():
        import_dbt()


def import_dbt() -> None:
    """Import what DbtLayerOperator needs; a module that cannot be imported is for the tasks to report."""
    if not conf.getboolean("airflow_lineage", "preload_dbt", fallback=True):
        return
    in_own_interpreter = conf.get("airflow_lineage", "dbt_python", fallback="")
    for name in OURS if in_own_interpreter else OURS + DBT:
        try:
            import_module(name)
        except Exception as error:  # noqa: BLE001 - the scheduler must start whatever is installed beside it
            log.info("lineage: %s is not imported ahead of the tasks: %s", name, error)
    try:
        _fill_caches(with_dbt=not in_own_interpreter)
    except Exception as error:  # noqa: BLE001 - other versions of dbt may do it in another way
        log.info("lineage: the caches are not filled ahead of the tasks: %s", error)


def _fill_caches(*, with_dbt: bool) -> None:
    """Do what Airflow and dbt otherwise do once in each process, on the first use of some classes."""
    from airflow_lineage_provider.operators.dbt import layer_asset

    layer_asset("project", "layer")  # Airflow imports the asset handlers of all providers
    if not with_dbt:
        return
    from dbt.adapters.duckdb.credentials import DuckDBCredentials
    from dbt.contracts import project, selection
    from dbt.contracts.graph.manifest import Manifest

    settings = (project.Project, project.ProjectFlags, project.ProfileConfig, project.Configuration)
    for read in (*settings, project.PackageConfig, selection.SelectorFile, DuckDBCredentials):
        read.json_schema()  # of which dbt makes a validator
    Manifest.from_msgpack(Manifest().to_msgpack())


def _is_forking_scheduler() -> bool:
    """Tell a scheduler with LocalExecutor from the other processes that have a Job, such as the triggerer."""
    if "airflow.jobs.scheduler_job_runner" not in sys.modules:
        return False
    from airflow.executors.executor_loader import ExecutorLoader

    executors = [ExecutorLoader.import_executor_cls(name)[0] for name in ExecutorLoader.get_executor_names()]
    return multiprocessing.get_start_method() == "fork" and any(one.is_local for one in executors)
