"""The OpenLineage names of the Airflow run that a task is part of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.context import Run, RunContext

if TYPE_CHECKING:
    from airflow.sdk import Context


def run_context(context: Context) -> RunContext:
    """Return what the events of a task's dbt nodes share: parent, root, nominal time, masking.

    The ids are those that Airflow's own OpenLineage provider gives the task's and the DAG's runs, so that
    its events and ours are one tree.
    """
    from airflow.providers.common.compat.sdk import redact
    from airflow.providers.openlineage.plugins import macros as untyped

    macros: Any = untyped

    ti: Any = context["ti"]
    dag_run: Any = context["dag_run"]
    return RunContext(
        parent=Run(macros.lineage_job_namespace(), macros.lineage_job_name(ti), macros.lineage_run_id(ti)),
        root=Run(
            macros.lineage_root_job_namespace(ti),
            macros.lineage_root_job_name(ti),
            macros.lineage_root_run_id(ti),
        ),
        nominal_start=dag_run.data_interval_start or dag_run.logical_date,
        nominal_end=dag_run.data_interval_end,
        mask=lambda text: str(redact(text)),
    )
