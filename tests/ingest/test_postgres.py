"""A Postgres table and its bronze table agree, row by row, after every change."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.ingest.increment import Increment
from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.postgres_source import PostgresAddress, PostgresSource
from airflow_lineage_provider.ingest.postgres_to_bronze import move_table
from airflow_lineage_provider.ingest.targets import open_target
from tests.support.postgres_server import connect

from .streams import warehouse

BRONZE = "bronze.raw_orders"
BY_TIME = Increment(watermark="updated_at")


@pytest.fixture
def crm(postgres):
    """A database with a table of orders; gives a function that runs SQL."""
    connection = connect(postgres)

    def run(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    run("drop schema if exists shop cascade; drop schema if exists bronze cascade; create schema shop")
    run("""
        create table shop.orders (
            order_id text primary key, amount numeric(10,2), paid boolean, note jsonb, "Strange Name" int,
            ordered_on date, updated_at timestamp not null)""")
    run("""
        insert into shop.orders
        select 'O' || n, n + 0.25, n % 2 = 0, jsonb_build_object('n', n), n, date '2025-07-01',
               timestamp '2025-07-01' + n * interval '1 minute'
        from generate_series(1, 500) n""")
    yield run
    connection.close()


@pytest.fixture(params=["duckdb", "postgres"])
def target(request, tmp_path, address):
    if request.param == "duckdb":
        opened = warehouse(tmp_path / "warehouse.duckdb")
    else:
        credentials = {
            name: getattr(address, name) for name in ("host", "port", "user", "password", "database")
        }
        opened = open_target(SimpleNamespace(type="postgres", **credentials))
    yield opened
    opened.close()


@pytest.fixture
def move(crm, address, target):
    def run(increment=BY_TIME):
        source = PostgresSource(address)
        try:
            return move_table(source, "shop.orders", target, BRONZE, increment, lambda _line: None)
        finally:
            source.close()

    return run


COLUMNS = 'order_id, cast(amount as varchar(20)), paid, note, "Strange Name", ordered_on, updated_at'


def alive(target):
    return sorted(target.query(f"select {COLUMNS} from {BRONZE} where _op <> 'D'"))


def in_source(crm):
    columns = COLUMNS.replace("note", "note::text")
    return sorted(crm(f"select {columns} from shop.orders"))


def ops(target):
    return dict(target.query(f"select order_id, _op from {BRONZE} where _op <> 'I'"))


def test_a_first_move_copies_every_row_with_its_types(crm, move, target):
    moved = move()
    assert moved.rows == 500
    assert alive(target) == in_source(crm)
    kinds = target.columns(BRONZE)
    assert kinds["updated_at"].startswith("timestamp")
    assert kinds["amount"].startswith(("decimal", "numeric"))


def test_changes_of_every_kind_reach_bronze(crm, move, target):
    move()
    crm("update shop.orders set amount = 99, updated_at = '2025-08-01' where order_id = 'O7'")
    crm("insert into shop.orders values ('N1', 1, true, null, null, null, '2025-08-02')")
    crm("delete from shop.orders where order_id in ('O8', 'O9')")
    moved = move()

    assert alive(target) == in_source(crm)
    assert ops(target) == {"O7": "U", "O8": "D", "O9": "D"}
    assert moved.counts == {"deleted": 2}


def test_only_rows_since_the_watermark_less_the_overlap_are_read(crm, move):
    move()
    assert move(Increment("updated_at", timedelta(minutes=5))).rows == 6  # one a minute, both ends
    assert move(Increment("updated_at", timedelta(0))).rows == 1


def test_a_row_that_committed_late_is_within_the_overlap(crm, move, target):
    move()
    crm("insert into shop.orders values ('LATE', 1, true, null, null, null, '2025-07-01 08:18')")
    move(Increment("updated_at", timedelta(minutes=5)))
    assert alive(target) == in_source(crm)


def test_a_row_that_is_read_again_unchanged_keeps_its_op(crm, move, target):
    move()
    move()
    assert ops(target) == {}


def test_a_deleted_row_that_comes_back_is_inserted_again(crm, move, target):
    move()
    crm("delete from shop.orders where order_id = 'O8'")
    move()
    assert ops(target) == {"O8": "D"}
    crm("insert into shop.orders values ('O8', 1, true, null, null, null, '2025-09-01')")
    move()
    assert ops(target) == {}
    assert alive(target) == in_source(crm)


def test_without_a_watermark_all_rows_are_read(crm, move, target):
    move(Increment())
    crm("update shop.orders set amount = 5 where order_id = 'O1'")
    assert move(Increment()).rows == 500
    assert alive(target) == in_source(crm)


def test_deletions_can_be_left_out(crm, move, target):
    move()
    crm("delete from shop.orders where order_id = 'O8'")
    assert move(Increment("updated_at", deletes="none")).counts == {"deleted": 0}
    assert ops(target) == {}


def test_deletions_are_found_by_a_slot(crm, move, target, slots):
    by_slot = Increment("updated_at", timedelta(0), "slot", "orders_deletions")
    move(by_slot)
    crm("delete from shop.orders where order_id in ('O8', 'O9')")
    crm("insert into shop.orders values ('O9', 1, true, null, null, null, '2025-09-01')")
    assert move(by_slot).counts == {"deleted": 1}
    assert alive(target) == in_source(crm)
    assert move(by_slot).counts == {"deleted": 0}


def test_a_slot_finds_keys_of_several_columns_that_are_not_text(crm, address, target, slots):
    crm(
        "create table shop.lines (id bigint, day date, n numeric(9,2), updated_at timestamp, "
        "primary key (id, day))"
    )
    crm("insert into shop.lines select n, date '2025-01-01' + n, n, now() from generate_series(1, 9) n")

    def move():
        source = PostgresSource(address)
        by_slot = Increment("updated_at", timedelta(0), "slot", "lines")
        try:
            return move_table(source, "shop.lines", target, "bronze.lines", by_slot, lambda _line: None)
        finally:
            source.close()

    move()
    crm("delete from shop.lines where id in (3, 4)")
    assert move().counts == {"deleted": 2}
    gone = target.query("select id from bronze.lines where _op = 'D' order by id")
    assert gone == [(3,), (4,)]


def test_a_new_column_of_the_source_becomes_one_of_bronze(crm, move, target):
    move()
    crm("alter table shop.orders add column channel text")
    crm("update shop.orders set channel = 'web', updated_at = '2025-08-01' where order_id = 'O1'")
    move()
    assert target.query(f"select channel from {BRONZE} where order_id in ('O1', 'O2') order by order_id") == [
        ("web",),
        (None,),
    ]


def test_a_load_without_changes_shows_in_the_newest_row_that_it_ran(crm, move, target):
    move()
    target.execute(f"update {BRONZE} set _loaded_at = _loaded_at - interval '1 hour'")
    crm("delete from shop.orders where order_id = 'O500'")
    move(Increment("updated_at", timedelta(0)))
    fresh = f"select count(*) from {BRONZE} where _loaded_at > now() - interval '5 minutes'"
    assert target.query(fresh) == [(1,)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("alter table shop.orders drop constraint orders_pkey", "no primary key"),
        ("alter table shop.orders add column _op text", "has a column '_op'"),
        ("alter table shop.orders rename updated_at to at", "no column 'updated_at'"),
    ],
)
def test_a_table_that_cannot_be_moved_is_named(crm, move, change, message):
    crm(change)
    with pytest.raises(InputError, match=message):
        move()


def test_a_table_that_is_not_there_is_named(crm, move):
    crm("drop table shop.orders")
    with pytest.raises(IngestError, match=r"has no table 'shop.orders'"):
        move()


def test_a_database_that_does_not_answer_is_one_line_without_the_password():
    with pytest.raises(IngestError) as caught:
        PostgresSource(PostgresAddress("127.0.0.1", "crm", 1, "crm", "very-secret"))
    assert caught.value.unreachable
    assert "very-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("table", ["orders", "a.b; drop table x", 'a."b"', ""])
def test_a_table_s_name_is_no_way_into_the_sql(address, crm, table):
    source = PostgresSource(address)
    with pytest.raises(InputError, match="not named as"):
        source.describe(table)
    source.close()


def test_a_statement_that_the_warehouse_refuses_is_one_line(target):
    with pytest.raises(IngestError, match="the warehouse ") as caught:
        target.execute("insert into bronze.not_there values (1)")
    assert "not_there" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_ends_while_rows_are_read_is_one_line(crm, address):
    crm(
        "insert into shop.orders select 'X' || n, n from generate_series(1, 400000) n".replace(
            "select 'X' || n, n", "(order_id, updated_at) select 'X' || n, now()"
        )
    )
    source = PostgresSource(address)
    _, batches = source.rows(source.describe("shop.orders"))
    next(batches)
    crm(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where pid <> pg_backend_pid() and datname = current_database()"
    )
    with pytest.raises(IngestError, match=r"Postgres 127\.0\.0\.1:") as caught:
        list(batches)
    assert caught.value.unreachable
    assert "\n" not in str(caught.value)
