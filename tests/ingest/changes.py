"""A topic of a table's changes, as Debezium writes them."""

import json
from datetime import UTC, datetime
from io import BytesIO

import fastavro

from airflow_lineage_provider.ingest.decoders import DELETED
from airflow_lineage_provider.ingest.lake_to_bronze import load_landed
from airflow_lineage_provider.ingest.topic_to_lake import land_topic

BRONZE = "bronze.raw_orders"
MICROS = {"type": "long", "connect.version": 1, "connect.name": "io.debezium.time.MicroTimestamp"}


def nullable(kind):
    return {"type": ["null", kind], "default": None}


KEY = {"type": "record", "name": "Key", "fields": [{"name": "order_id", "type": "string"}]}
VALUE = {
    "type": "record",
    "name": "Value",
    "fields": [
        {"name": "order_id", "type": "string"},
        {"name": "amount", **nullable("string")},
        {"name": "ordered_at", **nullable(MICROS)},
        {"name": DELETED, **nullable("string")},
    ],
}
AT = datetime(2025, 7, 1, 12, 30)  # noqa: DTZ001 - a column without a zone
MICROSECONDS = int(AT.replace(tzinfo=UTC).timestamp() * 1_000_000)


class Changes:
    """Writes a topic of changes; its values and keys are Avro, or JSON with a schema."""

    def __init__(self, stream, form):
        from confluent_kafka import Producer

        self._producer = Producer({"bootstrap.servers": stream.servers.brokers})
        self._stream = stream
        self._form = form
        self._ids = {}
        if form == "avro":
            for name, schema in (("key", KEY), ("value", VALUE)):
                self._ids[name] = stream._event_stream._register(
                    stream.servers.registry, f"{stream.name}-{name}", schema
                )

    def put(self, order, amount, deleted="false"):
        """Write a row, or the deletion of the mode `rewrite`."""
        at = None if deleted == "true" else MICROSECONDS
        value = {"order_id": order, "amount": amount, "ordered_at": at, DELETED: deleted}
        self._send(order, self._encoded("value", VALUE, value))

    def remove(self, order):
        """Write what stays of a deletion in the mode `tombstone`: JsonConverter still writes a value."""
        value = b'{"schema": null, "payload": null}' if self._form == "json" else None
        self._send(order, value)

    def flush(self):
        """Wait until the broker has every change."""
        assert self._producer.flush(60) == 0

    def move(self, target):
        """Land and load what is new."""
        self.flush()
        land_topic(
            self._stream.topic, self._stream.decoders, self._stream.lake, lambda _line: None, changes=True
        )
        return load_landed(
            self._stream.lake, self._stream.name, target, BRONZE, "order_id", lambda _line: None, changes=True
        )

    def _send(self, order, value):
        key = self._encoded("key", KEY, {"order_id": order})
        self._producer.poll(0)
        self._producer.produce(self._stream.name, value, key=key, partition=int(order[1:]) % 3)

    def _encoded(self, name, schema, record):
        if self._form == "json":
            fields = [connect_field(field) for field in schema["fields"]]
            return json.dumps({"schema": {"type": "struct", "fields": fields}, "payload": record}).encode()
        stream = BytesIO()
        stream.write(b"\0" + self._ids[name].to_bytes(4, "big"))
        fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), record)
        return stream.getvalue()


def connect_field(field):
    """Return the field of an Avro schema as JsonConverter describes it."""
    kind = field["type"][1] if isinstance(field["type"], list) else field["type"]
    named = {"name": MICROS["connect.name"]} if kind is MICROS else {}
    return {"type": "int64" if named else kind, "optional": True, "field": field["name"], **named}
