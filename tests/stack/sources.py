"""The CRM's rows and the topic's events, from the demo's generator, written to real servers."""

from __future__ import annotations

import sys
import time
import urllib.request
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.dbt_project.expected import Sources
from tests.support.postgres_server import connect

from .servers import HERE, PROJECT

if TYPE_CHECKING:
    from .servers import Servers

SCALE = 0.1
TABLES = ("customers", "orders", "products")
AVRO = "io.confluent.connect.avro.AvroConverter"
CRM_TOPICS = "crm-{table}"
"""As crm.json routes them."""
EVOLVED = {"name": "campaign", "type": ["null", "string"], "default": None}


class SourceSystems:
    """A CRM in Postgres, watched by Debezium, and a topic."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._connection = connect(servers.postgres | {"PGDATABASE": "crm"})
        self._execute((HERE / "crm.sql").read_text())
        self._changes: Counter[str] = Counter()
        self._events: list[dict[str, Any]] = []
        sys.path.insert(0, str(PROJECT))
        from source_data import Sizes, Source

        self._source = Source(7, Sizes.of(SCALE))

    def connect_debezium(self) -> None:
        """Create the connector, which begins with a snapshot of the tables."""
        self._changes = Counter({table: len(self._rows(table)) for table in TABLES})
        import crm

        converters = {
            f"{part}.converter{setting}": value
            for part in ("key", "value")
            for setting, value in (("", AVRO), (".schema.registry.url", self._servers.registry))
        }
        database = crm.database_settings(self._servers.postgres | {"PGDATABASE": "crm"})
        crm.create_connector(self._servers.connect, HERE / "crm.json", database | converters)

    def wait_for_debezium(self, seconds: float) -> None:
        """Wait until each change of a table is in the table's topic."""
        deadline = time.monotonic() + seconds
        for table, changes in self._changes.items():
            topic = CRM_TOPICS.replace("{table}", table)
            while (written := _end(self._servers.kafka, topic)) < changes:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{topic} has {written} of {changes} changes: {self._failure()}")
                time.sleep(0.5)

    def _failure(self) -> str:
        with urllib.request.urlopen(f"{self._servers.connect}/connectors/crm/status", timeout=60) as answer:
            return str(answer.read(2000).decode())

    def first(self) -> int:
        """Fill the CRM and the topic; return how many events were produced."""
        return self._apply(self._source.batch_1())

    def later(self) -> int:
        """Insert, update and delete rows; produce events of a schema that has one field more."""
        return self._apply(self._source.batch_2(), EVOLVED)

    def now(self) -> Sources:
        """Return every row of the CRM and every event."""
        tables = [self._rows(table) for table in TABLES]
        return Sources(*tables, self._events)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _apply(self, batch: Any, *fields: dict[str, Any]) -> int:
        import crm
        import event_stream

        self._changes += crm.write_batch(self._connection, batch)
        events = [asdict(event) for event in batch.events]
        schema = event_stream.SCHEMA
        schema = schema | {"fields": [*schema["fields"], *fields]}
        extra = {field["name"]: "summer" for field in fields}
        produced = [event | extra for event in events]
        event_stream.produce(self._servers.kafka, self._servers.registry, produced, schema)
        self._events += events
        return len(events)

    def _execute(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def _rows(self, table: str) -> list[dict[str, Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(f"select * from public.{table}")
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _end(servers: str, topic: str) -> int:
    """Return how many records a topic has; 0 where it is not there yet.

    All topics are listed, because asking for one by name would create it, and each time anew, because a
    client remembers for minutes that a topic was not there.
    """
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": servers, "group.id": "stack"})
    try:
        known = consumer.list_topics(timeout=60).topics
        partitions = known[topic].partitions if topic in known else ()
        ends = (consumer.get_watermark_offsets(TopicPartition(topic, one), 60)[1] for one in partitions)
        return sum(int(end) for end in ends)
    finally:
        consumer.close()
