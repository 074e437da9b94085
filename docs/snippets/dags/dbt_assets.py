"""A report that is made each time that dbt has made one model, whichever task made it."""

from typing import Any

from airflow.sdk import DAG, task

from airflow_lineage_provider.utils.dbt_assets import model_asset

BEHAVIOR = model_asset("/opt/dbt/analytics", "gold.customer_behavior")

with DAG("behavior_report", schedule=BEHAVIOR):

    @task(inlets=[BEHAVIOR])
    def report(inlet_events: Any) -> str:
        """Say what the model was made from."""
        lineage = inlet_events[BEHAVIOR][-1].extra
        return f"{lineage['job']['name']} was made from {lineage['inputs']}"

    report()
