"""Every week: the documented lineage beside what all runs emitted, and beside DataHub where it is there."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG

from airflow_lineage_provider.operators.reconciliation import LineageReconciliationOperator

# Where each dbt target's tables are, by the map's own names, as for the pipeline itself.
ENVIRONMENT = (
    os.environ.get("LINEAGE_ENVIRONMENT")
    or {"duckdb": "dev", "postgres": "postgres", "snowflake": "prod"}[os.environ.get("DBT_TARGET", "duckdb")]
)
DATAHUB = os.environ.get("LINEAGE_DATAHUB_CONN_ID") or None  # a connection of type lineage_datahub
DATAHUB_FILE = os.environ.get("LINEAGE_DATAHUB_FILE") or None  # or a file of its metadata
REPORTS = Path(
    os.environ.get("LINEAGE_REPORTS")
    or Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "lineage_reports"
)

DOC = """
### Lineage reconciliation

What the map documents, what all runs of the week emitted, and what DataHub shows are compared three ways. The
report is in the task's log and in a file. Environment variables choose the rest:

| variable | what it names |
|---|---|
| `LINEAGE_DATAHUB_CONN_ID` | the connection of DataHub, of type `lineage_datahub` |
| `LINEAGE_DATAHUB_FILE` | or a file of its metadata, which needs no network |
| `LINEAGE_REPORTS` | the folder of the reports |
"""

with DAG(
    dag_id="lineage_reconciliation",
    schedule="@weekly",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["lineage"],
    doc_md=DOC,
):
    LineageReconciliationOperator(
        task_id="reconcile",
        map_path="customer_analytics_pipeline.yaml",
        environment=ENVIRONMENT,
        datahub_conn_id=DATAHUB,
        datahub_file=None if DATAHUB else DATAHUB_FILE,
        report_path=str(
            REPORTS / "reconciliation-{{ (dag_run.logical_date or dag_run.run_after) | ds }}.html"
        ),
    )
