"""The customer analytics pipeline: bronze, silver and gold, held to their documented lineage."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator, TaskGroup, chain

from airflow_lineage_provider.operators.data_age import DataAgeCheckOperator
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

# What fills bronze, each by an Airflow connection or a name; where none is set, the embedded warehouse reads
# the CRM's file and the files that are landed already.
CRM = os.environ.get("INGEST_CRM_CONN_ID")  # moves the CRM's tables
CRM_TOPICS = os.environ.get("INGEST_CRM_TOPICS")  # or moves them from Debezium's topics, such as crm-{table}
KAFKA = os.environ.get("INGEST_KAFKA_CONN_ID")  # moves the topic's events
S3 = os.environ.get("INGEST_S3_CONN_ID") or None
LAKE = os.environ.get("INGEST_LAKE") or os.path.join(  # noqa: PTH118 - may be s3://
    os.environ.get("LINEAGE_DEMO_DATA", os.path.join(PROJECT_DIR, "data")),  # noqa: PTH118
    "landing/customer_events",
)
DMS = os.environ.get("INGEST_DMS_REPLICATION")  # observes AWS DMS, by the name of the replication
DMS_SOURCE = os.environ.get("INGEST_DMS_SOURCE_CONN_ID") or None
CONNECT = os.environ.get("INGEST_CONNECT_CONN_ID")  # observes Kafka Connect
REGISTRY = os.environ.get("INGEST_REGISTRY_CONN_ID") or None  # observes the topic's schema
TOPIC = "customer-events-prod"
CRM_TABLES = {"customers": "customer_id", "orders": "order_id", "products": "product_id"}  # with their keys
MAP = "customer_analytics_pipeline.yaml"

DOC = """
### Customer analytics pipeline

Bronze is loaded in **ingest**, checked for freshness, cleansed into **silver** and aggregated into **gold**,
which Tableau, Tecton and SageMaker read: `customer_analytics_consumers` observes them. Bronze is kept for 90
days. Where Great Expectations is installed, **expectations** runs the suites of the dbt project on silver.

In production AWS DMS, Kafka Connect and Snowflake load bronze, and **ingest** observes them. Where
connections to the CRM and the brokers are set, it moves the data itself. On the embedded warehouse dbt models
load what it does not move. Environment variables choose the tasks:

| variable | task in `ingest` | what it does |
|---|---|---|
| `INGEST_CRM_CONN_ID` | `crm` | moves the CRM's tables from this Postgres connection |
| `INGEST_CRM_TOPICS` | `crm` | or moves them from Debezium's topics: `crm-{table}` |
| `INGEST_DMS_REPLICATION` | `crm` | or observes this replication of AWS DMS |
| `INGEST_DMS_SOURCE_CONN_ID` | | the CRM's connection, for the columns that DMS replicates |
| `INGEST_KAFKA_CONN_ID` | `land_events`, `load_events` | moves the topic's events into bronze |
| `INGEST_LAKE`, `INGEST_S3_CONN_ID` | | the folder in between, and the connection of its bucket |
| `INGEST_CONNECT_CONN_ID` | `connect` | observes Kafka Connect's connectors |
| `INGEST_REGISTRY_CONN_ID` | `topic` | observes the topic's schema and its changes |
| `DBT_TARGET=snowflake` | `loads` | observes the files that Snowflake copies for DMS or Connect |
| `DBT_TARGET=duckdb` | `bronze` | loads what is not moved |

The events of each dbt model are committed to the event store while dbt runs. A model whose SQL breaks the
documented map, `customer_analytics_pipeline.yaml` beside this file, fails before its SQL is sent.
**validate_lineage** compares the events of the whole run with the map, with the types that the warehouse
reports: its log has the verdict of every edge.

