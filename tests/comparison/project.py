"""A small dbt project on DuckDB with what is easy to get wrong, and its true lineage, by hand.

A source with an `identifier`, a seed, a snapshot, an ephemeral model, `select *` through CTEs, an incremental
model, two data tests, and a model that fails.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "dbt_project.yml": """
name: shop
profile: shop
flags: {send_anonymous_usage_stats: false}
models: {+materialized: table}
""",
    "seeds/regions.csv": "id,name\n1,north\n2,south\n",
    "models/schema.yml": """
sources:
  - name: shop
    schema: raw
    tables: [{name: orders, identifier: orders_v2}]
models:
  - name: order_facts
    columns: [{name: order_id, data_tests: [unique, not_null]}]
""",
    "models/stg_orders.sql": """{{ config(materialized='view') }}
with source as (select * from {{ source('shop', 'orders') }})
select id as order_id, customer_id, region_id, amount, status from source
""",
    "models/stg_regions.sql": """{{ config(materialized='view') }}
select * from {{ ref('regions') }}
""",
    "models/paid.sql": """{{ config(materialized='ephemeral') }}
select order_id, region_id, amount from {{ ref('stg_orders') }} where status = 'paid'
""",
    "models/order_facts.sql": """
select p.order_id, p.amount, r.name as region
from {{ ref('paid') }} as p join {{ ref('stg_regions') }} as r on r.id = p.region_id
""",
    "models/revenue.sql": """
with facts as (select * from {{ ref('order_facts') }})
select region, sum(amount) as revenue from facts group by region
""",
    "models/latest.sql": """{{ config(materialized='incremental', unique_key='order_id') }}
select * from {{ ref('order_facts') }}
""",
    "models/broken.sql": """
select error('this model fails') as nothing, region from {{ ref('revenue') }}
""",
    "snapshots/regions_history.yml": """
snapshots:
  - name: regions_history
    relation: ref('regions')
    config: {unique_key: id, strategy: check, check_cols: all}
""",
}
SOURCE = """
import duckdb, sys
with duckdb.connect(sys.argv[1]) as connection:
    connection.execute("create schema raw")
    columns = "id int, customer_id int, region_id int, amount int, status text"
    connection.execute(f"create table raw.orders_v2 ({columns})")
    connection.execute("insert into raw.orders_v2 values (1, 1, 1, 10, 'paid'), (2, 1, 2, 20, 'open')")
"""

TABLES = {
    ("raw.orders_v2", "main.stg_orders"),
    ("main.regions", "main.stg_regions"),
    ("main.regions", "main.regions_history"),
    ("main.stg_orders", "main.order_facts"),
    ("main.stg_regions", "main.order_facts"),
    ("main.order_facts", "main.revenue"),
    ("main.order_facts", "main.latest"),
}
"""Of the models that succeed; the ephemeral one is no table."""

COLUMNS = {
    *(
        (f"raw.orders_v2.{name}", f"main.stg_orders.{name}")
        for name in ("customer_id", "region_id", "amount", "status")
    ),
    ("raw.orders_v2.id", "main.stg_orders.order_id"),
    ("main.regions.id", "main.stg_regions.id"),
    ("main.regions.name", "main.stg_regions.name"),
    ("main.regions.id", "main.regions_history.id"),
    ("main.regions.name", "main.regions_history.name"),
    ("main.stg_orders.order_id", "main.order_facts.order_id"),
    ("main.stg_orders.amount", "main.order_facts.amount"),
    ("main.stg_regions.name", "main.order_facts.region"),
    ("main.order_facts.region", "main.revenue.region"),
    ("main.order_facts.amount", "main.revenue.revenue"),
    *((f"main.order_facts.{name}", f"main.latest.{name}") for name in ("order_id", "amount", "region")),
}
"""From which column the values of a column are; not what filters, joins or groups."""


def write(folder: Path) -> Path:
    """Write the project, its profile and its warehouse into a folder, and return it."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    dev = f"{{type: duckdb, path: '{folder}/shop.duckdb', threads: 1}}"
    profile = f"shop:\n  target: dev\n  outputs:\n    dev: {dev}\n"
    (folder / "profiles.yml").write_text(profile, encoding="utf-8")
    subprocess.run([sys.executable, "-c", SOURCE, folder / "shop.duckdb"], check=True)
    return folder
