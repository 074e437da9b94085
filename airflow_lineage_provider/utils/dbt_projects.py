"""The dbt projects that a DAG runs."""

from __future__ import annotations

from typing import Any

from airflow_lineage_provider.dbt import DbtError
from airflow_lineage_provider.dbt.profile import project_settings


def several_dbt_projects(task: Any) -> bool:
    """Tell whether the DAG of a task runs more than one dbt project.

    It follows from the DAG's definition, so that all events of its runs agree. A project is known by its name
    in `dbt_project.yml`, and by `project_dir` as written where that file cannot be read, for example because
    `project_dir` is a template. A task that is mapped over `project_dir` counts as several projects.
    """
    dag = task.get_dag()
    return len({project for one in (dag.tasks if dag else ()) for project in _projects(one)}) > 1


def _projects(task: Any) -> tuple[str, ...]:
    mapped = getattr(task, "partial_kwargs", None)
    if mapped is None:
        project_dir = getattr(task, "project_dir", None)
    elif "project_dir" in getattr(getattr(task, "expand_input", None), "value", {}):
        return "mapped", "over project_dir"
    else:
        project_dir = mapped.get("project_dir")
    if not project_dir:
        return ()
    try:
        return (str(project_settings(str(project_dir)).get("name") or project_dir),)
    except DbtError:
        return (str(project_dir),)
