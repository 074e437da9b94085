"""Silver and gold on a bronze layer that another system loads: the same result on each warehouse.

Bronze is loaded by hand here, as DMS and Kafka Connect would.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from .conftest import PROJECT
from .dbt import Dbt
from .expected import TABLES, Sources

LAYERS = ("build --select silver", "build --select gold")
SCALE = 0.1
DAYS = (200, 91, 89, 41, 39, 0)  # how long ago each of the first events was loaded

AMOUNTS = {
    "12.50": Decimal("12.50"),
    " 12.5 ": Decimal("12.50"),
    "+3": Decimal("3.00"),
    "-4.25": Decimal("-4.25"),
    "99999999.99": Decimal("99999999.99"),
    "100000000": None,
    "0.005": None,
    "12.": None,
    ".5": None,
    "1e3": None,
    "NaN": None,
    "Infinity": None,
    "1 000": None,
    "12.50\n": None,
    "١٢": None,
    "12,50": None,
    "N/A": None,
    "": None,
    None: None,
}


class DuckDB:
    def __init__(self, dbt):
        self.dbt = dbt

    def query(self, sql):
        return self.dbt.query(sql)


class Postgres:
    def __init__(self, dbt):
        self.dbt = dbt

    def query(self, sql):
        import psycopg2

        variables = dict(self.dbt.variables)
        connection = psycopg2.connect(
            host=variables["PGHOST"],
            port=variables["PGPORT"],
            user=variables["PGUSER"],
            password=variables["DBT_ENV_SECRET_PGPASSWORD"],
            dbname=variables["PGDATABASE"],
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            found = cursor.fetchall() if cursor.description else []
        connection.close()
        return found


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory):
    return DuckDB(Dbt.copy_of(PROJECT, tmp_path_factory.mktemp("duckdb")))


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory, postgres):
    variables = {"DBT_ENV_SECRET_PGPASSWORD": postgres["PGPASSWORD"], **postgres}
    folder = tmp_path_factory.mktemp("postgres")
    return Postgres(Dbt.copy_of(PROJECT, folder, target="postgres", variables=tuple(variables.items())))


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def edge_cases(request, source_data):
    """Silver and retention on a bronze layer of odd amounts, old events and no products."""
    warehouse = request.getfixturevalue(f"on_{request.param}")
    source_data.generate(warehouse.dbt.data, scale=SCALE)
    sources = Sources.read(warehouse.dbt.data)
    orders = [
        {**sources.orders[0], "order_id": f"X{n:02d}", "amount": text} for n, text in enumerate(AMOUNTS)
    ]
    land(warehouse, replace(sources, orders=orders))
    loaded = [datetime.now(UTC) - timedelta(days=days) for days in DAYS]
    create(warehouse, "bronze.raw_customer_events", [{"_loaded_at": moment} for moment in loaded])
    warehouse.query("drop table bronze.raw_products")
    empty = json.dumps({"sql": "begin; delete from silver.stg_customers; commit"})
    commands = {
        "silver": "run --select stg_customers stg_orders",
        "emptied": f"run-operation run_query --args '{empty}'",
        "filled": "run --select stg_customers",
        "90 days": "run-operation bronze_retention",
        "40 days": """run-operation bronze_retention --args '{"days": 40}'""",
        "soon": """run-operation bronze_retention --args '{"days": "soon"}'""",
    }
    outcomes = dict(zip(commands, warehouse.dbt.run(*commands.values()), strict=True))
    return SimpleNamespace(warehouse=warehouse, sources=sources, loaded=loaded, outcomes=outcomes)


@pytest.fixture(scope="module")
def two_loads(on_postgres, source_data):
    """Two loads of bronze, each followed by silver and gold."""
    for layer in ("bronze", "silver", "gold"):
        on_postgres.query(f"drop schema if exists {layer} cascade")
    source_data.generate(on_postgres.dbt.data, scale=SCALE, batch=1)
    first = Sources.read(on_postgres.dbt.data)
    land(on_postgres, first)
    outcomes = on_postgres.dbt.run(*LAYERS)
    source_data.generate(on_postgres.dbt.data, scale=SCALE, batch=2)
    second = Sources.read(on_postgres.dbt.data)
    land(on_postgres, second, before=first)
    return SimpleNamespace(
        warehouse=on_postgres,
        sources=second,
        outcomes=[*outcomes, *on_postgres.dbt.run(*LAYERS, "source freshness")],
    )


def land(warehouse, sources, before=None):
    """Replace bronze by the current image of each row and a tombstone for each that is gone."""
    now = datetime.now(UTC)
    for name, key in (("customers", "customer_id"), ("orders", "order_id"), ("products", "product_id")):
        rows = {row[key]: row for row in getattr(sources, name)}
        past = {row[key]: row for row in getattr(before, name)} if before else {}
        images = [{**row, "_op": "U" if key in past else "I", "_loaded_at": now} for key, row in rows.items()]
        images += [{**past[key], "_op": "D", "_loaded_at": now} for key in past.keys() - rows.keys()]
        create(warehouse, f"bronze.raw_{name}", images)
    events = {row["event_id"]: {**row, "_loaded_at": now} for row in sources.events}
    create(warehouse, "bronze.raw_customer_events", list(events.values()))


def create(warehouse, table, rows):
    columns = ", ".join(f"{name} {sql_type(rows, name)}" for name in rows[0])
    values = ", ".join(f"({', '.join(map(literal, row.values()))})" for row in rows)
    warehouse.query("create schema if not exists bronze")
    warehouse.query(f"drop table if exists {table}")
    warehouse.query(f"create table {table} ({columns})")
    warehouse.query(f"insert into {table} values {values}")


def sql_type(rows, name):
    value = next(row[name] for row in rows if row[name] is not None)
    if isinstance(value, datetime):
        return "timestamp with time zone" if value.tzinfo else "timestamp"
    return "bigint" if isinstance(value, int) else "varchar"


def literal(value):
    if value is None or isinstance(value, int):
        return "null" if value is None else str(value)
    return "'" + str(value).replace("'", "''") + "'"


def test_every_warehouse_accepts_the_same_text_as_a_decimal(edge_cases):
    assert edge_cases.outcomes["silver"].success
    found = dict(edge_cases.warehouse.query("select order_id, order_amount from silver.stg_orders"))
    assert {text: found.get(f"X{number:02d}") for number, text in enumerate(AMOUNTS)} == AMOUNTS


def test_a_table_that_was_empty_is_filled_by_the_next_increment(edge_cases):
    assert edge_cases.outcomes["emptied"].success
    assert edge_cases.outcomes["filled"].success
    count = edge_cases.warehouse.query("select count(*) from silver.stg_customers")
    assert count == [(len(edge_cases.sources.customers),)]


def test_retention_deletes_expired_rows_only(edge_cases):
    log = edge_cases.outcomes["90 days"].log
    assert edge_cases.outcomes["90 days"].success
    assert edge_cases.outcomes["40 days"].success
    assert "bronze.raw_customer_events: 2 rows older than 90 days deleted" in log
    assert "bronze.raw_customer_events: 2 rows older than 40 days deleted" in log
    assert "bronze.raw_customers: 0 rows older than 90 days deleted" in log
    assert "bronze.raw_products: not there, nothing to do" in log
    left = edge_cases.warehouse.query("select _loaded_at from bronze.raw_customer_events order by 1")
    assert left == [(moment,) for moment in edge_cases.loaded[-2:]]


def test_retention_rejects_days_that_are_no_number(edge_cases):
    assert not edge_cases.outcomes["soon"].success
    assert "days is soon; a whole number above 0 is needed" in edge_cases.outcomes["soon"].log


@pytest.mark.parametrize("table", TABLES)
def test_postgres_has_exactly_the_expected_rows(two_loads, table):
    found = sorted(two_loads.warehouse.query(TABLES[table]), key=repr)
    assert found == sorted(getattr(two_loads.sources, table)(), key=repr)


def test_postgres_reports_flaws_of_the_data_as_warnings(two_loads):
    bad_amounts = "source_decimal_text_bronze_raw_orders_amount"
    orphans = "relationships_stg_events_customer_id__customer_id__ref_stg_customers_"
    warn = "warn"
    assert all(outcome.success for outcome in two_loads.outcomes)
    assert [outcome.not_passed() for outcome in two_loads.outcomes] == [
        {bad_amounts: warn},
        {},
        {bad_amounts: warn, orphans: warn},
        {},
        {},
    ]
