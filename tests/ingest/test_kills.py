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

from airflow_lineage_provider.ingest.lake import Lake

from .changes import Changes
from .streams import current_rows, event, warehouse

KILLS = int(os.environ.get("INGEST_KILLS", "3"))
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
def changing_table(address):
    """A table that `change` changes in every way; gives that, its rows, and its address."""
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


@pytest.fixture(params=["compare", "slot"])
def deletes(request):
    if request.param == "slot":
        request.getfixturevalue("slots")
    return request.param


def kill_while_it_changes(killer, change):
    """Kill a mover of a table again and again, and let it come to an end at last."""
    for number in range(KILLS):
        if number % 5 == 0:
            change(number // 5)
            killer.kill()
            killer.run()
            change(1000 + number)
        killer.kill()
    killer.run()
    assert killer.killed


def test_postgres_to_bronze_is_killed(changing_table, deletes, tmp_path):
    change, rows, address = changing_table
    path = tmp_path / "warehouse.duckdb"
    where = {"address": address, "table": "kills.rows", "deletes": deletes}
    kill_while_it_changes(Killer("postgres", {**where, "bronze": BRONZE, "path": str(path)}), change)
    target = warehouse(path)
    bronze = target.query(f"select id, value, updated_at from {BRONZE} where _op <> 'D' order by id")
    twice = target.query(f"select id from {BRONZE} group by id having count(*) > 1")
    target.close()
    assert bronze == rows()
    assert twice == []


def test_postgres_to_files_is_killed(changing_table, deletes, tmp_path):
    change, rows, address = changing_table
    where = {"address": address, "table": "kills.rows", "deletes": deletes}
    kill_while_it_changes(Killer("files", {**where, "lake": str(tmp_path / "rows")}), change)
    assert current_rows(Lake(str(tmp_path / "rows")), "id, value, updated_at", "id") == rows()


def test_postgres_to_a_bucket_is_killed(changing_table, bucket, tmp_path):
    change, rows, address = changing_table
    folder = f"s3://lake/{tmp_path.name}"
    where = {"address": address, "table": "kills.rows", "lake": folder, "s3": asdict(bucket)}
    kill_while_it_changes(Killer("files", where), change)
    assert current_rows(Lake(folder, bucket), "id, value, updated_at", "id") == rows()


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


def test_the_changes_of_a_table_are_killed(stream, tmp_path):
    """Bronze ends as the table did, and its deleted rows as tombstones, each once."""
    changes, table, chosen = Changes(stream, "avro"), {}, random.Random(13)
    path = tmp_path / "warehouse.duckdb"
    where = {"name": stream.name, "lake": str(stream.folder), "changes": True}
    movers = [
        Killer("topic", {**where, "brokers": stream.servers.brokers, "registry": stream.servers.registry}),
        Killer("lake", {**where, "bronze": BRONZE, "path": str(path), "key": "order_id"}),
    ]

    def change():
        for _ in range(ROWS // 4):
            order = f"O{chosen.randrange(ROWS)}"
            if chosen.random() < 0.2:
                changes.remove(order)
                table.pop(order, None)
            else:
                table[order] = str(chosen.randrange(1000))
                changes.put(order, table[order])
        changes.flush()

    for number in range(KILLS):
        if number % 5 == 0:
            change()
            for killer in movers:
                killer.kill()
                killer.run()
            change()
        for killer in movers:
            killer.kill()
    for killer in movers:
        killer.run()
    assert all(killer.killed for killer in movers)
    target = warehouse(path)
    bronze = target.query(f"select order_id, amount from {BRONZE} where _op <> 'D'")
    keys = target.query(f"select count(*), count(distinct order_id) from {BRONZE}")
    target.close()
    assert dict(bronze) == table
    assert len(set(keys[0])) == 1
