"""A generated dbt project on DuckDB: layers in one schema, a package, ephemerals, seeds, snapshots.

`write(folder, models)` writes it with that many models (ephemerals included), and the warehouse with its
source tables. `drift(folder)` changes it in five ways.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

SOURCES, SEEDS, SNAPSHOTS = 8, 3, 2

_PROJECT = """
name: shop
profile: shop
flags: {send_anonymous_usage_stats: false}
models:
  shop:
    +materialized: table
    staging: {+materialized: view}
    intermediate: {parts: {+materialized: ephemeral}}
    marts: {finance: {+schema: finance}}
"""
_PROFILE = """
shop:
  target: dev
  outputs:
    dev: {{type: duckdb, path: '{folder}/shop.duckdb', threads: 4}}
"""
_PACKAGE = """
name: common
version: 1.0.0
models: {common: {+materialized: view}}
"""
_SNAPSHOT = """
snapshots:
  - name: orders_{n}_history
    relation: ref('stg_orders_{n}')
    config: {{unique_key: id, strategy: check, check_cols: [status]}}
"""
_EXPOSURES = """
exposures:
  - name: finance_board
    label: Finance board
    type: dashboard
    owner: {name: Finance}
    depends_on: [ref('fct_revenue_0'), ref('fct_orders_0')]
  - name: churn
    type: ml
    owner: {name: Data Science}
    depends_on: [ref('fct_revenue_1')]
"""
_MACRO = """
{% macro cents(column) %}cast({{ column }} / 100.0 as decimal(12, 2)){% endmacro %}
"""


def write(folder: Path, models: int) -> Path:
    """Write the project, its profile, its package and its warehouse into `folder`, which it makes."""
    counts = _counts(models)
    files = {
        "dbt_project.yml": _PROJECT,
        "profiles.yml": _PROFILE.format(folder=folder),
        "packages.yml": "packages: [{local: packages/common}]\n",
        "packages/common/dbt_project.yml": _PACKAGE,
        "macros/cents.sql": _MACRO,
        "models/sources.yml": _sources(),
        "models/exposures.yml": _EXPOSURES,
    }
    for n in range(SEEDS):
        files[f"seeds/countries_{n}.csv"] = "code,label\nde,Germany\nfr,France\n"
    for n in range(SNAPSHOTS):
        files[f"snapshots/orders_{n}_history.yml"] = _SNAPSHOT.format(n=n)
    for n in range(counts["common"]):
        files[f"packages/common/models/dim_day_{n}.sql"] = (
            f"select cast('2026-01-01' as date) + {n} as day, {n} as offset_days"
        )
    makers = {"staging": _staging, "parts": _part, "intermediate": _joined, "orders": _orders}
    for kind, make in {**makers, "revenue": _revenue}.items():
        for n in range(counts[kind]):
            path, text = make(n, counts)
            files[path] = text
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    _fill(folder / "shop.duckdb")
    return folder


def drift(folder: Path) -> dict[str, tuple[str, str]]:
    """Change the project in five ways; return the code and the subject of the finding that each makes."""
    models = folder / "models"
    revenue = models / "marts/finance/fct_revenue_0.sql"
    _replace(revenue, ", count(*) as orders", "")
    _replace(models / "marts/finance/fct_revenue_1.sql", "sum(amount)", "sum(id)")
    _replace(models / "intermediate/int_joined_1.sql", "countries_1", "countries_2")
    new = models / "marts/core/fct_refunds.sql"
    new.write_text("select id, amount from {{ ref('stg_orders_0') }} where status = 'refunded'\n")
    shutil.move(models / "staging/stg_orders_3.sql", models / "staging/stg_sales_3.sql")
    for file in models.rglob("*.sql"):
        _replace(file, "ref('stg_orders_3')", "ref('stg_sales_3')")
    return {
        "a column is dropped": ("column-missing", "marts.fct_revenue_0.orders"),
        "a column is made from another": ("column-edge-missing", "-> marts.fct_revenue_1.revenue"),
        "a table reads another one": ("edge-unexpected", "seeds.countries_2 -> intermediate.int_joined_1"),
        "a new table": ("dataset-unexpected", "fct_refunds"),
        "a table is renamed": ("dataset-missing", "staging.stg_orders_3"),
    }


def _replace(file: Path, old: str, new: str) -> None:
    file.write_text(file.read_text().replace(old, new))


def _counts(models: int) -> dict[str, int]:
    """Return how many models of each kind make the number."""
    counts = {"common": 3, "staging": models * 40 // 100, "parts": models // 10}
    counts |= {"intermediate": models * 20 // 100, "orders": models * 15 // 100}
    return {**counts, "revenue": models - sum(counts.values())}


def _sources() -> str:
    tables = "\n".join(
        f"      - {{name: orders_{n}, identifier: raw_orders_{n}}}" if n % 2 else f"      - name: orders_{n}"
        for n in range(SOURCES)
    )
    return f"sources:\n  - name: shop_db\n    schema: raw\n    tables:\n{tables}\n"


def _staging(n: int, _: dict[str, int]) -> tuple[str, str]:
    return (
        f"models/staging/stg_orders_{n}.sql",
        f"""
