"""The movers compared with a lower bound: COPY to nowhere, and a consumer that decodes nothing.

Bars: Postgres -> DuckDB at most 2 times `COPY ... TO STDOUT` alone; Kafka -> Parquet at most 4 times the
bare consumer; no more than 64 MiB more memory for 10 times the rows. Exits with 1 where one is missed. The
fastest of several runs counts, because other work on the machine only ever adds time.

INGEST_ROWS (1,000,000) and INGEST_RECORDS (500,000) set the sizes; memory is compared with 10 times the
rows.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "dbt_project")]

ROWS = int(os.environ.get("INGEST_ROWS", "1000000"))
RECORDS = int(os.environ.get("INGEST_RECORDS", "500000"))
IMPORTED = (
    "adbc_driver_postgresql.dbapi", "confluent_kafka", "duckdb", "fastavro", "numpy", "psycopg2",
    "pyarrow.csv", "pyarrow.compute", "pyarrow.fs", "pyarrow.parquet", "tests.ingest.mover",
)  # fmt: skip
POSTGRES_BAR, KAFKA_BAR, MEMORY_BAR = 2.0, 4.0, 64
RUNS = 5
TABLE = """
    create table bench (
        order_id text primary key, customer_id text, product_id text, amount text, status text,
        ordered_at timestamp, updated_at timestamp not null)"""
FILL = """
    insert into bench
    select 'O' || lpad(n::text, 9, '0'), 'C' || (n %% 50000),
           'P' || (n %% 1000), (n %% 100000 / 100.0)::text,
           (array['placed', 'shipped', 'completed'])[n %% 3 + 1],
           timestamp '2025-01-01' + n * interval '1 second',
           timestamp '2025-01-01' + n * interval '1 second'
    from generate_series(%s, %s) n"""


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def child(kind, settings):
    """Run one measurement in a process of its own; return its seconds and its peak memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-P", __file__, "--child", kind, json.dumps(settings)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def measure(kind, settings):
    """Run one kind of work, everything imported before the clock starts; print seconds and MiB."""
    for module in IMPORTED:
        import_module(module)

    kinds = {one.__name__: one for one in (copy, adbc, psycopg, bronze, consume, land)}
    seconds = timed(lambda: kinds[kind](**settings))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps([seconds, memory]) + "\n")


def connected(address):
    import psycopg2

    from airflow_lineage_provider.ingest.postgres_source import PostgresAddress

    return psycopg2.connect(PostgresAddress(**address).uri)


