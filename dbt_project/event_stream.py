"""The demo's event stream: a Kafka-compatible broker and a Schema Registry, for as long as a command runs.

    python event_stream.py --directory data -- airflow dags test customer_analytics_pipeline

The broker is `noida-db`, a wheel without dependencies. What `source_data.py --topic` left in `events/` is
produced to the topic as Avro; the command finds both servers in Airflow's connections `kafka` and
`schema_registry`. Records and schemas stay in the folder for the next run; the servers end with the command.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schema_registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TOPIC = "customer-events-prod"
PARTITIONS = 3
TIMEOUT = 60.0
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "CustomerEvent",
    "namespace": "com.example.analytics",
    "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "customer_id", "type": "string"},
        {"name": "event_type", "type": "string"},
        {"name": "event_timestamp", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
        {"name": "channel", "type": "string"},
        {"name": "page_url", "type": "string"},
    ],
}


@contextmanager
def broker(folder: Path, port: int) -> Iterator[str]:
    """Run a broker whose records are kept in `folder`; yield its address."""
    import noida_db
    from confluent_kafka.admin import AdminClient

    folder.mkdir(parents=True, exist_ok=True)
    binary = Path(noida_db.__file__).with_name("noida-db")
    command = [str(binary), "start", "--only", "kafka", "--kafka-port", str(port), "--data-dir", str(folder)]
    with (folder.parent / "broker.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603
        try:
            servers = f"127.0.0.1:{port}"
            deadline = time.monotonic() + TIMEOUT
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the broker did not start: see {log.name}")
                time.sleep(0.05)
            AdminClient({"bootstrap.servers": servers}).list_topics(timeout=TIMEOUT)
            yield servers
        finally:
            process.terminate()
            process.wait(TIMEOUT)


def create_topic(servers: str, topic: str = TOPIC, partitions: int = PARTITIONS) -> None:
    """Create a topic where it is not there."""
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": servers})
    if topic not in admin.list_topics(timeout=TIMEOUT).topics:
        for done in admin.create_topics([NewTopic(topic, num_partitions=partitions)]).values():
            done.result(TIMEOUT)


def produce(
    servers: str,
    registry: str,
    rows: Iterable[dict[str, Any]],
    schema: dict[str, Any] = SCHEMA,
    topic: str = TOPIC,
) -> int:
    """Produce rows as Avro, each to its `kafka_partition`; return how many there were."""
    import fastavro
    from confluent_kafka import Producer

    number = _register(registry, f"{topic}-value", schema)
    parsed = fastavro.parse_schema(schema)
    header = b"\0" + number.to_bytes(4, "big")
    producer = Producer({"bootstrap.servers": servers, "acks": "all", "linger.ms": 20})
    failed: list[str] = []
    count = 0
    for row in rows:
        count += 1
        value = BytesIO()
        value.write(header)
        fastavro.schemaless_writer(value, parsed, row)
        while True:
            try:
                producer.produce(
                    topic,
                    value.getvalue(),
                    key=row["customer_id"],
                    partition=row["kafka_partition"],
                    on_delivery=lambda error, _: failed.append(str(error)) if error else None,
                )
            except BufferError:
                producer.poll(0.1)
            else:
                break
    left = producer.flush(TIMEOUT)
    if left or failed:
        raise RuntimeError(f"{left + len(failed)} events were not produced: {failed[:1]}")
    return count


def produce_generated(directory: Path, servers: str, registry: str) -> int:
    """Produce what `source_data.py --topic` left in `events/`, and remove it."""
    import pyarrow.parquet as pq

    count = 0
    for file in sorted((directory / "events").glob("*.parquet")):
        count += produce(servers, registry, pq.read_table(file).to_pylist())
        file.unlink()
    return count


def main() -> int:
    """Command line: run a command beside the servers, and return its exit status."""
    parser = argparse.ArgumentParser(description="Run a command beside a broker and a Schema Registry.")
    parser.add_argument("--directory", type=Path, required=True, help="where records and schemas are kept")
    parser.add_argument("--brokers", help="produce to these, and start none")
    parser.add_argument("--registry", help="the Schema Registry of --brokers")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    directory = options.directory.absolute()
    if options.brokers:
        create_topic(options.brokers)
        count = produce_generated(directory, options.brokers, options.registry)
        sys.stdout.write(f"{count:>9,} events produced to {TOPIC} on {options.brokers}\n")
        return 0
    port = _free_port()
    with broker(directory / "broker", port) as servers:
        server = schema_registry.serve(directory / "schemas.json")
        registry = f"http://127.0.0.1:{server.server_address[1]}"
        create_topic(servers)
        count = produce_generated(directory, servers, registry)
        sys.stdout.write(f"{count:>9,} events produced to {TOPIC} on {servers}\n")
        sys.stdout.flush()
        environment = os.environ | {
            "AIRFLOW_CONN_KAFKA": json.dumps({"conn_type": "kafka", "extra": {"bootstrap.servers": servers}}),
            "AIRFLOW_CONN_SCHEMA_REGISTRY": json.dumps({"conn_type": "schema_registry", "host": registry}),
            "INGEST_KAFKA_CONN_ID": "kafka",
            "INGEST_REGISTRY_CONN_ID": "schema_registry",
        }
        try:
            return subprocess.run(options.command, env=environment, check=False).returncode  # noqa: S603
        finally:
            server.shutdown()


def _register(registry: str, subject: str, schema: dict[str, Any]) -> int:
    import urllib.request

    body = json.dumps({"schema": json.dumps(schema)}).encode()
    headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
    url = f"{registry}/subjects/{subject}/versions"
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - http, by its callers
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
        return int(json.load(answer)["id"])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