with source as (select * from {{{{ source('shop_db', 'orders_{n % SOURCES}') }}}})
select id, customer_id, lower(status) as status, country, {{{{ cents('amount_cents') }}}} as amount,
    ordered_on
from source
""",
    )


def _part(n: int, counts: dict[str, int]) -> tuple[str, str]:
    return (
        f"models/intermediate/parts/int_paid_{n}.sql",
        f"select * from {{{{ ref('stg_orders_{n * 3 % counts['staging']}') }}}} where status <> 'lost'",
    )


def _joined(n: int, counts: dict[str, int]) -> tuple[str, str]:
    left = f"int_paid_{n % counts['parts']}" if n % 2 else f"stg_orders_{n}"
    return (
        f"models/intermediate/int_joined_{n}.sql",
        f"""
with orders as (select * from {{{{ ref('{left}') }}}}),
days as (select * from {{{{ ref('common', 'dim_day_{n % 3}') }}}})
select orders.*, countries.label as country_name, days.offset_days,
    row_number() over (partition by customer_id order by ordered_on) as nth
from orders
left join {{{{ ref('countries_{n % SEEDS}') }}}} as countries on countries.code = orders.country
left join days on days.day = orders.ordered_on
""",
    )


def _orders(n: int, counts: dict[str, int]) -> tuple[str, str]:
    first, second = n % counts["intermediate"], (n * 5 + 1) % counts["intermediate"]
    config = f"{{{{ config(materialized='incremental', unique_key='id', alias='orders_fact_{n}') }}}}\n"
    history = f"union all select id, customer_id, amount from {{{{ ref('orders_{n % SNAPSHOTS}_history') }}}}"
    return (
        f"models/marts/core/fct_orders_{n}.sql",
        (config if n % 4 == 3 else "")
        + f"""
select id, customer_id, amount from {{{{ ref('int_joined_{first}') }}}}
union all
select id, customer_id, amount from {{{{ ref('int_joined_{second}') }}}}
{history if n % 3 == 0 else ""}
""",
    )


def _revenue(n: int, counts: dict[str, int]) -> tuple[str, str]:
    parent = (
        f"fct_orders_{n % counts['orders']}" if n % 2 == 0 else f"int_joined_{n % counts['intermediate']}"
    )
    return (
        f"models/marts/finance/fct_revenue_{n}.sql",
        f"""
select customer_id, sum(amount) as revenue, count(*) as orders
from {{{{ ref('{parent}') }}}} group by customer_id
""",
    )


def _fill(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema raw")
        for n in range(SOURCES):
            connection.execute(
                f"create table raw.{'raw_' if n % 2 else ''}orders_{n} as "
                "select range as id, range % 7 as customer_id, 'NEW' as status, 'de' as country, "
                "range * 100 as amount_cents, date '2026-01-01' as ordered_on from range(20)"
            )
