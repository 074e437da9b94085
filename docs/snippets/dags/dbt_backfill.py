"""Thirty days of a microbatch model by mapped tasks; a retry runs only the batches and nodes that failed."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from airflow_lineage_provider.operators.dbt import DbtLayerOperator
from airflow_lineage_provider.sensors.lineage import LineageValidationSensor

DAYS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(30)]

with DAG("backfill_orders", schedule=None):
    backfill = DbtLayerOperator.partial(
        task_id="backfill",
        project_dir="/opt/dbt/analytics",
        profile_conn_id="warehouse",
        layer="gold",
        retry_failed_only=True,
        artifacts="s3://aws_default@analytics/dbt/{{ run_id }}",
        retries=2,
    ).expand(
        dbt_options=[
            {"event_time_start": f"{day}", "event_time_end": f"{day + timedelta(days=1)}"} for day in DAYS
        ]
    )
    validate = LineageValidationSensor(task_id="validate", map_path="analytics.yaml", environment="prod")

    backfill >> validate
