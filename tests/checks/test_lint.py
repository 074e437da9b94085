"""Lint a map: one mistake gives one finding."""

import pytest
from pipeline_run import MAP

from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.graph import Code
from airflow_lineage_provider.lineage_map import load_map, parse_map

GOOD = """
document: {}
sources:
  crm: {type: postgres, datasets: {orders: bronze.raw}}
layers:
  bronze: {tables: {raw: {columns: [id, amount]}}}
  silver: {tables: {clean: {from: bronze.raw, columns: {id: , total: amount}}}}
dashboards:
  View: {from: silver.clean, fields: {total: }}
environments:
  dev: {bindings: [{dataset: "{layer}.{table}", namespace: "*", name: "db.{layer}.{table}"}]}
"""

MISTAKES = {
    "a name that is misspelt": (
        "from: bronze.raw,",
        "from: bronze.rau,",
        [
            "not-read: nothing reads bronze.raw",
            "unknown-dataset: bronze.rau is used and not documented; did you mean bronze.raw?",
        ],
    ),
    "a table that its layer does not list": (
        "bronze.raw}}",
        "[bronze.raw, bronze.more]}}",
        ["not-listed: bronze.more is documented, and the layer bronze does not list it; nothing reads it"],
    ),
    "no environments": (
        (
            'environments:\n  dev: {bindings: [{dataset: "{layer}.{table}", namespace: "*", '
            'name: "db.{layer}.{table}"}]}\n'
        ),
        "",
        [
            (
                "no-environments: the map has no `environments`: "
                "their bindings say what its datasets are called in a run"
            )
        ],
    ),
    "bindings that fit no table": (
        'dataset: "{layer}.{table}"',
        'dataset: "lake.{layer}.{table}"',
        ["no-bindings: no binding of 'dev' fits a table of the map, such as bronze.raw"],
    ),
    "two tables of one name": (
        "silver: {tables: {clean",
        "silver: {tables: {raw: {from: bronze.raw, columns: {id: }}, clean",
        [
            "ambiguous-binding: dev binds bronze.raw and silver.raw to one name: * db.raw",
        ],
    ),
    "a column that no table has": (
        "total: amount",
        "total: bronze.raw.amont",
        ["unknown-column: bronze.raw.amont is used, and bronze.raw has no such column; did you mean amount?"],
    ),
    "a field that keeps a name which no input has": (
        "fields: {total: }",
        "fields: {sum: }",
        ["ambiguous-column: View.sum keeps its name, and none of its inputs has it; say which with `from`"],
    ),
    "a field that two inputs have": (
        "from: silver.clean, fields: {total: }",
        "from: [silver.clean, bronze.raw], fields: {id: }",
        [
            (
                "ambiguous-column: View.id keeps its name, and silver.clean, bronze.raw have it; "
                "say which with `from`"
            ),
            "skips-table: bronze.raw -> View skips silver.clean, which the map has in between",
        ],
    ),
    "a layer that reads upward": (
        "raw: {columns: [id, amount]}",
        "raw: {columns: [id, amount]}, early: {from: silver.clean}",
        [
            "reads-upward: bronze.early reads silver.clean: bronze is below silver",
            "not-read: nothing reads bronze.early",
        ],
    ),
    "a cycle": (
        "raw: {columns: [id, amount]}",
        "raw: {from: silver.clean, columns: {id: {from: []}, amount: {from: []}}}",
        [
            "cycle: a cycle: bronze.raw -> silver.clean -> bronze.raw",
            "reads-upward: bronze.raw reads silver.clean: bronze is below silver",
        ],
    ),
    "a table that nothing feeds": (
        "{orders: bronze.raw}",
        "{orders: }",
        [
            "not-fed: nothing feeds bronze.raw; say `from` what",
            "not-read: crm.orders is extracted to nothing; say `to` what",
        ],
    ),
    "a scenario that is not so": (
        "dashboards:",
        "scenarios: [{change: bronze.raw.amount, reaches: [Other]}]\ndashboards:",
        ["scenario-differs: a change of bronze.raw.amount also reaches View and does not reach Other"],
    ),
}


def messages(text):
    return sorted(f"{f.code}: {f.message}" for f in lint(parse_map(text)).findings)


def test_a_map_without_mistakes():
    assert messages(GOOD) == []


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake(old, new, expected):
    assert old in GOOD
    text = GOOD.replace(old, new)
    if "ambiguous-binding" in expected[0]:
        text = text.replace("db.{layer}.{table}", "db.{table}")
    assert messages(text) == sorted(expected)


def test_the_pipelines_map_has_the_two_oddities_that_the_document_has():
    assert [f.code for f in lint(load_map(MAP)).findings] == [Code.NOT_READ, Code.SKIPS_TABLE]


def test_a_finding_says_where():
    (finding,) = lint(parse_map(GOOD.replace("total: amount", "total: bronze.raw.x"), "m.yaml")).findings
    assert str(finding.documented[0]) == "m.yaml:7"
