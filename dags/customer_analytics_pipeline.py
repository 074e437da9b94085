"""The customer analytics pipeline: bronze, silver, gold, and the proof that its lineage is as documented."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG

from airflow_lineage_provider.operators.dbt import DbtLayerOperator
from airflow_lineage_provider.sensors.lineage import LineageValidationSensor

PROJECT_DIR = os.environ.get("DBT_PROJECT_DIR", str(Path(__file__).parent.parent / "dbt_project"))
TARGET = os.environ.get("DBT_TARGET", "duckdb")
# Where each dbt target's tables are, by the map's own names.
ENVIRONMENT = {"duckdb": "dev", "postgres": "postgres", "snowflake": "prod"}[TARGET]

DOC = """
### Customer analytics pipeline

Bronze is loaded (by AWS DMS and Kafka Connect in production; by dbt models that stand in for them on the
embedded warehouse), checked for freshness, cleansed into **silver** and aggregated into **gold**, which
Tableau, Tecton and SageMaker read.

Each dbt model's START and COMPLETE is committed to the event store while dbt runs. **validate_lineage**
compares what was emitted with the documented map, `customer_analytics_pipeline.yaml` beside this file,
and fails the run when the two part: its log has the verdict of every edge.

| when it fails | look at | then |
|---|---|---|
| `bronze`, `silver`, `gold` | the failed node's error, last in the log | mend the model, clear the task |
| `check_freshness` | the source that is older than 5 minutes | DMS or Kafka Connect, clear the task |
| `validate_lineage` | the findings, last in the log | mend the model, or document the change |

Owner: Data Platform Team.
"""

with DAG(
    dag_id="customer_analytics_pipeline",
    description="CRM and events to gold, with lineage that is proved against its documentation",
    schedule="@hourly",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # DuckDB takes one process at a time, and silver's increments are in order
    default_args={
        "owner": "Data Platform Team",
        "retries": 2,
    },
    tags=["lineage", "dbt", "customer-analytics"],
    doc_md=DOC,
):
    dbt = {"project_dir": PROJECT_DIR, "profiles_dir": PROJECT_DIR, "target": TARGET}

    freshness = DbtLayerOperator(
        task_id="check_freshness",
        command="freshness",
        select="source:bronze",
        doc_md="Each bronze table was loaded within the documented 5 minutes.",
        **dbt,
    )
    silver = DbtLayerOperator(
        task_id="silver", layer="silver", doc_md="Cleansed and conformed, incrementally.", **dbt
    )
    gold = DbtLayerOperator(task_id="gold", layer="gold", doc_md="Business aggregates, rebuilt.", **dbt)
    validate = LineageValidationSensor(
        task_id="validate_lineage",
        map_path="customer_analytics_pipeline.yaml",
        environment=ENVIRONMENT,
        doc_md="What was emitted, against `customer_analytics_pipeline.yaml`.",
    )
    retention = DbtLayerOperator(
        task_id="bronze_retention",
        command="run-operation",
        operation="bronze_retention",
        operation_args={"days": 90},
        doc_md="Bronze is kept for 90 days.",
        **dbt,
    )

    freshness >> silver >> gold >> [validate, retention]

    if TARGET == "duckdb":
        bronze = DbtLayerOperator(
            task_id="bronze", layer="bronze", doc_md="Stands in for AWS DMS and Kafka Connect.", **dbt
        )
        bronze >> freshness