def copy(address, **_):
    """Measure Postgres and the transfer alone: psql, which discards the rows."""
    from airflow_lineage_provider.ingest.postgres_source import PostgresAddress

    command = ["psql", "-q", "-d", PostgresAddress(**address).uri, "-c", "copy bench to stdout"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def adbc(address, **_):
    """Read rows as Arrow batches by ADBC, as the operator does."""
    from airflow_lineage_provider.ingest.postgres_source import PostgresAddress, PostgresSource

    source = PostgresSource(PostgresAddress(**address))
    for _batch in source.rows(source.describe("public.bench"))[1]:
        pass


def psycopg(address, **_):
    """Read the same rows by psycopg's COPY and Arrow's CSV reader."""
    import os
    import threading

    import pyarrow as pa
    import pyarrow.csv as pc

    kinds = {"ordered_at": pa.timestamp("us"), "updated_at": pa.timestamp("us")}
    names = ["order_id", "customer_id", "product_id", "amount", "status", "ordered_at", "updated_at"]
    reading, writing = os.pipe()

    def send():
        with (
            connected(address) as connection,
            connection.cursor() as cursor,
            os.fdopen(writing, "wb", 2**20) as to,
        ):
            cursor.copy_expert("copy bench to stdout (format csv)", to)

    sender = threading.Thread(target=send)
    sender.start()
    with os.fdopen(reading, "rb", 2**20) as source:
        options = pc.ConvertOptions(column_types={name: kinds.get(name, pa.string()) for name in names})
        read = pc.ReadOptions(column_names=names, block_size=8 * 2**20)
        for _batch in pc.open_csv(source, read_options=read, convert_options=options):
            pass
    sender.join()


def bronze(address, path):
    from tests.ingest.mover import postgres

    postgres(address, "public.bench", "bronze.bench", path)


def consume(brokers, name, **_):
    """Fetch every record, and look at none: confluent-kafka's own batches, with the mover's settings."""
    from confluent_kafka import Consumer, TopicPartition

    from airflow_lineage_provider.ingest.topic import AT_ONCE, READING, WAIT

    config = {**READING, "bootstrap.servers": brokers, "group.id": "bench", "enable.partition.eof": True}
    consumer = Consumer(config)
    partitions = consumer.list_topics(name).topics[name].partitions
    consumer.assign([TopicPartition(name, partition, 0) for partition in partitions])
    ended = 0
    while ended < len(partitions):
        ended += sum(message.error() is not None for message in consumer.consume(AT_ONCE, WAIT))
    consumer.close()


def land(brokers, name, registry, lake):
    from tests.ingest.mover import topic

    topic(brokers, registry, name, lake)


def show(kind, rows, runs):
    """Print the fastest run, and the most memory of any; return both."""
    seconds, memory = min(one for one, _ in runs), max(one for _, one in runs)
    print(f"  {kind:<8} {seconds:7.2f} s  {rows / seconds:>11,.0f} rows/s  {memory:6.0f} MiB", flush=True)
    return seconds, memory


def rounds(kinds, rows, runs):
    """Run each kind of work once in each round; return what `show` returns, by kind.

    :param kinds: a function from the round's number to the settings, by kind.
    """
    measured = {kind: [] for kind in kinds}
    for number in range(runs):
        for kind, settings in kinds.items():
            measured[kind].append(child(kind, settings(number)))
    return {kind: show(kind, rows, one) for kind, one in measured.items()}


def postgres_part(server, folder):
    """Return the ratio of bronze to COPY at both sizes, and the MiB that 10 times the rows take more."""
    address = {"host": server["PGHOST"], "port": int(server["PGPORT"]), "user": server["PGUSER"],
               "password": server["PGPASSWORD"], "database": server["PGDATABASE"]}  # fmt: skip
    connection = connected(address)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(TABLE)
    ratios, memory = [], []
    for first, rows, runs in ((1, ROWS, RUNS), (ROWS + 1, 10 * ROWS, 2)):
        cursor.execute(FILL, (first, rows))
        cursor.execute("vacuum analyze bench")
        print(f"Postgres, {rows:,} rows of 7 columns, the fastest of {runs}")
        kinds = ("copy", "adbc", "psycopg", "bronze") if rows == ROWS else ("copy", "bronze")
        found = rounds(
            {
                kind: lambda number, rows=rows: {
                    "address": address,
                    "path": f"{folder}/{rows}-{number}.duckdb",
                }
                for kind in kinds
            },
            rows,
            runs,
        )
        ratios.append(found["bronze"][0] / found["copy"][0])
        memory.append(found["bronze"][1])
    return ratios, memory[1] - memory[0]


def kafka_part(folder):
    """Return the ratio of land to consume."""
    import event_stream
    import schema_registry

    from tests.support.postgres_server import free_port

    registry = schema_registry.serve(folder / "schemas.json")
    url = f"http://127.0.0.1:{registry.server_address[1]}"
    begin = datetime(2025, 1, 1)  # noqa: DTZ001 - local-timestamp
    rows = (
        {"event_id": f"E{n:08d}", "customer_id": f"C{n % 5000}", "event_type": "page_view", "channel": "web",
         "event_timestamp": begin + timedelta(seconds=n), "page_url": f"https://shop.example.com/{n % 999}",
         "kafka_partition": n % 3}
        for n in range(RECORDS)
    )  # fmt: skip
    with event_stream.broker(folder / "broker", free_port()) as brokers:
        event_stream.create_topic(brokers)
        event_stream.produce(brokers, url, rows)
        print(f"Kafka, {RECORDS:,} Avro records of 6 fields, the fastest of {RUNS}")
        where = {"brokers": brokers, "name": event_stream.TOPIC}
        kinds = {
            "consume": lambda _number: where,
            "land": lambda number: {**where, "registry": url, "lake": str(folder / f"lake-{number}")},
        }
        found = rounds(kinds, RECORDS, RUNS)
    return found["land"][0] / found["consume"][0]


def main():
    if sys.argv[1:2] == ["--child"]:
        measure(sys.argv[2], json.loads(sys.argv[3]))
        return 0
    from tests.support.postgres_server import private_postgres

    with tempfile.TemporaryDirectory() as place, private_postgres() as server:
        postgres, memory = postgres_part(server, Path(place))
        kafka = kafka_part(Path(place))
    small, large = postgres
    print(f"bronze / COPY {small:.2f} and {large:.2f} (at most {POSTGRES_BAR}), ", end="")
    print(f"land / consume {kafka:.2f} (at most {KAFKA_BAR}), ", end="")
    print(f"{memory:+.0f} MiB for 10 times the rows (at most {MEMORY_BAR})")
    return int(max(postgres) > POSTGRES_BAR or kafka > KAFKA_BAR or memory > MEMORY_BAR)


if __name__ == "__main__":
    sys.exit(main())
