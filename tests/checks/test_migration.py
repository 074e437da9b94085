# ruff: noqa: E501 - the map
"""The impact of a migration: what its statements change in the end, and whom that reaches."""

import pytest

from airflow_lineage_provider.checks.migration import migration_impact
from airflow_lineage_provider.lineage_map import parse_map

MAP = """
document: {title: Shop}
layers:
  raw:
    tables:
      orders: {columns: [order_id, amount, note]}
      plain:
  gold:
    tables:
      revenue:
        from: raw.orders
        columns:
          order_id: {type: BIGINT}
          total: {type: "DECIMAL(10,2)", from: amount, expression: "CAST(amount AS DECIMAL(10,2))"}
      copy: {from: raw.plain}
dashboards:
  Board: {tool: Tableau, from: gold.revenue, fields: {Total: total}}
  Other: {tool: Tableau, from: gold.copy}
environments:
  prod:
    bindings:
      - {dataset: "{layer}.{table}", namespace: "snowflake://*", name: "SHOP.{layer}.{table}", ignore_case: true}
"""


def impact(sql, dialect="postgres", more="", **options):
    return migration_impact(sql, parse_map(MAP + more), dialect=dialect, **options)


def changes(sql, dialect="postgres", **options):
    return {change.text: dict(change.reached) for change in impact(sql, dialect, **options).changes}


def test_a_dropped_column_breaks_what_is_made_from_it():
    assert changes("alter table raw.orders drop column amount") == {
        "raw.orders.amount is dropped": {"Board": "fed by what breaks"}
    }


def test_a_renamed_column_names_its_new_name():
    assert list(changes("alter table raw.orders rename amount to price")) == [
        "raw.orders.amount is renamed to price"
    ]


def test_a_cast_stops_a_new_type():
    found = impact("alter table raw.orders alter column amount type text")
    assert found.by_consumer()["Board"][0][1] == "holds"
    assert found.comparison.agreed


def test_a_new_type_reaches_the_consumer():
    assert changes("alter table gold.revenue alter total type float") == {
        "gold.revenue.total becomes float, it was DECIMAL(10,2)": {"Board": "changes type"}
    }


def test_the_documented_type_in_other_words_is_no_change():
    assert changes("alter table gold.revenue alter total type numeric(10, 2)") == {}


@pytest.mark.parametrize(
    "sql",
    [
        "alter table raw.orders rename amount to x; alter table raw.orders rename x to amount",
        "alter table raw.orders rename to o; alter table raw.o rename to orders",
        "create table gold.other (a int); drop table gold.other",
        "create table if not exists raw.orders (x int)",
        "alter table raw.orders add column extra int",
        "alter table elsewhere.t drop column amount",
        "create or replace table raw.orders (order_id bigint, amount text, note text)",
        "create or replace view gold.revenue as select order_id, cast(amount as decimal(10,2)) as total from raw.orders",
    ],
)
def test_what_is_the_same_in_the_end_is_no_change(sql):
    assert changes(sql) == {}


def test_a_table_in_place_of_another_is_compared_by_its_columns():
    sql = """
        create table raw.orders_new (order_id bigint, amount text);
        drop table raw.orders;
        alter table raw.orders_new rename to orders;
    """
    assert set(changes(sql)) >= {"raw.orders.note is dropped"}


def test_a_view_that_is_defined_otherwise_may_break_its_readers():
    sql = "create or replace view gold.revenue as select order_id, order_id as total from raw.orders"
    assert changes(sql) == {"gold.revenue is redefined": {"Board": "may break"}}


def test_a_view_without_a_column_drops_it():
    found = changes("create or replace view gold.revenue as select order_id from raw.orders")
    assert found["gold.revenue.total is dropped"] == {"Board": "breaks"}


def test_a_view_whose_columns_are_not_known_may_break():
    found = changes("create or replace view gold.revenue as select * from elsewhere.t")
    assert found == {"gold.revenue is replaced": {"Board": "may break"}}


def test_a_dropped_table_without_columns_breaks_its_readers():
    assert list(changes("drop table raw.plain")["raw.plain is dropped"]) == ["Other"]


def test_a_dropped_schema_drops_its_tables():
    assert {"raw.orders is dropped", "raw.plain is dropped"} <= set(changes("drop schema raw cascade"))


def test_a_swap_compares_both_tables():
    found = changes("create table raw.n (order_id int); alter table raw.orders swap with raw.n", "snowflake")
    assert "raw.orders.amount is dropped" in found


@pytest.mark.parametrize("name", ["SHOP.RAW.ORDERS", "raw.orders", "orders", '"SHOP"."RAW"."ORDERS"'])
def test_a_table_is_known_by_any_of_its_names(name):
    found = changes(f"alter table {name} drop column AMOUNT", "snowflake", environment="prod")
    assert list(found) == ["raw.orders.amount is dropped"]


def test_the_policy_and_what_is_accepted_decide():
    sql = "alter table raw.orders drop column amount"
    assert not impact(sql).comparison.agreed
    assert impact(sql, more="policy: {consumer-affected: note}").comparison.agreed
    until = "accepted: [{finding: consumer-affected, subject: Board, reason: planned, until: 2999-01-01}]"
    assert impact(sql, more=until).comparison.agreed


def test_sql_that_is_not_understood_is_an_error():
    found = impact("do $$ begin drop table raw.orders; end $$")
    assert not found.comparison.agreed
    assert "not read" in found.problems[0]
