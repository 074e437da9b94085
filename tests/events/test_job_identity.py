"""Nodes that share a name, from real dbt to the verdict of the command line."""

import json
import re

import pytest
from click.testing import CliRunner
from dbt_projects import run, write_project
from event_helpers import events_of

from airflow_lineage_provider.cli import main

PROFILES = """
warehouse:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: "{folder}/two.duckdb"
      attach: [{{path: "{folder}/raw.duckdb", alias: raw}}]
"""
FILES = {
    "models/extra.sql": "select 1 as id, 7 as secret_amount",
    "models/raw_orders.sql": """
        {{ config(database='raw', alias='orders', materialized='table') }}
        select id, secret_amount as amount from {{ ref('extra') }}
        """,
    "models/orders_now.sql": """
        {{ config(alias='orders', materialized='table') }}
        select id, amount * 2 as amount2 from {{ ref('raw_orders') }}
        """,
    # A singular test that is named as a model, and runs after it.
    "tests/extra.sql": "select * from {{ ref('orders_now') }} where id <> 1",
}
MAP = """
document: {title: Two databases}
scope: ["raw.*", "main.*"]
layers:
  raw: {tables: {orders: {from: [raw.extra]}, extra: {}}}
  main: {tables: {orders: {from: [raw.orders]}}}
environments:
  dev:
    bindings:
      - {dataset: raw.extra, namespace: "duckdb://*/two.duckdb", name: two.main.extra}
      - {dataset: "raw.{table}", namespace: "duckdb://*/raw.duckdb", name: "raw.main.{table}"}
      - {dataset: "main.{table}", namespace: "duckdb://*/two.duckdb", name: "two.main.{table}"}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("identity")
    project = write_project(folder, FILES | {"profiles.yml": PROFILES.format(folder=folder)})
    events = events_of(run(project))
    # Another project of the same DAG run, whose models have other sources.
    other = tmp_path_factory.mktemp("other")
    files = {"models/extra.sql": "select 1 as id", "models/orders.sql": "select id from {{ ref('extra') }}"}
    events += events_of(run(write_project(other, files, name="crm")))
    (folder / "events.jsonl").write_text("\n".join(map(json.dumps, events)))
    return folder


def validate(folder, text):
    (folder / "map.yaml").write_text(text)
    where = ["--store", str(folder / "events.jsonl"), "--run", "all", "--environment", "dev"]
    return CliRunner().invoke(main, ["validate", str(folder / "map.yaml"), *where])


def edges(output):
    """Return the verdict of each edge in the report."""
    lines = (re.match(r"  (\S+) +<- (\S+) .* (\S+)$", line) for line in output.splitlines())
    return {(line[2], line[1]): line[3] for line in lines if line}


def test_every_documented_edge_is_verified(folder):
    result = validate(folder, MAP)
    assert edges(result.output) == {("raw.extra", "raw.orders"): "ok", ("raw.orders", "main.orders"): "ok"}
    assert result.exit_code == 0, result.output


def test_an_edge_that_the_map_leaves_out_is_undeclared(folder):
    result = validate(folder, MAP.replace("{from: [raw.extra]}", "{}"))
    assert edges(result.output)["raw.extra", "raw.orders"] == "UNDECLARED"
    assert result.exit_code == 1
