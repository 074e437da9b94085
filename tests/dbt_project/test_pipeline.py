"""The pipeline on DuckDB, bronze to gold: first load, later batch, freshness, retention."""

import json
from types import SimpleNamespace

import pytest

from .expected import TABLES, Sources

LAYERS = {layer: f"build --select {layer}" for layer in ("bronze", "silver", "gold")}
SCALE = 0.5
RAW = ("raw_customer_events", "raw_customers", "raw_orders", "raw_products")


@pytest.fixture(scope="module")
def batch_1(dbt, source_data):
    source_data.generate(dbt.data, scale=SCALE, batch=1)
    return run(
        dbt, {"retention": "run-operation bronze_retention", **LAYERS, "freshness": "source freshness"}
    )


@pytest.fixture(scope="module")
def batch_2(dbt, source_data, batch_1):
    source_data.generate(dbt.data, scale=SCALE, batch=2)
    return run(dbt, LAYERS)


def run(dbt, commands):
    outcomes = dict(zip(commands, dbt.run(*commands.values()), strict=True))
    tables = {table: rows(dbt, table) for table in TABLES}
    return SimpleNamespace(sources=Sources.read(dbt.data), tables=tables, outcomes=outcomes)


def rows(dbt, table):
    return sorted(dbt.query(TABLES[table]), key=repr)


@pytest.mark.parametrize("table", TABLES)
def test_the_first_load_has_exactly_the_expected_rows(batch_1, table):
    assert batch_1.tables[table] == sorted(getattr(batch_1.sources, table)(), key=repr)


@pytest.mark.parametrize("table", TABLES)
def test_a_later_batch_has_exactly_the_expected_rows(batch_2, table):
    assert batch_2.tables[table] == sorted(getattr(batch_2.sources, table)(), key=repr)


def test_a_deleted_customer_is_a_tombstone_in_bronze_and_absent_downstream(
    dbt, batch_1, batch_2, source_data
):
    gone = (
        source_data.Source(7, source_data.Sizes.of(SCALE)).customer(source_data.DELETED_CUSTOMER).customer_id
    )
    for table in ("stg_customers", "stg_orders", "customer_orders_summary", "customer_behavior"):
        assert any(gone in row for row in batch_1.tables[table]), table
        assert not any(gone in row for row in batch_2.tables[table]), table
    assert dbt.query("select distinct _op from bronze.raw_customers where customer_id = ?", gone) == [("D",)]
    assert dbt.query("select distinct _op from bronze.raw_orders where customer_id = ?", gone) == [("D",)]


def test_an_updated_customer_replaces_its_row(batch_1, batch_2):
    before = {row[0]: row[1] for row in batch_1.tables["stg_customers"]}
    after = {row[0]: row[1] for row in batch_2.tables["stg_customers"]}
    assert {key for key in before.keys() & after.keys() if before[key] != after[key]} == {
        f"C{number:07d}" for number in range(1, 150, 25)
    }


def test_a_late_event_is_loaded(batch_1, batch_2):
    new = set(batch_2.tables["stg_events"]) - set(batch_1.tables["stg_events"])
    newest_before = max(moment for *_, moment, _, _ in batch_1.tables["stg_events"])
    assert sum(moment < newest_before for *_, moment, _, _ in new) == 1


def test_a_redelivered_event_is_loaded_once(dbt, batch_2):
    deliveries = [event["event_id"] for event in batch_2.sources.events]
    assert len(deliveries) == len(set(deliveries)) + 2
    assert len(batch_2.tables["stg_events"]) == len(set(deliveries))
    assert dbt.query("select count(*) from bronze.raw_customer_events") == [(len(set(deliveries)),)]


@pytest.mark.parametrize("batch", ["batch_1", "batch_2"])
def test_bad_amounts_are_a_warning(request, batch):
    batch = request.getfixturevalue(batch)
    silver = batch.outcomes["silver"]
    assert silver.success
    assert silver.nodes["source_decimal_text_bronze_raw_orders_amount"] == (
        "warn",
        len(batch.sources.bad_orders()),
    )


def test_amounts_turn_from_good_to_bad_and_from_bad_to_good(batch_1, batch_2):
    before, after = batch_1.sources.bad_orders(), batch_2.sources.bad_orders()
    left = {row[0] for row in batch_1.tables["stg_orders"]} - {row[0] for row in batch_2.tables["stg_orders"]}
    assert after - before <= left
    assert after - before
    assert (before - after) & {row[0] for row in batch_2.tables["stg_orders"]}


def test_every_test_of_the_first_load_passes_except_bad_amounts(batch_1):
    outcomes = batch_1.outcomes.values()
    assert all(outcome.success for outcome in outcomes)
    assert [outcome.not_passed() for outcome in outcomes if outcome.not_passed()] == [
        {"source_decimal_text_bronze_raw_orders_amount": "warn"}
    ]


def test_retention_has_nothing_to_do_before_the_first_load(batch_1):
    for table in RAW:
        assert f"bronze.{table}: not there, nothing to do" in batch_1.outcomes["retention"].log


def test_every_column_is_declared_with_its_actual_type(dbt, batch_1):
    manifest = json.loads((dbt.project / "target" / "manifest.json").read_text())
    declared = {
        (node["schema"], node["name"], column["name"], column["data_type"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        for column in node["columns"].values()
    }
    actual = dbt.query("""
        select table_schema, table_name, column_name, lower(data_type)
        from information_schema.columns
        where table_schema in ('bronze', 'silver', 'gold')""")
    assert declared == set(actual)


@pytest.fixture(scope="module")
def after_ageing(dbt, batch_2):
    """Orders loaded six minutes ago, a load without changes, a full refresh."""
    dbt.query("update bronze.raw_orders set _loaded_at = _loaded_at - interval 6 minute")
    commands = {
        "behind": "source freshness",
        "load": LAYERS["bronze"],
        "healed": "source freshness",
        "refresh": "build --select silver --full-refresh",
        "gold": LAYERS["gold"],
    }
    return run(dbt, commands)


def test_freshness_fails_for_the_table_that_is_behind(after_ageing):
    assert not after_ageing.outcomes["behind"].success
    assert after_ageing.outcomes["behind"].not_passed() == {"raw_orders": "error"}


def test_a_load_without_changes_makes_every_table_fresh(after_ageing):
    assert after_ageing.outcomes["load"].success
    assert set(after_ageing.outcomes["healed"].nodes) == set(RAW)
    assert after_ageing.outcomes["healed"].not_passed() == {}


@pytest.mark.parametrize("table", TABLES)
def test_a_full_refresh_has_the_same_rows_as_the_increments(batch_2, after_ageing, table):
    assert after_ageing.tables[table] == batch_2.tables[table]
