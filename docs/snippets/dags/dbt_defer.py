"""A development schema with the models of one folder; what they read from others is production's."""

from airflow.sdk import DAG

from airflow_lineage_provider.operators.dbt import DbtLayerOperator

with DAG("develop_gold", schedule=None):
    DbtLayerOperator(
        task_id="gold",
        project_dir="/opt/dbt/analytics",
        profile_conn_id="warehouse_dev",
        layer="gold",
        state="s3://aws_default@analytics/dbt/production/build",
        dbt_options={"defer": True, "favor_state": True},
    )
