"""The consumers of the customer analytics pipeline, and the validation of the whole path to them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

try:
    from airflow.sdk import AssetOrTimeSchedule, CronTriggerTimetable
except ImportError:  # Airflow 3.1
    from airflow.timetables.assets import AssetOrTimeSchedule
    from airflow.timetables.trigger import CronTriggerTimetable

from airflow_lineage_provider.operators.dbt import layer_asset
from airflow_lineage_provider.operators.sagemaker import SageMakerLineageOperator
from airflow_lineage_provider.operators.tableau import TableauLineageOperator
from airflow_lineage_provider.operators.tecton import TectonLineageOperator
from airflow_lineage_provider.sensors.lineage import LineageValidationSensor

PROJECT_DIR = os.environ.get("DBT_PROJECT_DIR", str(Path(__file__).parent.parent / "dbt_project"))
ENVIRONMENT = (
    os.environ.get("LINEAGE_ENVIRONMENT")
    or {"duckdb": "dev", "postgres": "postgres", "snowflake": "prod"}[os.environ.get("DBT_TARGET", "duckdb")]
)

# How each system is reached; where it is not, its saved answer is read.
TABLEAU = os.environ.get("CONSUMERS_TABLEAU_CONN_ID")
TECTON = os.environ.get("CONSUMERS_TECTON_DEFINITIONS")
AWS = os.environ.get("CONSUMERS_AWS_CONN_ID")
ANSWERS: dict[str, Any] = {"saved_answer": os.environ.get("CONSUMERS_SAVED_ANSWERS", "saved_answers")}

DOC = """
### Consumers of the customer analytics pipeline

Observes the dashboards, the feature view and the model that are made from **gold**, and compares the whole
path, from the CRM and the event stream to them, with `customer_analytics_pipeline.yaml`. Runs when gold has
been made, and daily at 06:00 UTC, when Tableau refreshes.

Nothing is read from a system that no variable names: its saved answer in `saved_answers`, beside this file,
stands in for it, and the validation says of which day it is.

| variable | system |
|---|---|
| `CONSUMERS_TABLEAU_CONN_ID` | Tableau, by this connection |
| `CONSUMERS_TECTON_DEFINITIONS` | Tecton, by the file that `tecton dump` printed |
| `CONSUMERS_TECTON_CLUSTER`, `CONSUMERS_TECTON_WORKSPACE` | the cluster's URL and the workspace |
| `CONSUMERS_AWS_CONN_ID` | SageMaker, by this connection |
| `CONSUMERS_SAVED_ANSWERS` | the file or folder of saved answers, made by `airflow-lineage fetch` |

| when it fails | look at | then |
|---|---|---|
| `tableau`, `tecton`, `sagemaker` | the system in the last line | mend its connection, clear the task |
| `validate_path` | the findings, last in the log | change the consumer, or document the change |

Owner: Data Platform Team.
"""

with DAG(
    dag_id="customer_analytics_consumers",
    description="Dashboards, features and models on gold, and the whole path to them validated",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 6 * * *", timezone="UTC"),
        assets=[layer_asset(PROJECT_DIR, "gold")],
    ),
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "Data Platform Team", "retries": 2},
    tags=["lineage", "customer-analytics"],
    doc_md=DOC,
):
    tableau = TableauLineageOperator(
        task_id="tableau",
        doc_md="Dashboards, their fields and their refresh.",
        **({"tableau_conn_id": TABLEAU} if TABLEAU else ANSWERS),
    )
    tecton = TectonLineageOperator(
        task_id="tecton",
        doc_md="Feature views, with the aggregation and the window of each feature.",
        **(
            {
                "definitions": TECTON,
                "cluster": os.environ.get("CONSUMERS_TECTON_CLUSTER", ""),
                "workspace": os.environ.get("CONSUMERS_TECTON_WORKSPACE", "prod"),
            }
            if TECTON
            else ANSWERS
        ),
    )
    sagemaker = SageMakerLineageOperator(
        task_id="sagemaker",
        doc_md="Models, what they were trained on, and their approval.",
        **({"aws_conn_id": AWS} if AWS else ANSWERS),
    )
    validate = LineageValidationSensor(
        task_id="validate_path",
        map_path="customer_analytics_pipeline.yaml",
        environment=ENVIRONMENT,
        doc_md="This run and the newest one of `customer_analytics_pipeline` against the map.",
    )

    [tableau, tecton, sagemaker] >> validate
