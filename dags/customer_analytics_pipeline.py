"""The customer analytics pipeline: bronze, silver and gold, held to their documented lineage."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, TaskGroup

from airflow_lineage_provider.operators.dbt import DbtLayerOperator
from airflow_lineage_provider.operators.ingest import (
    KafkaToLakeOperator,
    LakeToBronzeOperator,
    PostgresToBronzeOperator,
)
from airflow_lineage_provider.sensors.lineage import LineageValidationSensor

PROJECT_DIR = os.environ.get("DBT_PROJECT_DIR", str(Path(__file__).parent.parent / "dbt_project"))
TARGET = os.environ.get("DBT_TARGET", "duckdb")
# Where each dbt target's tables are, by the map's own names.
ENVIRONMENT = (
    os.environ.get("LINEAGE_ENVIRONMENT")
    or {
        "duckdb": "dev",
        "postgres": "postgres",
        "snowflake": "prod",
    }[TARGET]
)

# Airflow connections of the sources, where there are some: the CRM, the brokers, the Schema Registry,
# the bucket. Without them the embedded warehouse reads the CRM's file and the files that are landed already.
CRM = os.environ.get("INGEST_CRM_CONN_ID")
KAFKA = os.environ.get("INGEST_KAFKA_CONN_ID")
REGISTRY = os.environ.get("INGEST_REGISTRY_CONN_ID", "schema_registry")
S3 = os.environ.get("INGEST_S3_CONN_ID")
LAKE = os.environ.get("INGEST_LAKE") or os.path.join(  # noqa: PTH118 - may be s3://
    os.environ.get("LINEAGE_DEMO_DATA", os.path.join(PROJECT_DIR, "data")),  # noqa: PTH118
    "landing/customer_events",
)
# Where AWS DMS loads the CRM, the name of its replication.
DMS = os.environ.get("INGEST_DMS_REPLICATION")
# Where Kafka Connect runs connectors, the connection that they are observed by.
CONNECT = os.environ.get("INGEST_CONNECT_CONN_ID")
TOPIC = "customer-events-prod"
MAP = "customer_analytics_pipeline.yaml"

DOC = """
### Customer analytics pipeline

Bronze is loaded in **ingest** (AWS DMS and Kafka Connect do it in production, and are observed; where
connections to the CRM and the brokers are set, it is done here; on the embedded warehouse dbt models stand in
for what is not), checked for freshness, cleansed into **silver** and aggregated into **gold**, which
Tableau, Tecton and SageMaker read.

The events of each dbt model are committed to the event store while dbt runs. A model whose SQL breaks the
documented map, `customer_analytics_pipeline.yaml` beside this file, fails before its SQL is sent.
**validate_lineage** compares the events of the whole run with the map, with the types that the warehouse
reports: its log has the verdict of every edge.

| when it fails | look at | then |
|---|---|---|
| `ingest` | the system that its last line names | mend the connection, clear the task |
| `silver`, `gold` | the failed node's error, last in the log | fix model or map, clear the task |
| `check_freshness` | the source that is older than 5 minutes | DMS or Kafka Connect, clear the task |
| `validate_lineage` | the findings, last in the log | fix the model, or document the change |

Owner: Data Platform Team.
"""

with DAG(
    dag_id="customer_analytics_pipeline",
    description="CRM and events to gold, with lineage that is validated against its documentation",
    schedule="@hourly",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # DuckDB allows one process at a time, and silver is incremental
    default_args={
        "owner": "Data Platform Team",
        "retries": 2,
    },
    tags=["lineage", "dbt", "customer-analytics"],
    doc_md=DOC,
):
    dbt = {"project_dir": PROJECT_DIR, "profiles_dir": PROJECT_DIR, "target": TARGET}
    lineage = {"map_path": MAP, "environment": ENVIRONMENT}

    freshness = DbtLayerOperator(
        task_id="check_freshness",
        command="freshness",
        select="source:bronze",
        doc_md="Each bronze table was loaded within the documented 5 minutes.",
        **dbt,
    )
    silver = DbtLayerOperator(
        task_id="silver", layer="silver", doc_md="Cleansed and conformed, incrementally.", **dbt, **lineage
    )
    gold = DbtLayerOperator(
        task_id="gold", layer="gold", doc_md="Business aggregates, rebuilt.", **dbt, **lineage
    )
    validate = LineageValidationSensor(
        task_id="validate_lineage",
        doc_md="The events of the run against `customer_analytics_pipeline.yaml`.",
        **lineage,
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

    with TaskGroup("ingest") as ingest:
        last = None  # one after the other, because DuckDB takes one process at a time
        if CRM:
            last = PostgresToBronzeOperator(
                task_id="crm",
                source_conn_id=CRM,
                tables={
                    f"public.{table}": f"bronze.raw_{table}" for table in ("customers", "orders", "products")
                },
                watermark="updated_at",
                doc_md="The CRM's rows that changed, and tombstones of those that are gone.",
                **dbt,
            )
        elif DMS:
            from airflow_lineage_provider.operators.dms import DmsReplicationLineageOperator

            last = DmsReplicationLineageOperator(
                task_id="crm",
                replication=DMS,
                source_conn_id=os.environ.get("INGEST_DMS_SOURCE_CONN_ID"),
                map_path=MAP,
                source="crm",
                doc_md="What AWS DMS replicates, and how late it is.",
            )
        if CONNECT:
            from airflow_lineage_provider.operators.kafka_connect import KafkaConnectLineageOperator

            KafkaConnectLineageOperator(
                task_id="connect",
                conn_id=CONNECT,
                source_conn_ids={"crm": CRM} if CRM else None,
                doc_md="What Kafka Connect's connectors read and write.",
            )
        if KAFKA:
            land = KafkaToLakeOperator(
                task_id="land_events",
                topic=TOPIC,
                lake=LAKE,
                kafka_conn_id=KAFKA,
                registry_conn_id=REGISTRY,
                s3_conn_id=S3,
                doc_md="The topic's new records, as Parquet.",
            )
            load = LakeToBronzeOperator(
                task_id="load_events",
                topic=TOPIC,
                lake=LAKE,
                table="bronze.raw_customer_events",
                key="event_id",
                s3_conn_id=S3,
                doc_md="The landed records, each once.",
                **dbt,
            )
            _ = last >> load if last else None
            land >> load
            last = load
        if TARGET == "duckdb" and not (CRM and KAFKA):
            moved = (
                "raw_customers raw_orders raw_products" if CRM else "raw_customer_events" if KAFKA else None
            )
            files = DbtLayerOperator(
                task_id="bronze",
                layer="bronze",
                exclude=moved,
                doc_md="Stands in for AWS DMS and Kafka Connect.",
                **dbt,
                **lineage,
            )
            _ = last >> files if last else None

    ingest >> freshness
