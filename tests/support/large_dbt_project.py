"""A generated dbt project of 150 models on DuckDB: staging, joins and aggregates over seeds and ephemerals.

`write(folder, tests=...)` writes it with about that many data tests, and with `times=7` 1,050 models. Every
layer is a schema; the seeds are `raw`, six snapshots are `history`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = 10
STAGING = 40
EPHEMERAL = 15
JOINS = 55
AGGREGATES = 40
SNAPSHOTS = 6
COLUMNS = ("id", "customer_id", "product_id", "amount", "quantity", "status", "ordered_at")

PROJECT = """
name: large
profile: large
flags: {send_anonymous_usage_stats: false}
seeds: {large: {+schema: raw}}
models:
  large:
    staging: {+schema: staging, +materialized: view}
    parts: {+materialized: ephemeral}
    joins: {+schema: joins, +materialized: table}
    marts: {+schema: marts, +materialized: table}
"""
PROFILE = """
large:
  target: dev
  outputs:
    dev: {{type: duckdb, path: "{folder}/large.duckdb", threads: {threads}}}
"""
SCHEMA_NAME = "{% macro generate_schema_name(custom, node) %}{{ custom or target.schema }}{% endmacro %}"
SNAPSHOT = """
snapshots:
  - name: history_{n}
    relation: ref('stg_{n}')
    config: {{schema: history, unique_key: id, strategy: check, check_cols: [amount, status]}}
"""


def write(folder: Path, *, tests: int = 300, threads: int = 8, times: int = 1) -> Path:
    """Write the project and its profile into `folder`; `times` multiplies the numbers of models."""
    files = {
        "dbt_project.yml": PROJECT,
        "profiles.yml": PROFILE.format(folder=folder, threads=threads),
        "macros/generate_schema_name.sql": SCHEMA_NAME,
    }
    for n in range(SEEDS):
        files[f"seeds/raw_{n}.csv"] = _rows(n)
    for n in range(STAGING * times):
        files[f"models/staging/stg_{n}.sql"] = _staging(n)
    for n in range(EPHEMERAL * times):
        files[f"models/parts/part_{n}.sql"] = f"select * from {{{{ ref('stg_{n}') }}}} where status <> 'lost'"
    for n in range(JOINS * times):
        files[f"models/joins/join_{n}.sql"] = _join(n)
    for n in range(AGGREGATES * times):
        files[f"models/marts/mart_{n}.sql"] = _aggregate(n)
    for n in range(SNAPSHOTS):
        files[f"snapshots/history_{n}.yml"] = SNAPSHOT.format(n=n)
    files["models/tests.yml"] = _tests(tests, times)
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def _rows(seed: int) -> str:
    rows = (
        f"{i},{i % 20},{i % 7},{i * 1.25 + seed:.2f},{i % 5 + 1},{('new', 'sent', 'lost')[i % 3]},"
        f"2026-01-{i % 28 + 1:02d} 10:00:00"
        for i in range(200)
    )
    return "\n".join([",".join(COLUMNS), *rows]) + "\n"


def _staging(n: int) -> str:
    return f"""
with source as (select * from {{{{ ref('raw_{n % SEEDS}') }}}}),
renamed as (
    select id, customer_id, product_id, cast(amount as decimal(10, 2)) as amount, quantity,
        lower(trim(status)) as status, cast(ordered_at as timestamp) as ordered_at,
        amount * quantity as total, case when quantity > {n % 4} then 'many' else 'few' end as size_class
    from source
)
select * from renamed
"""


def _join(n: int) -> str:
    left = f"part_{n % EPHEMERAL}" if n % 3 == 0 else f"stg_{n % STAGING}"
    right = f"join_{n - 11}" if n % 4 == 0 and n > 11 else f"stg_{(n * 7 + 3) % STAGING}"
    amount = "amount" if right.startswith("stg") else "left_amount"
    return f"""
with l as (select * from {{{{ ref('{left}') }}}}), r as (select * from {{{{ ref('{right}') }}}}),
latest as (
    select r.*, row_number() over (partition by r.customer_id order by r.ordered_at desc) as nth from r
)
select l.id, l.customer_id, l.product_id, l.amount as left_amount, latest.{amount} as right_amount,
    coalesce(l.status, 'none') as status, l.ordered_at, l.amount + latest.{amount} as both_amounts
from l left join latest on l.customer_id = latest.customer_id and latest.nth = 1
where l.quantity > {n % 3}
"""


def _aggregate(n: int) -> str:
    return f"""
with joined as (select * from {{{{ ref('join_{n}') }}}}),
more as (select customer_id, left_amount from {{{{ ref('join_{(n + 9) % JOINS}') }}}})
select joined.customer_id, count(*) as orders, sum(joined.left_amount) as revenue,
    avg(joined.right_amount) as average, max(joined.ordered_at) as last_ordered_at,
    sum(more.left_amount) as other_revenue, min(joined.status) as first_status
from joined left join more using (customer_id)
group by 1
having count(*) > {n % 3}
"""


def _tests(count: int, times: int) -> str:
    """Return the YAML of `count` not_null tests, several of a column where there are more than columns."""
    columns = {
        **{f"stg_{n}": (*COLUMNS, "total", "size_class") for n in range(STAGING * times)},
        **{
            f"join_{n}": ("id", "customer_id", "left_amount", "status", "ordered_at")
            for n in range(JOINS * times)
        },
        **{
            f"mart_{n}": ("customer_id", "orders", "revenue", "last_ordered_at")
            for n in range(AGGREGATES * times)
        },
    }
    places = [(model, column) for model, names in columns.items() for column in names]
    chosen: dict[str, dict[str, list[str]]] = {}
    for number in range(count):
        model, column = places[number * 11 % len(places)]
        again = number // len(places)
        test = (
            f"not_null: {{name: not_null_{model}_{column}_{again}, config: {{where: '1 = 1'}}}}"
            if again
            else "not_null"
        )
        chosen.setdefault(model, {}).setdefault(column, []).append(test)
    lines = ["models:"]
    for model, tested in chosen.items():
        lines += [f"  - name: {model}", "    columns:"]
        for column, kinds in tested.items():
            lines += [
                f"      - name: {column}",
                "        data_tests:",
                *(f"          - {kind}" for kind in kinds),
            ]
    return "\n".join(lines) + "\n"
