"""A rendered map is read back unchanged; the reference document is read whole."""

import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.graph import Code, ColumnRef, Severity, consumers, impact
from airflow_lineage_provider.lineage_map import Map, load_map, parse_map
from airflow_lineage_provider.lineage_map.document.reader import import_markdown
from airflow_lineage_provider.lineage_map.document.writer import render_markdown
from airflow_lineage_provider.lineage_map.dump import dump_map
from airflow_lineage_provider.readers import read_map
from airflow_lineage_provider.reports.impact import impact_text

ROOT = Path(__file__).parents[3]
PIPELINE = load_map(ROOT / "dags" / "customer_analytics_pipeline.yaml").content
REFERENCE = Path(__file__).parent / "data-lineage-maps.md"

odd = st.sampled_from(
    [
        *(
            " - ",
            "`",
            "|",
            "→",
            "->",
            "<-",
            "↓",
            "&amp;",
            "#",
            "**x:** y",
            "(",
            ")",
            "\n",
            ": ",
            "none",
            "- ",
        ),
        *("[", "]", "1. ", "> ", "~~~", "===", "---", "<b>", "Source: ", "a.b", "\\", "{{ x }}", "select 1"),
    ]
)
text = st.lists(
    st.one_of(st.text(string.ascii_letters + "._ ä*&<", min_size=1, max_size=8), odd), min_size=1, max_size=4
).map("".join)
words = st.one_of(st.just(""), text)
name = text
names = st.lists(text, max_size=2).map(tuple)
columns = st.dictionaries(
    text,
    st.fixed_dictionaries(
        {
            "type": words,
            "from": st.none() | names,
            "expression": words,
            "subtype": words,
            "aggregation": words,
            "window": words,
            "checks": names,
        }
    ),
    max_size=3,
)


def part(**fields):
    return st.fixed_dictionaries(fields)


maps = part(
    document=part(title=text, version=words, owner=words, scope=words, overview=words),
    scope=names,
    pipeline=part(dag_id=words, tasks=st.dictionaries(text, names, max_size=2)),
    sources=st.dictionaries(
        name,
        part(
            title=words,
            type=text,
            location=words,
            owners=names,
            extraction=part(method=words, sla=words),
            datasets=st.dictionaries(
                text, part(to=names, format=words, columns=columns, description=words), max_size=2
            ),
        ),
        max_size=2,
    ),
    layers=st.dictionaries(
        name,
        part(
            title=words,
            retention=words,
            checks=names,
            tables=st.dictionaries(
                name,
                part(**{"from": names}, columns=columns, cluster_by=names, description=words, job=words),
                max_size=2,
            ),
        ),
        max_size=2,
    ),
    column_lineage=st.lists(
        part(
            title=words,
            steps=st.lists(part(column=text, by=words, expression=words, subtype=words), max_size=3),
            logic=names,
        ),
        max_size=2,
    ),
    dashboards=st.dictionaries(
        text, part(tool=words, connection=words, owners=names, fields=columns, **{"from": names}), max_size=2
    ),
    feature_views=st.dictionaries(
        text, part(store=words, entity=names, features=columns, **{"from": names}), max_size=2
    ),
    ml_models=st.dictionaries(
        text, part(platform=words, version=words, approval=words, **{"from": names}), max_size=2
    ),
    environments=st.dictionaries(
        text,
        part(
            description=words,
            produces=names,
            bindings=st.lists(
                part(dataset=text, namespace=text, name=text, ignore_case=st.booleans()), max_size=2
            ),
        ),
        max_size=2,
    ),
    policy=st.dictionaries(st.sampled_from(list(Code)), st.sampled_from(list(Severity)), max_size=2),
    accepted=st.lists(
        part(finding=st.sampled_from(list(Code)), subject=text, reason=text, until=st.dates()), max_size=2
    ),
    catalog=part(
        url=words,
        registered=names,
        ingestion=st.dictionaries(text, st.dictionaries(text, text, max_size=2), max_size=2),
    ),
    scenarios=st.lists(part(change=text, description=words, reaches=names), max_size=2),
    validation=part(automated=names, manual=names),
    change_history=st.lists(part(version=text, date=words, changes=words), max_size=2),
    approvals=st.lists(part(role=text, name=words, date=words), max_size=2),
).map(Map.model_validate)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(maps)
@example(
    Map.model_validate({"document": {"title": "T"}, "approvals": [{"role": "_", "name": "_", "date": ""}]})
)
def test_render_then_import_is_the_identity(content):
    imported = import_markdown(render_markdown(content))
    assert imported.content == content
    assert imported.unplaced == ()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(maps)
def test_dump_then_parse_is_the_identity(content):
    assert parse_map(dump_map(content)).content == content


def test_the_map_of_this_repository_is_read_back_unchanged():
    assert import_markdown(render_markdown(PIPELINE)).content == PIPELINE


@pytest.fixture(scope="module")
def reference():
    return import_markdown(REFERENCE.read_text(), "data-lineage-maps.md")


def test_what_the_reference_document_says_beyond_lineage_is_listed(reference):
    assert [problem.line for problem in reference.unplaced] == [2, 205, 282, 323]
    assert [problem.message.partition(" has no place")[0] for problem in reference.unplaced[1:]] == [
        "the section 'OpenLineage Events'",
        "the fenced block '# datahub-ingestion-config.yml'",
        "'TOTAL IMPACT: 4 downstream consumers'",
    ]


def test_lint_finds_the_two_mistakes_of_the_reference_document(reference):
    findings = lint(parse_map(dump_map(reference.content))).findings
    assert [(f.code, f.subject) for f in findings] == [
        (Code.NOT_LISTED, "bronze.raw_products"),
        (Code.SKIPS_TABLE, "silver.stg_orders -> gold.customer_behavior"),
        (Code.NO_ENVIRONMENTS, "environments"),
    ]


def test_the_impact_on_the_reference_document_is_the_documented_one(reference):
    graph = read_map(parse_map(dump_map(reference.content))).graph
    found = impact(graph, [ColumnRef("bronze.raw_orders", "amount")])
    assert impact_text(graph, found).splitlines()[-1] == "TOTAL IMPACT: 4 downstream consumers"
    assert [str(ref) for ref in found.nodes][1:4] == [
        "silver.stg_orders.order_amount",
        "gold.customer_orders_summary.total_revenue",
        "gold.customer_behavior.total_revenue",
    ]
    assert {dataset.name for dataset in consumers(graph, found)} == {
        "Customer Analytics Dashboard",
        "Executive KPI Report",
        "customer_engagement_features",
        "churn_prediction_model",
    }


def test_rendering_the_imported_document_and_importing_it_again_changes_nothing(reference):
    assert import_markdown(render_markdown(reference.content)).content == reference.content
