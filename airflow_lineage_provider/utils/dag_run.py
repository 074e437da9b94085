"""The OpenLineage ids of a DAG run and of its tasks, and the events of a DAG run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.context import RunContext, RunRef
from airflow_lineage_provider.utils.dbt_projects import several_dbt_projects
from airflow_lineage_provider.utils.redaction import redact_text

if TYPE_CHECKING:
    from airflow.sdk import Context


NOT_FOUND = 404
MAX_CLOCK_SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may differ."""


@dataclass(frozen=True, slots=True)
class DagRunIds:
    """The OpenLineage run ids of a DAG run."""

    own: tuple[str, ...]
    """Its own run ids, the current one last: it gets a new one each time that a task of it is cleared."""
    roots: tuple[str, ...]
    """The root run ids under which its events are stored: its own, or the one that its conf names."""


def run_context(context: Context) -> RunContext:
    """Return what the events of a task's dbt nodes share: parent, root, nominal time, masking.

    The run ids are those of Airflow's OpenLineage provider, so that its events and ours form one tree.
    """
    from airflow.providers.openlineage.plugins import macros as untyped

    macros: Any = untyped

    ti: Any = context["ti"]
    dag_run: Any = context["dag_run"]
    return RunContext(
        parent=RunRef(macros.lineage_job_namespace(), macros.lineage_job_name(ti), macros.lineage_run_id(ti)),
        root=RunRef(
            macros.lineage_root_job_namespace(ti),
            macros.lineage_root_job_name(ti),
            macros.lineage_root_run_id(ti),
        ),
        nominal_start=dag_run.data_interval_start or dag_run.logical_date,
        nominal_end=dag_run.data_interval_end,
        several_projects=several_dbt_projects(ti.task),
        mask=redact_text,
    )


def earlier_try_run_ids(context: Context) -> set[str]:
    """Return the OpenLineage run ids of this task's earlier tries."""
    from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter

    ti: Any = context["ti"]
    dag_run: Any = context["dag_run"]
    return {
        str(
            OpenLineageAdapter.build_task_instance_run_id(
                dag_id=ti.dag_id,
                task_id=ti.task_id,
                try_number=number,
                logical_date=dag_run.logical_date or dag_run.run_after,
                map_index=ti.map_index,
            )
        )
        for number in range(1, ti.try_number)
    }


def dag_run_ids(dag_run: Any) -> DagRunIds:
    """Return the run ids that Airflow's OpenLineage provider gives a DAG run."""
    from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter
    from airflow.providers.openlineage.utils import utils

    own = tuple(
        OpenLineageAdapter.build_dag_run_id(
            dag_id=dag_run.dag_id,
            logical_date=dag_run.logical_date or dag_run.run_after,
            clear_number=number,
        )
        for number in range(dag_run.clear_number + 1)
    )
    given = dag_run.conf if isinstance(dag_run.conf, dict) else None
    root = utils.get_root_information_from_dagrun_conf(given).get("root_parent_run_id")
    root = root or utils.get_parent_information_from_dagrun_conf(given).get("parent_run_id")
    return DagRunIds(own, (root,) if root else own)


def earliest_event_time(dag_run: Any, ids: DagRunIds) -> datetime | None:
    """Return a lower bound of the times of the run's events; None if another root run began before it.

    Clearing a task overwrites the start of the DAG run; `run_after` is never later than its first start.
    """
    if ids.roots != ids.own:
        return None
    first_start: datetime | None = None if dag_run.clear_number else dag_run.start_date
    earliest: datetime = first_start or dag_run.run_after
    return earliest - MAX_CLOCK_SKEW


def find_dag_run(dag_id: str, run_id: str) -> Any:
    """Return another DAG run, as Airflow's API server knows it; for use in a task.

    Raises InputError for an unknown run, and on Airflow before 3.2, where a task cannot read another DAG run.
    """
    from airflow.sdk.api.client import ServerResponseError
    from airflow.sdk.exceptions import AirflowRuntimeError
    from airflow.sdk.execution_time import comms, task_runner

    if not hasattr(comms, "GetDagRun"):
        raise InputError(f"reading DAG run {run_id} of {dag_id} needs Airflow 3.2 or newer")
    try:
        return task_runner.SUPERVISOR_COMMS.send(comms.GetDagRun(dag_id=dag_id, run_id=run_id))
    except AirflowRuntimeError as error:  # from a worker's supervisor
        status = (error.error.detail or {}).get("status_code")
        if status != NOT_FOUND:
            raise
    except ServerResponseError as error:  # `airflow dags test` has no supervisor
        if error.response.status_code != NOT_FOUND:
            raise
    raise InputError(f"DAG {dag_id} has no run {run_id}: check dag_id and run_id")


def latest_dag_run(dag_id: str) -> Any | None:
    """Return the newest DAG run that succeeded, of those that have a logical date; None where there is none.

    For use in a task.
    """
    from airflow.sdk.execution_time import comms, task_runner

    question = comms.GetPreviousDagRun(dag_id=dag_id, logical_date=datetime.now(UTC), state="success")
    found: Any = task_runner.SUPERVISOR_COMMS.send(question)
    return found.dag_run


def triggering_dag_runs(context: Context) -> list[tuple[str, str]]:
    """Return the DAG and run ids of the tasks whose asset events triggered this DAG run."""
    found: dict[tuple[str, str], None] = {}
    events: Any = context.get("triggering_asset_events") or {}
    for of_asset in events.values():
        for event in of_asset:
            if event.source_dag_id and event.source_run_id:
                found[event.source_dag_id, event.source_run_id] = None
    return list(found)
