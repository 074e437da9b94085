"""A mover that is killed at any moment, and run again, has moved each row once.

INGEST_KILLS=100 kills each mover a hundred times: `make soak` does.
"""

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import psycopg2
import pytest

from airflow_lineage_provider.ingest.postgres_source import PostgresAddress

from .streams import event, warehouse

KILLS = int(os.environ.get("INGEST_KILLS", "5"))
ROWS = 20_000
BRONZE = "bronze.raw_rows"


class Killer:
    """Runs a mover again and again, and kills it after a random part of the time that a whole run takes."""

    def __init__(self, kind, settings):
        self._command = [sys.executable, "-m", "tests.ingest.mover", kind, json.dumps(settings)]
        self._random = random.Random(7)
        self._whole = 1.0
        self.killed = 0

    def run(self):
        """Run the mover to its end."""
        process = self._start()
        began = time.monotonic()
        errors = process.communicate(timeout=300)[1]
        assert process.returncode == 0, errors
        self._whole = time.monotonic() - began

    def kill(self):
        """Run the mover, and kill it on its way."""
        process = self._start()
        try:
            process.wait(self._random.uniform(0, self._whole))
        except subprocess.TimeoutExpired:
            process.kill()
            self.killed += 1
        process.communicate(timeout=60)

    def _start(self):
        process = subprocess.Popen(
            self._command,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
        return process


@pytest.fixture
def changing_table(postgres):
    """A table that `change` changes in every way; gives that, its rows, and its address."""
    address = PostgresAddress(
        postgres["PGHOST"],
        postgres["PGDATABASE"],
        int(postgres["PGPORT"]),
        postgres["PGUSER"],
        postgres["PGPASSWORD"],
    )
    connection = psycopg2.connect(address.uri)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("drop schema if exists kills cascade; create schema kills")
    cursor.execute(
        "create table kills.rows (id bigint primary key, value text, updated_at timestamp not null)"
    )
    chosen = random.Random(11)

    def change(number):
        first = number * ROWS
        cursor.execute(
            "insert into kills.rows select n, md5(n::text), clock_timestamp() from generate_series(%s, %s) n",
            (first, first + ROWS - 1),
        )
        for statement in (
            "update kills.rows set value = value || '!', updated_at = clock_timestamp() where id %% 50 = %s",
            "delete from kills.rows where id %% 97 = %s",
        ):
            cursor.execute(statement, (chosen.randrange(50),))

    def rows():
        cursor.execute("select id, value, updated_at from kills.rows order by id")
        return cursor.fetchall()

    yield change, rows, asdict(address)
    connection.close()


def test_postgres_to_bronze_is_killed(changing_table, tmp_path):
    change, rows, address = changing_table
    path = tmp_path / "warehouse.duckdb"
    killer = Killer(
        "postgres", {"address": address, "table": "kills.rows", "bronze": BRONZE, "path": str(path)}
    )
    for number in range(KILLS):
        if number % 5 == 0:
            change(number // 5)
            killer.kill()
            killer.run()
            change(1000 + number)
        killer.kill()
    killer.run()
    target = warehouse(path)
    bronze = target.query(f"select id, value, updated_at from {BRONZE} where _op <> 'D' order by id")
    twice = target.query(f"select id from {BRONZE} group by id having count(*) > 1")
    target.close()
    assert killer.killed
    assert bronze == rows()
    assert twice == []


def test_kafka_to_bronze_is_killed(stream, tmp_path):
    path = tmp_path / "warehouse.duckdb"
    servers = stream.servers
    where = {"name": stream.name, "lake": str(stream.folder)}
    movers = [
        Killer("topic", {**where, "brokers": servers.brokers, "registry": servers.registry}),
        Killer("lake", {**where, "bronze": BRONZE, "path": str(path)}),
    ]
    count = 0
    for number in range(KILLS):
        if number % 5 == 0:
            stream.produce(event(count + n) for n in range(ROWS))
            stream.produce_bytes(b"bad")
            count += ROWS
            for killer in movers:
                killer.kill()
                killer.run()
            stream.produce(event(count + n) for n in range(ROWS))
            count += ROWS
        for killer in movers:
            killer.kill()
    for killer in movers:
        killer.run()
    target = warehouse(path)
    bronze = target.query(f"select event_id, kafka_partition, kafka_offset from {BRONZE}")
    target.close()
    letters = [
        letter["offset"]
        for file in (stream.folder / "_dead_letters").glob("*.jsonl")
        for letter in map(json.loads, file.read_text().splitlines())
    ]
    assert all(killer.killed for killer in movers)
    assert sorted(event_id for event_id, _, _ in bronze) == sorted(f"E{n}" for n in range(count))
    assert len({(partition, offset) for _, partition, offset in bronze}) == count
    assert len(letters) == len(set(letters)) == (KILLS + 4) // 5
