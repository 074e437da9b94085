"""Build what has changed since the last run that succeeded, and what depends on it; skip where nothing has."""

from airflow.sdk import DAG

from airflow_lineage_provider.operators.dbt import DbtLayerOperator

with DAG("build_changes", schedule="@hourly"):
    DbtLayerOperator(
        task_id="build",
        project_dir="/opt/dbt/analytics",
        profile_conn_id="warehouse",
        select="state:modified+",
        state="last_success",
        artifacts="s3://aws_default@analytics/dbt/{{ run_id }}",
        empty_selection="skip",
    )
