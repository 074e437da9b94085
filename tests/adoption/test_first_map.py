"""A first map: minimal, clean under `lint`, and in agreement with what it was made from."""

import pytest

from airflow_lineage_provider.adoption.first_map import first_map
from airflow_lineage_provider.adoption.seen import seen_in_manifest, seen_in_run, together
from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import Code, Severity, Verdict
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.readers import read_evidence
from tests.adoption.projects import node, project, random_project, source
from tests.readers.pipeline_run import run_events


def map_of(manifest, **options):
    return first_map(seen_in_manifest(manifest, columns=bool(options.get("columns"))), **options)


def verified(made, manifest):
    """The map, after asserting that it is clean and agrees with the manifest."""
    documented = parse_map(made.text)
    loud = [f for f in lint(documented).findings if f.severity in {Severity.ERROR, Severity.WARNING}]
    assert not loud
    comparison = validate(read_evidence("manifest", manifest, documented), documented).comparison
    assert not comparison.findings, [str(f) for f in comparison.findings]
    assert {edge.verdict for edge in comparison.edges} == {Verdict.VERIFIED}
    return documented


LAYERED = project(
    node("stg_orders", ["source.p.orders"], folder="staging", sql="select id, amount from db.raw.orders"),
    node(
        "stg_customers", ["source.p.customers"], folder="staging/crm", sql="select id from db.raw.customers"
    ),
    node("int_paid", ["model.p.stg_orders"], folder="marts", config={"materialized": "ephemeral"}),
    node(
        "revenue",
        ["model.p.int_paid", "model.p.stg_customers"],
        folder="marts",
        sql="select o.id, sum(o.amount) as total from db.analytics.stg_orders o "
        "join db.analytics.stg_customers c on c.id = o.id group by 1",
    ),
    node("again", ["model.p.revenue"], folder="marts", sql="select id, total from db.analytics.revenue"),
    sources=[source("orders"), source("customers"), source("unread")],
    exposures=[
        {
            "name": "board",
            "type": "dashboard",
            "label": "The Board",
            "depends_on": {"nodes": ["model.p.again"]},
        },
        {
            "name": "churn",
            "type": "ml",
            "depends_on": {"nodes": ["model.p.revenue"]},
            "owner": {"name": "Ada"},
        },
    ],
)


def test_folders_make_the_layers_and_exposures_the_consumers():
    content = verified(map_of(LAYERED), LAYERED).content
    assert {layer: sorted(part.tables) for layer, part in content.layers.items()} == {
        "staging": ["stg_customers", "stg_orders"],
        "marts": ["again", "revenue"],
    }
    assert content.layers["marts"].tables["revenue"].sources == (
        "staging.stg_customers",
        "staging.stg_orders",
    )
    assert content.dashboards["The Board"].sources == ("marts.again",)
    assert content.ml_models["churn"].owners == ("Ada",)


def test_a_table_takes_one_line_and_columns_are_not_documented_unless_asked_for():
    text = map_of(LAYERED).text
    assert "      revenue: {from: [staging.stg_customers, staging.stg_orders]}\n" in text
    assert "columns:" not in text


def test_a_column_that_keeps_its_name_has_no_value():
    documented = verified(map_of(LAYERED, columns=["marts.*"]), LAYERED)
    tables = documented.content.layers["marts"].tables
    assert tables["again"].columns["total"].sources is None
    assert tables["revenue"].columns["total"].sources == ("staging.stg_orders.amount",)
    assert not documented.content.layers["staging"].tables["stg_orders"].columns


def test_prefixes_make_the_layers_of_a_flat_project():
    nodes = [node("stg_a"), node("stg_b"), node("fct_a", ["model.p.stg_a"]), node("fct_b", ["model.p.stg_b"])]
    manifest = project(*nodes)
    made = map_of(manifest)
    assert list(verified(made, manifest).content.layers) == ["stg", "fct"]
    assert made.choices[0] == "layers by prefix: stg (2), fct (2)"


def test_the_rule_can_be_chosen():
    manifest = project(
        node("a", config={"tags": ["core"]}), node("b", ["model.p.a"], config={"tags": "mart"})
    )
    assert list(verified(map_of(manifest, rule="tag"), manifest).content.layers) == ["core", "mart"]
    with pytest.raises(InputError, match="no model has a folder to make layers of"):
        map_of(manifest, rule="folder")


def test_one_alias_in_two_schemas_of_a_layer_is_two_tables():
    nodes = [
        node("a", alias="orders", schema="one", folder="staging"),
        node("b", alias="orders", schema="two", folder="staging"),
        node("c", ["model.p.a"], folder="marts"),
        node("d", ["model.p.b"], folder="marts"),
    ]
    manifest = project(*nodes)
    content = verified(map_of(manifest), manifest).content
    assert sorted(content.layers["staging"].tables) == ["orders", "two_orders"]
    assert content.layers["marts"].tables["d"].sources == ("staging.two_orders",)


def test_names_with_dots_and_slashes_are_bound_one_by_one():
    manifest = project(node("a", alias="or.de/rs", folder="x"), node("b", ["model.p.a"], folder="y"))
    verified(map_of(manifest), manifest)


def test_what_a_real_project_does_and_lint_warns_of_is_a_note_and_is_said():
    nodes = [
        node("a", folder="staging"),
        node("b", ["model.p.a"], folder="marts"),
        node("c", ["model.p.a", "model.p.b"], folder="marts"),
        node("unread", ["model.p.c"], folder="staging"),
    ]
    made = map_of(project(*nodes))
    assert parse_map(made.text).content.policy[Code.READS_UPWARD] is Severity.NOTE
    assert any(line.startswith("policy: reads-upward is a note: ") for line in made.choices)


@pytest.mark.parametrize("seed", range(20))
def test_any_project_gives_a_map_that_it_agrees_with(seed):
    manifest = random_project(seed)
    verified(map_of(manifest), manifest)


def test_a_run_gives_a_map_that_it_agrees_with():
    events = run_events()
    made = first_map(seen_in_run(events), columns=["silver.*", "gold.*"])
    documented = parse_map(made.text)
    comparison = validate(read_evidence("event", events, documented), documented).comparison
    assert not comparison.findings, [str(f) for f in comparison.findings]
    assert list(documented.content.layers) == ["bronze", "silver", "gold"]
    assert all(verdict.verdict is Verdict.VERIFIED for verdict in comparison.edges)
    assert "*/warehouse.duckdb" in made.text, "another machine has another folder"


def test_a_manifest_and_a_run_together_are_one_map():
    manifest = project(
        node("orders", ["source.p.o"], schema="silver", folder="marts"),
        sources=[source("o", of="bronze")],
    )
    other = seen_in_manifest(manifest, columns=False)
    both = together(other, seen_in_run(run_events()))
    assert {"db.silver.orders", "warehouse.gold.customer_behavior"} <= set(both.datasets)
    assert not [f for f in lint(parse_map(first_map(both).text)).findings if f.severity is Severity.ERROR]


def test_without_lineage_there_is_no_map():
    with pytest.raises(InputError, match="no lineage to document"):
        map_of(project(node("a")))
