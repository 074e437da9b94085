"""A worker, its connectors, and what a test asks of their lineage."""

from dataclasses import replace
from datetime import UTC, datetime

from airflow_lineage_provider.events.movement import MovedField
from airflow_lineage_provider.systems.kafka_connect.client import Connector, ConnectTask
from airflow_lineage_provider.systems.kafka_connect.lineage import ConnectContext, connect_lineage

RUNNING = (ConnectTask(0, "RUNNING"),)
DEBEZIUM = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "crm-db",
    "database.port": "5432",
    "database.dbname": "crm",
    "topic.prefix": "crm",
    "table.include.list": "public.orders,public.customers",
}
COLUMNS = {
    ("public", "orders"): [("order_id", "BIGINT"), ("amount", "NUMERIC(10, 2)")],
    ("public", "customers"): [("email", "VARCHAR")],
    ("public", "secrets"): [("x", "TEXT")],
}
CONTEXT = ConnectContext(
    url="http://user:s3cret@connect:8083",
    version="4.3.0",
    bootstrap="kafka:9092",
    now=datetime(2026, 1, 1, tzinfo=UTC),
    columns={"c": COLUMNS},
)
EVENT = (MovedField("id", "string"), MovedField("tags", "array", "", (MovedField("_element", "string"),)))


WITH_SCHEMA = replace(CONTEXT, schemas={"customer-events-prod": EVENT})
S3 = {
    "connector.class": "io.confluent.connect.s3.S3SinkConnector",
    "topics": "customer-events-prod",
    "s3.bucket.name": "data-lake",
    "topics.dir": "bronze",
}


def connector(kind, config, topics=None, state="RUNNING", tasks=RUNNING):
    return Connector("c", kind, state, config, tasks, topics=topics)


def lineage(kind, config, context=CONTEXT, **more):
    return connect_lineage([connector(kind, config, **more)], context)


def ways(observations):
    return {
        (one.name.name, other.namespace, other.name)
        for observation in observations
        for one in observation.movement.inputs
        for other in [output.name for output in observation.movement.outputs]
    }


def columns(observation):
    made = observation.movement.columns
    return None if made is None else {name: [s.column for s in sources] for name, sources in made.items()}
