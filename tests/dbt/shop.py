"""A small project on DuckDB with one node of each kind that dbt builds."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import duckdb
from dbt_projects import Outcome, run, write_project

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
seeds: {shop: {+schema: bronze}}
on-run-start: "create table if not exists audit (seen_at timestamp)"
on-run-end:
  - "insert into audit values (now())"
  - "select 1"
"""

FILES = {
    "seeds/countries.csv": """
        code,country
        de,Germany
        fr,France
        it,Italy
        """,
    "models/sources.yml": """
        sources:
          - name: crm
            schema: crm
            meta: {owner: CRM Team}
            tables:
              - name: orders
                identifier: t_orders_v2
                description: What customers ordered.
                loaded_at_field: updated_at
                freshness: {warn_after: {count: 1, period: hour}}
                columns:
                  - name: order_id
                    data_tests:
                      - relationships:
                          arguments: {to: ref('stg_orders'), field: order_id}
          - name: landing
            config:
              meta: {external_location: "read_parquet('{{ var('landing') }}/{name}/*.parquet')"}
            tables:
              - name: clicks
        """,
    "models/silver/typed_orders.sql": """
        {{ config(materialized='ephemeral') }}
        select order_id, customer_id, country_code, cast(amount as decimal(10, 2)) as amount, updated_at
        from {{ source('crm', 'orders') }}
        """,
    "models/silver/stg_orders.sql": """
        {{ config(materialized='incremental', unique_key='order_id', incremental_strategy='delete+insert') }}
        select * from {{ ref('typed_orders') }}
        {% if is_incremental() %}
        where updated_at > (select max(updated_at) from {{ this }})
        {% endif %}
        """,
    "models/silver/stg_clicks.sql": "select click_id, customer_id from {{ source('landing', 'clicks') }}",
    "models/silver/customers_v1.sql": "select distinct customer_id from {{ ref('stg_orders') }}",
    "models/silver/customers_v2.sql": """
        select customer_id, count(*) as orders from {{ ref('stg_orders') }} group by 1
        """,
    "models/silver/silver.yml": """
        models:
          - name: stg_orders
            description: Orders with a typed amount.
            config: {group: sales, tags: [pii]}
            columns:
              - name: order_id
                description: One per order.
                config: {tags: [key]}
                data_tests:
                  - unique
                  - not_null
              - name: country_code
                data_tests:
                  - relationships:
                      arguments: {to: ref('countries'), field: code}
                  - accepted_values:
                      arguments: {values: [de, fr]}
                      config: {severity: warn}
          - name: customers
            latest_version: 2
            versions: [{v: 1}, {v: 2}]
        unit_tests:
          - name: typed_amounts
            model: typed_orders
            given:
              - input: source('crm', 'orders')
                rows: [{order_id: 1, amount: '1.50'}]
            expect:
              rows: [{order_id: 1, amount: 1.5}]
        """,
    "models/gold/order_summary.sql": """
        with orders as (select * from {{ ref('stg_orders') }}),
        countries as (select * from {{ ref('countries') }}),
        final as (select orders.*, countries.country from orders left join countries on country_code = code)
        select * from final
        """,
    "models/gold/python_totals.py": """
        def model(dbt, session):
            dbt.config(materialized="table")
            orders = dbt.ref("stg_orders")
            return orders.aggregate("customer_id, sum(amount) as total")
        """,
    "models/gold/retired.sql": "{{ config(enabled=false) }} select 1 as id",
    "models/gold/exposures.yml": """
        groups:
          - name: sales
            owner: {name: Sales Data Team, email: sales@example.com}
        exposures:
          - name: sales_dashboard
            type: dashboard
            url: https://tableau.example.com/sales
            owner: {name: Sales}
            depends_on: [ref('order_summary')]
        """,
    "snapshots/order_history.yml": """
        snapshots:
          - name: order_history
            relation: ref('stg_orders')
            config: {schema: silver, unique_key: order_id, strategy: timestamp, updated_at: updated_at}
        """,
    "tests/every_order_has_a_customer.sql": """
        select order_id from {{ ref('stg_orders') }} where customer_id is null
        """,
    "macros/count_orders.sql": """
        {% macro count_orders(least) %}
        {% set found = run_query('select count(*) from silver.stg_orders').columns[0].values()[0] %}
        {{ log('there are ' ~ found ~ ' orders, at least ' ~ least ~ ' expected', info=true) }}
        {% endmacro %}
        """,
}

ORDERS = """
create schema crm;
create table crm.t_orders_v2 as
select range as order_id, range % 3 as customer_id, ['de', 'fr', 'it'][range % 3 + 1] as country_code,
    '12.50' as amount, timestamp '2026-01-01' + to_hours(range::int) as updated_at
from range(10)
"""


def write_shop(folder: Path) -> Path:
    """Write the project, its source table and its source files."""
    project = write_project(folder, FILES, more=CONFIG + f"vars: {{landing: {folder}/landing}}\n")
    (folder / "landing" / "clicks").mkdir(parents=True)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as warehouse:
        warehouse.execute(ORDERS)
        warehouse.execute(
            "copy (select range as click_id, range % 3 as customer_id from range(5))"
            f" to '{folder}/landing/clicks/0.parquet'"
        )
    return project


def change_orders(project: Path) -> None:
    """Add two orders and change one."""
    with duckdb.connect(str(project / "warehouse.duckdb")) as warehouse:
        warehouse.execute(
            "insert into crm.t_orders_v2 select order_id + 100, customer_id, country_code, amount,"
            " updated_at + interval 1 day from crm.t_orders_v2 where order_id < 2"
        )
        warehouse.execute(
            "update crm.t_orders_v2 set amount = '99.00', updated_at = timestamp '2026-02-01'"
            " where order_id = 5"
        )


class ShopRuns(NamedTuple):
    project: Path
    first: Outcome
    second: Outcome


@cache
def build_twice(folder: Path) -> ShopRuns:
    """Build the shop, change its orders, build it again; cached for the test session."""
    project = write_shop(folder / "the_shop")
    first = run(project)
    change_orders(project)
    return ShopRuns(project, first, run(project))
