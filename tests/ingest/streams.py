"""A topic of a test's own, the folder that it is landed in, and a warehouse."""

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

from airflow_lineage_provider.ingest.decoders import Decoders
from airflow_lineage_provider.ingest.lake import Lake
from airflow_lineage_provider.ingest.targets import open_target
from airflow_lineage_provider.ingest.topic import Topic
from airflow_lineage_provider.ingest.topic_to_lake import land_topic
from airflow_lineage_provider.systems.http import JsonApi
from airflow_lineage_provider.systems.schemas.registry import SchemaRegistryClient


class Stream:
    """A topic and its lake."""

    def __init__(self, event_stream, servers, folder):
        self.name = f"events-{uuid4().hex[:8]}"
        self.servers = servers
        self.folder = folder
        self._event_stream = event_stream
        event_stream.create_topic(servers.brokers, self.name)
        self.lake = Lake(str(folder))
        self.decoders = decoders(servers.registry)

    @property
    def topic(self):
        return Topic(self.name, {"bootstrap.servers": self.servers.brokers})

    def produce(self, rows, schema=None):
        schema = schema or self._event_stream.SCHEMA
        self._event_stream.produce(self.servers.brokers, self.servers.registry, rows, schema, self.name)

    def produce_bytes(self, value, partition=0):
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": self.servers.brokers})
        producer.produce(self.name, value, key="key", partition=partition)
        assert producer.flush(30) == 0

    def land(self):
        return land_topic(self.topic, self.decoders, self.lake, lambda _line: None)

    def landed(self):
        """Every row of every file, by partition and offset."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        files = [pq.read_table(self.folder / name) for name in self.lake.names()]
        table = pa.concat_tables(files, promote_options="permissive")
        return sorted(table.to_pylist(), key=lambda row: (row["kafka_partition"], row["kafka_offset"]))


def decoders(url):
    """Return the decoders of the registry at a URL."""
    return Decoders(SchemaRegistryClient(JsonApi(url, "Schema Registry")))


def event(number, **changes):
    return {
        "event_id": f"E{number}",
        "customer_id": f"C{number % 7}",
        "event_type": "page_view",
        "event_timestamp": datetime(2025, 7, 1) + timedelta(minutes=number),  # noqa: DTZ001
        "channel": "web",
        "page_url": f"/{number}",
        "kafka_partition": number % 3,
    } | changes


def warehouse(path):
    """Open a DuckDB warehouse as a mover does."""
    path = Path(path)
    return open_target(SimpleNamespace(type="duckdb", path=str(path), database=path.stem, settings=None))


def current_rows(lake, columns, key):
    """Return the rows that a folder of loads has now, as a reader of the files finds them."""
    import duckdb
    import pyarrow as pa

    tables = [pa.Table.from_batches(lake.batches(name), lake.schema(name)) for name in lake.names()]
    landed = pa.concat_tables(tables, promote_options="permissive")  # noqa: F841 - read by the query
    with duckdb.connect() as reader:
        return reader.execute(f"""
            select {columns} from landed
            qualify row_number() over (partition by {key} order by _load desc) = 1 and _op <> 'D'
            order by {key}""").fetchall()
