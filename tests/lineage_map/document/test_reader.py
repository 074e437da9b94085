"""A document that somebody else wrote: other layers, other arrows, other systems."""

from pathlib import Path

import pytest

from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.graph import ColumnRef, impact, trace
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.lineage_map.document.reader import import_markdown
from airflow_lineage_provider.lineage_map.dump import dump_map
from airflow_lineage_provider.readers import read_map

DOCUMENT = Path(__file__).parent / "payments.md"


@pytest.fixture(scope="module")
def imported():
    return import_markdown(DOCUMENT.read_text(), "payments.md")


@pytest.fixture(scope="module")
def graph(imported):
    return read_map(parse_map(dump_map(imported.content))).graph


def test_what_has_no_place_is_listed_with_its_line(imported):
    assert [
        str(problem).removesuffix(" has no place in a map; left out") for problem in imported.unplaced
    ] == [
        "payments.md:8:1: 'Reviewed By'",
        "payments.md:15:1: the text 'and a list'",
        "payments.md:34:1: 'Contact'",
        "payments.md:77:1: the setting 'partition_by' of fct_payments",
        "payments.md:139:1: the section 'Security'",
    ]


def test_arrows_of_any_kind_are_edges(graph):
    assert set(graph.edges) >= {
        ("billing.billing.invoices", "raw.invoices"),
        ("billing.billing.payments", "raw.payments"),
        ("clickstream.clicks-prod", "gs.clicks"),
        ("gs.clicks", "raw.clicks"),
        ("second.refunds-prod", "raw.refunds"),
        ("raw.clicks", "core.fct_clicks"),
        ("marts.revenue_daily", "Finance Weekly"),
    }


def test_a_model_that_is_printed_says_how_its_columns_are_made(imported):
    table = imported.content.layers["core"].tables["fct_payments"]
    assert (table.materialized, table.unique_key) == ("incremental", ("payment_id", "day"))
    assert table.columns["customer_id"].sources == ("raw.invoices.customer_id",)
    assert table.columns["day"].expression == "DATE(p.paid_at)"


def test_a_chain_reaches_from_the_source_to_the_dashboard(graph):
    source, shown = ColumnRef("billing.billing.payments", "cents"), ColumnRef("Revenue Board", "Revenue")
    assert shown in impact(graph, [source]).nodes
    assert source in trace(graph, [shown]).nodes


def test_the_slips_of_the_document(imported):
    findings = lint(parse_map(dump_map(imported.content))).findings
    assert [f.message for f in findings] == ["nothing reads core.fct_clicks", "nothing reads raw.refunds"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# T\n\nSome words.\n", 1),
        ("# T\n\n## Data Flow\n\n### Raw\n\n**Lineage:**\n- `a` and `b`\n", 7),
        ("# T\n\n## Approvals\n\n- somebody\n", 3),
        ("# T\n\n## Poetry\n", 3),
    ],
)
def test_nothing_is_lost_silently(text, line):
    assert [problem.line for problem in import_markdown(text).unplaced] == [line]
