"""The movers beside the least that could be done: COPY to nowhere, and a consumer that decodes nothing.

Bars: Postgres -> DuckDB at most 2 times `COPY ... TO STDOUT` alone; Kafka -> Parquet at most 4 times the bare
consumer; no more than 150 MiB more memory for 10 times the rows. Exits with 1 where one is missed.

Options: --rows (1,000,000), --records (500,000).
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "dbt_project")]

POSTGRES_BAR, KAFKA_BAR, MEMORY_BAR = 2.0, 4.0, 150
RUNS = 3
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
    from tests.ingest import mover  # noqa: F401 - everything is imported before the clock starts

    work = {
        "copy": copy,
        "adbc": adbc,
        "psycopg": psycopg,
        "bronze": bronze,
        "consume": consume,
        "land": land,
    }
    seconds = timed(lambda: work[kind](**settings))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps([seconds, memory]) + "\n")


def connected(address):
    import psycopg2

    from airflow_lineage_provider.ingest.postgres_source import PostgresAddress

    return psycopg2.connect(PostgresAddress(**address).uri)


def copy(address, **_):
    """Only what Postgres itself does, and the way to another process: psql, which throws the rows away."""
    from airflow_lineage_provider.ingest.postgres_source import PostgresAddress

    command = ["psql", "-q", "-d", PostgresAddress(**address).uri, "-c", "copy bench to stdout"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def adbc(address, **_):
    """Rows as Arrow batches by ADBC: what the operator reads with."""
    from airflow_lineage_provider.ingest.postgres_source import PostgresAddress, PostgresSource

    source = PostgresSource(PostgresAddress(**address))
    for _batch in source.rows(source.describe("public.bench"))[1]:
        pass


def psycopg(address, **_):
    """The same rows by psycopg's COPY and Arrow's CSV reader."""
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
    """Read every record, decode none."""
    from airflow_lineage_provider.ingest.topic import Topic

    topic = Topic(name, {"bootstrap.servers": brokers})
    for _messages in topic.records(topic.spans({})):
        pass


def land(brokers, name, registry, lake):
    from tests.ingest.mover import topic

    topic(brokers, registry, name, lake)


def compare(title, rows, baseline, runs):
    """Print the medians of two kinds of runs; return the ratio."""
    least = statistics.median(seconds for seconds, _ in runs[baseline])
    for kind, measured in runs.items():
        seconds = statistics.median(one for one, _ in measured)
        memory = max(one for _, one in measured)
        print(f"  {kind:<10} {seconds:7.2f} s  {rows / seconds:>11,.0f} rows/s  {memory:6.0f} MiB  {title}")
    return least


def postgres_part(rows, server, folder):
    address = {"host": server["PGHOST"], "port": int(server["PGPORT"]), "user": server["PGUSER"],
               "password": server["PGPASSWORD"], "database": server["PGDATABASE"]}  # fmt: skip
    connection = connected(address)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(TABLE)
    cursor.execute(FILL, (1, rows))
    cursor.execute("vacuum analyze bench")
    runs = {kind: [] for kind in ("copy", "adbc", "psycopg", "bronze")}
    for number in range(RUNS):
        for kind, measured in runs.items():
            extra = {"path": str(folder / f"{number}.duckdb")} if kind == "bronze" else {}
            measured.append(child(kind, {"address": address, **extra}))
    print(f"Postgres, {rows:,} rows of 7 columns, median of {RUNS}")
    least = compare("", rows, "copy", runs)
    cursor.execute(FILL, (rows + 1, 10 * rows))
    big = child("bronze", {"address": address, "path": str(folder / "big.duckdb")})
    small = max(memory for _, memory in runs["bronze"])
    compare(f"of {10 * rows:,} rows", 10 * rows, "bronze", {"bronze": [big]})
    ratio = statistics.median(seconds for seconds, _ in runs["bronze"]) / least
    return ratio, big[1] - small


def kafka_part(records, folder):
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
        for n in range(records)
    )  # fmt: skip
    runs = {kind: [] for kind in ("consume", "land")}
    with event_stream.broker(folder / "broker", free_port()) as brokers:
        event_stream.create_topic(brokers)
        event_stream.produce(brokers, url, rows)
        for number in range(RUNS):
            for kind, measured in runs.items():
                extra = {"registry": url, "lake": str(folder / f"lake-{number}")} if kind == "land" else {}
                measured.append(child(kind, {"brokers": brokers, "name": event_stream.TOPIC, **extra}))
    print(f"Kafka, {records:,} Avro records of 6 fields, median of {RUNS}")
    least = compare("", records, "consume", runs)
    return statistics.median(seconds for seconds, _ in runs["land"]) / least


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=500_000)
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        measure(options.child[0], json.loads(options.child[1]))
        return 0
    from tests.support.postgres_server import private_postgres

    with tempfile.TemporaryDirectory() as place, private_postgres() as server:
        postgres, memory = postgres_part(options.rows, server, Path(place))
        kafka = kafka_part(options.records, Path(place))
    print(f"bronze / COPY {postgres:.2f} (at most {POSTGRES_BAR}), ", end="")
    print(f"land / consume {kafka:.2f} (at most {KAFKA_BAR}), ", end="")
    print(f"{memory:+.0f} MiB for 10 times the rows (at most {MEMORY_BAR})")
    return int(postgres > POSTGRES_BAR or kafka > KAFKA_BAR or memory > MEMORY_BAR)


if __name__ == "__main__":
    sys.exit(main())
