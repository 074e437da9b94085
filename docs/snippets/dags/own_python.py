"""dbt in an environment of its own, where Airflow's cannot hold it: a managed Airflow, an older dbt."""

from airflow.sdk import DAG

from airflow_lineage_provider.operators.dbt import DbtLayerOperator
from airflow_lineage_provider.sensors.lineage import LineageValidationSensor

with DAG("analytics_own_python", schedule="@hourly"):
    build = DbtLayerOperator(
        task_id="build",
        project_dir="/opt/dbt/analytics",
        profile_conn_id="warehouse",
        python="/opt/dbt/venv/bin/python",
    )
    validate = LineageValidationSensor(task_id="validate", map_path="analytics.yaml", environment="prod")

    build >> validate