| when it fails | look at | then |
|---|---|---|
| `ingest` | the system that its last line names | mend the connection, clear the task |
| `expectations` | the rows that its data docs count | correct the source or the suite, clear the task |
| `silver`, `gold` | the failed node's error, last in the log | fix model or map, clear the task |
| `check_freshness` | the source that is older than 5 minutes | DMS or Kafka Connect, clear the task |
| `check_retention` | the table with rows older than 90 days | `bronze_retention`'s log, clear both |
| `validate_lineage` | the findings, last in the log | fix the model, or document the change |

Owner: Data Platform Team.
"""

DBT: dict[str, Any] = {"project_dir": PROJECT_DIR, "profiles_dir": PROJECT_DIR, "target": TARGET}
LINEAGE: dict[str, Any] = {"map_path": MAP, "environment": ENVIRONMENT}


def crm_task() -> BaseOperator | TaskGroup | None:
    """Return what moves the CRM, or observes AWS DMS, which does."""
    if CRM_TOPICS and KAFKA:
        return crm_topics(KAFKA, CRM_TOPICS)
    if CRM:
        return PostgresToBronzeOperator(
            task_id="crm",
            source_conn_id=CRM,
            tables={f"public.{table}": f"bronze.raw_{table}" for table in CRM_TABLES},
            watermark="updated_at",
            doc_md="The CRM's rows that changed, and tombstones of those that are gone.",
            **DBT,
        )
    if DMS:
        from airflow_lineage_provider.operators.dms import DmsReplicationLineageOperator

        return DmsReplicationLineageOperator(
            task_id="crm",
            replication=DMS,
            source_conn_id=DMS_SOURCE,
            map_path=MAP,
            source="crm",
            doc_md="What AWS DMS replicates, and how late it is.",
        )
    return None


def crm_topics(kafka: str, topics: str) -> TaskGroup:
    """Return the tasks that move the changes of the CRM's tables, which Debezium wrote to topics."""
    loads = []
    with TaskGroup("crm") as group:
        for table, key in CRM_TABLES.items():
            topic = topics.replace("{table}", table)
            stream: dict[str, Any] = {
                "topic": topic,
                "lake": os.path.join(os.path.dirname(LAKE), f"crm_{table}"),  # noqa: PTH118, PTH120 - s3://
                "s3_conn_id": S3,
                "changes": True,
            }
            load = LakeToBronzeOperator(
                task_id=f"load_{table}",
                table=f"bronze.raw_{table}",
                key=key,
                doc_md="One row for each key, and tombstones of those that are gone.",
                **stream,
                **DBT,
            )
            land = KafkaToLakeOperator(
                task_id=f"land_{table}",
                kafka_conn_id=kafka,
                registry_conn_id=REGISTRY or "schema_registry_default",
                doc_md="The topic's new changes, as Parquet.",
                **stream,
            )
            land >> load
            loads.append(load)
        chain(*loads)  # one after the other, because DuckDB takes one process at a time
    return group


def connect_task() -> BaseOperator | None:
    """Return the task that observes Kafka Connect."""
    if not CONNECT:
        return None
    from airflow_lineage_provider.operators.kafka_connect import KafkaConnectLineageOperator

    return KafkaConnectLineageOperator(
        task_id="connect",
        conn_id=CONNECT,
        schema_registry_conn_id=REGISTRY,
        source_conn_ids={"crm": CRM} if CRM else None,
        doc_md="What Kafka Connect's connectors read and write.",
    )


def topic_task() -> BaseOperator | None:
    """Return the task that observes the topic's schema; the brokers' connection, or Connect's, names it."""
    if not REGISTRY or not (KAFKA or CONNECT):
        return None
    from airflow_lineage_provider.operators.kafka_topic import KafkaTopicLineageOperator

    conn_id, key = (KAFKA, "bootstrap.servers") if KAFKA else (CONNECT, "bootstrap_servers")
    return KafkaTopicLineageOperator(
        task_id="topic",
        topic=TOPIC,
        bootstrap_servers=f"{{{{ conn[{conn_id!r}].extra_dejson[{key!r}] }}}}",
        conn_id=REGISTRY,
        doc_md="The topic's schema, and which columns a change of it reaches.",
        **LINEAGE,
    )


