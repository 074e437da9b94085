"""A dbt project by layers, from a Postgres connection of Airflow, and the validation of its lineage."""

from airflow.sdk import DAG

from airflow_lineage_provider.operators.dbt import DbtLayerOperator
from airflow_lineage_provider.sensors.lineage import LineageValidationSensor

with DAG("analytics", schedule="@hourly"):
    dbt = {"project_dir": "/opt/dbt/analytics", "profile_conn_id": "warehouse"}
    lineage = {"map_path": "analytics.yaml", "environment": "prod"}
    silver = DbtLayerOperator(task_id="silver", layer="silver", **dbt, **lineage)
    gold = DbtLayerOperator(task_id="gold", layer="gold", **dbt, **lineage)
    validate = LineageValidationSensor(task_id="validate", **lineage)

    silver >> gold >> validate
