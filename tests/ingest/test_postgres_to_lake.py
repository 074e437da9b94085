"""A Postgres table and its folder of Parquet files agree after every change, on disk and in a bucket."""

from datetime import timedelta

import psycopg2
import pytest

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.ingest.increment import Increment
from airflow_lineage_provider.ingest.lake import Lake, S3Access
from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.postgres_source import PostgresSource
from airflow_lineage_provider.ingest.postgres_to_lake import land_table

from .streams import current_rows

BY_TIME = Increment("updated_at", timedelta(0))
COLUMNS = "id, amount, note, updated_at"


@pytest.fixture
def crm(address):
    connection = psycopg2.connect(address.uri)
    connection.autocommit = True
    cursor = connection.cursor()

    def run(sql):
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []

    run("drop schema if exists shop cascade; create schema shop")
    run("""
        create table shop.orders (
            id bigint primary key, amount numeric(10,2), note text, updated_at timestamp not null)""")
    run("""
        insert into shop.orders
        select n, n + 0.25, 'note ' || n, timestamp '2025-07-01' + n * interval '1 minute'
        from generate_series(1, 300) n""")
    yield run
    connection.close()


@pytest.fixture(params=["folder", "bucket"])
def lake(request, tmp_path):
    if request.param == "folder":
        return Lake(str(tmp_path / "orders"))
    return Lake(f"s3://lake/{tmp_path.name}", request.getfixturevalue("bucket"))


@pytest.fixture
def land(crm, address, lake):
    def run(increment=BY_TIME):
        source = PostgresSource(address)
        try:
            return land_table(source, "shop.orders", lake, increment, lambda _line: None)
        finally:
            source.close()

    return run


def in_source(crm):
    return crm(f"select {COLUMNS} from shop.orders order by id")


def test_changes_of_every_kind_reach_the_files(crm, land, lake):
    assert land().rows == 300
    assert current_rows(lake, COLUMNS, "id") == in_source(crm)
    crm("update shop.orders set amount = 99, updated_at = '2025-08-01' where id = 7")
    crm("insert into shop.orders values (1000, 1, null, '2025-08-02')")
    crm("delete from shop.orders where id in (8, 9)")
    moved = land()
    assert moved.counts == {"deleted": 2}
    assert current_rows(lake, COLUMNS, "id") == in_source(crm)
    assert len(lake.names()) == 2


def test_a_deleted_row_that_comes_back_is_there_again(crm, land, lake):
    land()
    crm("delete from shop.orders where id = 8")
    assert land().counts == {"deleted": 1}
    assert land().counts == {"deleted": 0}
    crm("insert into shop.orders values (8, 1, 'again', '2025-09-01')")
    land()
    assert current_rows(lake, COLUMNS, "id") == in_source(crm)


def test_deletions_are_found_by_a_slot(crm, land, lake, slots):
    by_slot = Increment("updated_at", timedelta(0), "slot", "files")
    land(by_slot)
    crm("delete from shop.orders where id in (8, 9)")
    assert land(by_slot).counts == {"deleted": 2}
    assert current_rows(lake, COLUMNS, "id") == in_source(crm)


def test_a_load_that_was_lost_is_written_again_under_its_number(crm, land, lake):
    land()
    crm("update shop.orders set amount = 99, updated_at = '2025-08-01' where id = 7")
    land()
    before = lake.names()
    lake.delete(before[-1])
    land()
    assert lake.names() == before
    assert current_rows(lake, COLUMNS, "id") == in_source(crm)


def test_a_column_that_is_new_in_the_source_is_in_later_files(crm, land, lake):
    land()
    crm("alter table shop.orders add column channel text")
    crm("update shop.orders set channel = 'web', updated_at = '2025-08-01' where id = 1")
    moved = land()
    assert moved.columns["channel"] == "channel"
    assert current_rows(lake, "id, channel", "id")[:2] == [(1, "web"), (2, None)]


def test_an_empty_table_writes_no_file(crm, land, lake):
    crm("delete from shop.orders")
    moved = land()
    assert (moved.rows, lake.names()) == (0, [])
    assert moved.columns["amount"] == "amount"


def test_an_error_in_the_middle_of_a_file_leaves_nothing(crm, land, lake, monkeypatch):
    land()
    before = lake.names()

    def broken(self, batch, op):
        raise KeyboardInterrupt

    monkeypatch.setattr("airflow_lineage_provider.ingest.postgres_to_lake._Written._marked", broken)
    with pytest.raises(KeyboardInterrupt):
        land()
    assert lake.names() == before


def test_an_error_while_a_file_is_written_leaves_no_part_of_it(lake):
    import pyarrow as pa

    schema = pa.schema([("n", pa.int64())])

    def batches():
        yield pa.record_batch([pa.array(range(1000))], schema=schema)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lake.write_batches("load.parquet", schema, batches(), {})
    assert lake.names() == []
    assert lake.names("_uploads", "") == []


def test_a_bucket_that_does_not_answer_is_one_line(crm, address):
    away = S3Access("key", "very-secret", region="us-east-1", endpoint_url="http://127.0.0.1:1")
    source = PostgresSource(address)
    with pytest.raises(IngestError, match="s3://lake/away: ") as caught:
        land_table(source, "shop.orders", Lake("s3://lake/away", away), BY_TIME, lambda _line: None)
    source.close()
    assert caught.value.unreachable
    assert "\n" not in str(caught.value)
    assert "very-secret" not in str(caught.value)


def test_a_table_that_cannot_be_moved_is_named(crm, land):
    crm("alter table shop.orders add column _load text")
    with pytest.raises(InputError, match="has a column '_load'"):
        land()
