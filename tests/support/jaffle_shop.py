"""A generated dbt project of jaffle_shop's shape on DuckDB: 3 seeds, 5 models, 20 data tests.

`write(folder)` writes it with its profile. It has three layers: the seeds are `bronze`, the staging views
`silver`, and the two tables that are made of them `gold`. No test reads tables of a later layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LAYERS = ("bronze", "silver", "gold")
NODES = 28
CUSTOMERS, ORDERS, PAYMENTS = 100, 100, 120

PROJECT = """
name: shop
profile: shop
flags: {send_anonymous_usage_stats: false}
models:
  shop:
    silver: {+materialized: view}
    gold: {+materialized: table}
"""
PROFILE = """
shop:
  target: dev
  outputs:
    dev: {{type: duckdb, path: "{folder}/shop.duckdb", threads: 2}}
"""
STG_CUSTOMERS = """
with source as (select * from {{ ref('raw_customers') }})
select id as customer_id, first_name, last_name from source
"""
STG_ORDERS = """
with source as (select * from {{ ref('raw_orders') }})
select id as order_id, user_id as customer_id, order_date, status from source
"""
STG_PAYMENTS = """
with source as (select * from {{ ref('raw_payments') }})
select id as payment_id, order_id, payment_method, amount / 100 as amount from source
"""
CUSTOMERS_SQL = """
with customers as (select * from {{ ref('stg_customers') }}),
orders as (select * from {{ ref('stg_orders') }}),
payments as (select * from {{ ref('stg_payments') }}),
customer_orders as (
    select customer_id, min(order_date) as first_order, max(order_date) as most_recent_order,
        count(order_id) as number_of_orders
    from orders group by customer_id
),
customer_payments as (
    select orders.customer_id, sum(amount) as total_amount
    from payments left join orders on payments.order_id = orders.order_id
    group by orders.customer_id
)
select customers.customer_id, customers.first_name, customers.last_name, customer_orders.first_order,
    customer_orders.most_recent_order, customer_orders.number_of_orders,
    customer_payments.total_amount as customer_lifetime_value
from customers
left join customer_orders on customers.customer_id = customer_orders.customer_id
left join customer_payments on customers.customer_id = customer_payments.customer_id
"""
ORDERS_SQL = """
{% set methods = ['credit_card', 'coupon', 'bank_transfer', 'gift_card'] %}
with orders as (select * from {{ ref('stg_orders') }}),
payments as (select * from {{ ref('stg_payments') }}),
order_payments as (
    select order_id,
        {% for method in methods %}
        sum(case when payment_method = '{{ method }}' then amount else 0 end) as {{ method }}_amount,
        {% endfor %}
        sum(amount) as total_amount
    from payments group by order_id
)
select orders.order_id, orders.customer_id, orders.order_date, orders.status,
    {% for method in methods %} order_payments.{{ method }}_amount, {% endfor %}
    order_payments.total_amount as amount
from orders left join order_payments on orders.order_id = order_payments.order_id
"""
TESTS = """
models:
  - name: stg_customers
    columns: [{name: customer_id, data_tests: [unique, not_null]}]
  - name: stg_orders
    columns:
      - {name: order_id, data_tests: [unique, not_null]}
      - name: status
        data_tests: [accepted_values: {arguments: {values: [placed, shipped, completed, returned]}}]
  - name: stg_payments
    columns:
      - {name: payment_id, data_tests: [unique, not_null]}
      - name: payment_method
        data_tests:
          - accepted_values: {arguments: {values: [credit_card, coupon, bank_transfer, gift_card]}}
  - name: customers
    columns: [{name: customer_id, data_tests: [unique, not_null]}]
  - name: orders
    columns:
      - {name: order_id, data_tests: [unique, not_null]}
      - name: customer_id
        data_tests: [not_null, relationships: {arguments: {to: ref('customers'), field: customer_id}}]
      - name: status
        data_tests: [accepted_values: {arguments: {values: [placed, shipped, completed, returned]}}]
      - {name: amount, data_tests: [not_null]}
      - {name: credit_card_amount, data_tests: [not_null]}
      - {name: coupon_amount, data_tests: [not_null]}
      - {name: bank_transfer_amount, data_tests: [not_null]}
      - {name: gift_card_amount, data_tests: [not_null]}
"""


def write(folder: Path) -> Path:
    """Write the project and its profile into `folder`, and return it."""
    statuses = ("placed", "shipped", "completed", "returned")
    methods = ("credit_card", "coupon", "bank_transfer", "gift_card")
    files = {
        "dbt_project.yml": PROJECT,
        "profiles.yml": PROFILE.format(folder=folder),
        "seeds/bronze/raw_customers.csv": _csv(
            "id,first_name,last_name", (f"{n},First{n},L{n % 26}" for n in range(1, CUSTOMERS + 1))
        ),
        "seeds/bronze/raw_orders.csv": _csv(
            "id,user_id,order_date,status",
            (f"{n},{n % 60 + 1},2026-01-{n % 28 + 1:02d},{statuses[n % 4]}" for n in range(1, ORDERS + 1)),
        ),
        "seeds/bronze/raw_payments.csv": _csv(
            "id,order_id,payment_method,amount",
            (f"{n},{(n - 1) % ORDERS + 1},{methods[n % 4]},{n * 37 % 3000}" for n in range(1, PAYMENTS + 1)),
        ),
        "models/silver/stg_customers.sql": STG_CUSTOMERS,
        "models/silver/stg_orders.sql": STG_ORDERS,
        "models/silver/stg_payments.sql": STG_PAYMENTS,
        "models/gold/customers.sql": CUSTOMERS_SQL,
        "models/gold/orders.sql": ORDERS_SQL,
        "models/tests.yml": TESTS,
    }
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def _csv(header: str, rows: Iterable[str]) -> str:
    return "\n".join([header, *rows]) + "\n"
