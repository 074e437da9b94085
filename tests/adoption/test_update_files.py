"""`update` and `accept` change the file that a table is documented in, dbt's YAML too, and no other line."""

import datetime as dt
import difflib

import pytest

from airflow_lineage_provider.adoption.accept import accepted
from airflow_lineage_provider.adoption.update import update
from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.lineage_map import load_map, load_source, parse_source
from airflow_lineage_provider.lineage_map.files import edit_files
from airflow_lineage_provider.readers import read_evidence
from airflow_lineage_provider.reports.text import validation_text
from tests.adoption.projects import node, project, source

MAIN = """\
document: {title: Shop}  # the shop
include: [domains/marts.yaml, {dbt: ../dbt_project}]
sources: {raw: {type: table, datasets: {orders: }}}
environments:
  dev:
    bindings:
    - {dataset: "raw.{table}", namespace: "*", name: "db.raw.{table}"}
    - {dataset: "staging.{table}", namespace: "*", name: "db.analytics.{table}"}
    - {dataset: "marts.{table}", namespace: "*", name: "db.analytics.{table}"}
policy: {not-read: note}
"""
MARTS = """\
# of the finance team
layers:
  marts:
    tables:
      fct_revenue: {from: staging.stg_orders}   # by order
accepted:
- {finding: not-fed, subject: marts.x, reason: old, until: 2099-01-01}
"""
SCHEMA = """\
models:
  # cleaned orders
  - name: stg_orders
    meta:
      owner: ada
      lineage: {from: raw.orders}   # from the shop
    columns:
      - name: id
        meta: {lineage: raw.orders.id}
      - name: amount
        data_tests: [not_null]
"""
ORDERS = "select id, amount from db.raw.orders"
REVENUE = "select id, sum(amount) as revenue from db.analytics.stg_orders group by 1"


def manifest(*more, orders=ORDERS, revenue_from=("model.p.stg_orders",), sources=("orders",)):
    return project(
        node("stg_orders", ["source.p.orders"], sql=orders),
        node("fct_revenue", list(revenue_from), sql=REVENUE),
        *more,
        sources=map(source, sources),
    )


@pytest.fixture
def folder(tmp_path):
    """A map of two files beside a dbt project whose YAML has the rest."""
    files = {
        "dags/m.yaml": MAIN,
        "dags/domains/marts.yaml": MARTS,
        "dbt_project/dbt_project.yml": "name: p\n",
        "dbt_project/models/staging/schema.yml": SCHEMA,
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def changed(folder, found):
    """Take a manifest into the map; return the lines that went and came, by file."""
    left = []

    def change(files):
        done = update(files, lambda documented: read_evidence("manifest", found, documented), "dev")
        left.extend(done.left)
        return done.source

    made = edit_files(folder / "dags/m.yaml", change)
    assert not left, [str(finding) for finding in left]
    return {
        one.file.removeprefix(f"{folder}/"): [
            line
            for line in difflib.ndiff(one.before.splitlines(), one.after.splitlines())
            if line[:1] in {"-", "+"}
        ]
        for one in made
    }


def test_a_map_that_agrees_is_not_touched(folder):
    assert changed(folder, manifest()) == {}


def test_a_table_is_changed_in_its_file(folder):
    found = manifest(revenue_from=["model.p.stg_orders", "source.p.orders"])
    assert changed(folder, found) == {
        "dags/domains/marts.yaml": [
            "-       fct_revenue: {from: staging.stg_orders}   # by order",
            "+       fct_revenue: {from: [staging.stg_orders, raw.orders]}   # by order",
        ]
    }


def test_a_new_table_is_added_beside_the_others_of_its_layer(folder):
    found = manifest(
        node("fct_refunds", ["model.p.stg_orders"], sql="select id from db.analytics.stg_orders")
    )
    assert changed(folder, found) == {
        "dags/domains/marts.yaml": ["+       fct_refunds: {from: staging.stg_orders}"]
    }


def test_a_model_whose_contract_is_in_dbts_yaml_is_changed_there(folder):
    found = manifest(
        orders="select r.amount as id, r.id as amount from db.raw.refunds r", sources=["orders", "refunds"]
    )
    found.nodes["model.p.stg_orders"].depends_on.nodes = ["source.p.refunds"]
    assert changed(folder, found) == {
        "dags/m.yaml": [
            "- sources: {raw: {type: table, datasets: {orders: }}}",
            "+ sources: {raw: {type: table, datasets: {orders: , refunds: null}}}",
        ],
        "dbt_project/models/staging/schema.yml": [
            "-       lineage: {from: raw.orders}   # from the shop",
            "+       lineage: {from: raw.refunds}   # from the shop",
            "-         meta: {lineage: raw.orders.id}",
            "+         meta: {lineage: raw.refunds.amount}",
            "+         meta: {lineage: raw.refunds.id}",
        ],
    }


def test_an_acceptance_is_renewed_in_its_file_and_a_new_one_is_in_the_maps_own(folder):
    files = load_source(folder / "dags/m.yaml")
    day = dt.date(2099, 5, 1)
    renewed = accepted(files, "not-fed", "marts.x", day, "later")
    assert renewed.text == MAIN
    assert "reason: later" in renewed.included[0].text
    new = accepted(files, "not-read", "marts.y", day, "new")
    assert new.included == files.included
    assert [one.subject for one in parse_source(new).content.accepted] == ["marts.y", "marts.x"]


def test_a_column_that_dbts_yaml_lists_is_left_to_people(folder):
    found = manifest(orders="select id from db.raw.orders")
    with pytest.raises(AssertionError, match=r"column-missing: staging.stg_orders.amount is documented"):
        changed(folder, found)
    assert (folder / "dbt_project/models/staging/schema.yml").read_text() == SCHEMA


def test_a_model_that_is_gone_loses_its_contract(folder):
    found = project(
        node("fct_revenue", ["source.p.orders"], sql="select 1 as id"), sources=[source("orders")]
    )
    (folder / "dbt_project/models/staging/schema.yml").write_text(SCHEMA.partition("    columns:")[0])
    assert changed(folder, found)["dbt_project/models/staging/schema.yml"] == [
        "-       lineage: {from: raw.orders}   # from the shop"
    ]


def test_a_report_names_the_file_of_each_line(folder):
    documented = load_map(folder / "dags/m.yaml")
    evidence = read_evidence("manifest", manifest(), documented)
    text = validation_text(validate(evidence, documented, environment="dev"))
    assert "schema.yml:6" in text
    assert "marts.yaml:5" in text