def event_tasks() -> BaseOperator | None:
    """Return the task that loads the topic's events, after the one that lands them."""
    if not KAFKA:
        return None
    land = KafkaToLakeOperator(
        task_id="land_events",
        topic=TOPIC,
        lake=LAKE,
        kafka_conn_id=KAFKA,
        registry_conn_id=REGISTRY or "schema_registry_default",
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
        **DBT,
    )
    land >> load
    return load


def stand_in_task() -> BaseOperator | None:
    """Return the task that loads what is not moved, on the embedded warehouse."""
    crm = CRM or (CRM_TOPICS and KAFKA)
    if TARGET != "duckdb" or (crm and KAFKA):
        return None
    moved = "raw_customers raw_orders raw_products" if crm else "raw_customer_events" if KAFKA else None
    return DbtLayerOperator(
        task_id="bronze",
        layer="bronze",
        exclude=moved,
        doc_md="Stands in for AWS DMS and Kafka Connect.",
        **DBT,
        **LINEAGE,
    )


def loads_task() -> BaseOperator | None:
    """Return the task that observes Snowflake's loads of the files that AWS DMS and Kafka Connect write."""
    observed = (DMS and not CRM) or (CONNECT and not KAFKA)
    if TARGET != "snowflake" or not observed:
        return None
    from airflow_lineage_provider.operators.snowflake_loads import SnowflakeLoadLineageOperator

    return SnowflakeLoadLineageOperator(
        task_id="loads",
        doc_md="Which files Snowflake copied into which tables, by its copy history.",
        **DBT,
    )


def expectations_task() -> BaseOperator | None:
    """Return the task that runs the suites on silver, where Great Expectations is installed."""
    if not find_spec("great_expectations"):
        return None
    from airflow_lineage_provider.operators.great_expectations import GreatExpectationsOperator

    return GreatExpectationsOperator(
        task_id="expectations",
        doc_md="The format of email addresses, and the ranges of amounts and dates in silver.",
        **DBT,
    )


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
    freshness = DbtLayerOperator(
        task_id="check_freshness",
        command="freshness",
        select="source:bronze",
        doc_md="Each bronze table was loaded within the documented 5 minutes.",
        **DBT,
    )
    silver = DbtLayerOperator(
        task_id="silver", layer="silver", doc_md="Cleansed and conformed, incrementally.", **DBT, **LINEAGE
    )
    gold = DbtLayerOperator(
        task_id="gold", layer="gold", doc_md="Business aggregates, rebuilt.", **DBT, **LINEAGE
    )
    validate = LineageValidationSensor(
        task_id="validate_lineage",
        doc_md="The events of the run against `customer_analytics_pipeline.yaml`.",
        **LINEAGE,
    )
    retention = DbtLayerOperator(
        task_id="bronze_retention",
        command="run-operation",
        operation="bronze_retention",
        operation_args={"days": 90},
        doc_md="Bronze is kept for 90 days.",
        **DBT,
    )

    check_retention = DataAgeCheckOperator(
        task_id="check_retention",
        map_path=MAP,
        doc_md="No row of bronze is more than a day older than the documented 90 days.",
        **DBT,
    )

    with TaskGroup("ingest") as ingest:
        crm, connect, _ = crm_task(), connect_task(), topic_task()
        # One after the other, because DuckDB takes one process at a time.
        chain(*filter(None, (crm, event_tasks(), stand_in_task())))
        if loads := loads_task():
            [task for task in (crm, connect) if task] >> loads

    expectations = expectations_task()

    chain(*filter(None, (ingest, freshness, silver, expectations, gold)), [validate, retention])
    retention >> check_retention
