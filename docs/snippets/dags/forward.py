"""Send stored events to Marquez every five minutes, in the triggerer."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG

from airflow_lineage_provider.operators.forward import ForwardLineageOperator

with DAG(
    "lineage_forward",
    schedule=timedelta(minutes=5),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
):
    ForwardLineageOperator(task_id="marquez", conn_id="marquez")
