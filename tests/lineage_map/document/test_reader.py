"""Documents that people wrote, each with other headings, arrows, tables, diagrams and systems."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.graph import ColumnRef, Severity, Verdict, compare, impact, trace
from airflow_lineage_provider.lineage_map import MapError, parse_map
from airflow_lineage_provider.lineage_map.document.reader import MAX_CHARACTERS, import_markdown
from airflow_lineage_provider.lineage_map.dump import dump_map
from airflow_lineage_provider.readers import read_map

FOLDER = Path(__file__).parent
UNPLACED = {
    "payments.md": [
        "13:1: 'Reviewed By'",
        "20:1: the text 'and a list'",
        "78:1: the setting 'partition_by' of fct_payments",
        "139:1: the section 'Security'",
    ],
    "shipping.md": ["51:1: the section '7. On-call rota'"],
    "trading.md": [],
    "clinic.md": [
        "46:1: the column 'Reviewed by' of a table",
        "87:1: 'Parking machine'",
    ],
    "freight.md": [],
    "subscriptions.md": [
        "3:1: the text '*Maintained by the growth team.*'",
        "35:1: the text 'The tables here are views.'",
    ],
}
EDGES = {
    "clinic.md": {
        ("pas.dbo.Appointment", "stage.appointment"),
        ("pas.dbo.Clinic", "stage.clinic"),
        ("laboratory.lab.results.v1", "stage.lab_result"),
        ("stage.appointment", "model.visit"),
        ("stage.clinic", "model.visit"),
        ("stage.lab_result", "model.result"),
        ("model.visit", "pub.waiting_time"),
        ("pub.waiting_time", "Board pack"),
        ("model.visit", "No-show model"),
        ("model.result", "No-show model"),
    },
    "freight.md": {
        ("tms.public.shipment", "land.shipment"),
        ("tms.public.carrier", "land.carrier"),
        ("fuel.fuel.csv", "land.fuel"),
        ("land.shipment", "mart.leg"),
        ("land.carrier", "mart.leg"),
        ("mart.leg", "mart.margin"),
        ("land.fuel", "mart.margin"),
        ("land.shipment", "mart.margin"),  # of the column mapping alone
        ("mart.margin", "Margin cockpit"),
        ("mart.margin", "Weekly margin report"),
    },
    "payments.md": {
        ("billing.billing.invoices", "raw.invoices"),
        ("billing.billing.payments", "raw.payments"),
        ("clickstream.clicks-prod", "gs.clicks"),
        ("gs.clicks", "raw.clicks"),
        ("second.refunds-prod", "raw.refunds"),
        ("raw.payments", "core.fct_payments"),
        ("raw.invoices", "core.fct_payments"),
        ("raw.clicks", "core.fct_clicks"),
        ("core.fct_payments", "marts.revenue_daily"),
        ("marts.revenue_daily", "Revenue Board"),
        ("marts.revenue_daily", "Churn Board"),
        ("marts.revenue_daily", "Finance Weekly"),
    },
    "trading.md": {
        ("endur.DEALS", "landing.deals"),
        ("endur.PRICES", "landing.prices"),
        ("weather.forecast", "landing.weather"),
        ("landing.deals", "core.positions"),
        ("landing.prices", "core.positions"),
        ("landing.weather", "core.load_forecast"),
        ("core.positions", "mart.daily_pnl"),
        ("mart.daily_pnl", "Daily P&L"),
    },
    "shipping.md": {
        ("oracle.wms.parcels", "landing.parcels"),
        ("oracle.wms.depots", "landing.depots"),
        ("scanner.scans", "landing.scans"),
        ("landing.parcels", "conformed.parcel"),
        ("landing.depots", "conformed.parcel"),
        ("landing.scans", "conformed.scan"),
        ("conformed.parcel", "reporting.depot_day"),
        ("conformed.scan", "reporting.depot_day"),
        ("reporting.depot_day", "Depot cockpit"),
        ("reporting.depot_day", "Carrier invoice check"),
    },
    "subscriptions.md": {
        ("stripe.charges", "raw.stripe_charges"),
        ("stripe.customers", "raw.stripe_customers"),
        ("product.app.events", "s3.app"),
        ("s3.app", "raw.app_events"),
        ("raw.stripe_charges", "staging.charges"),
        ("raw.stripe_customers", "staging.customers"),
        ("staging.charges", "marts.mrr"),
        ("staging.customers", "marts.mrr"),
        ("raw.app_events", "marts.mrr"),
        ("marts.mrr", "Board deck"),
        ("marts.mrr", "Pricing review"),
        ("marts.mrr", "Churn model"),
        ("raw.app_events", "Churn model"),
    },
}


def read(name):
    return import_markdown((FOLDER / name).read_text(), name)


def as_map(name):
    return parse_map(dump_map(read(name).content))


@pytest.mark.parametrize("name", UNPLACED)
def test_parts_without_a_place_are_listed_with_their_line(name):
    messages = [str(problem).removeprefix(f"{name}:") for problem in read(name).unplaced]
    assert [m.removesuffix(" has no place in a map; left out") for m in messages] == UNPLACED[name]


@pytest.mark.parametrize("name", EDGES)
def test_the_edges_of_a_document(name):
    assert set(read_map(as_map(name)).graph.edges) == EDGES[name]


def test_a_printed_model_says_how_its_columns_are_made():
    table = read("payments.md").content.layers["core"].tables["fct_payments"]
    assert (table.materialized, table.unique_key) == ("incremental", ("payment_id", "day"))
    assert table.columns["customer_id"].sources == ("raw.invoices.customer_id",)
    assert table.columns["day"].expression == "DATE(p.paid_at)"


def test_a_table_has_a_row_for_each_consumer():
    (report,) = read("trading.md").content.dashboards.values()
    assert (report.tool, report.sources, report.owners) == ("Qlik", ("mart.daily_pnl",), ("Risk",))


def test_an_arrow_from_a_column_makes_no_table():
    text = "# T\n\n## Layers\n\n### raw\n\n- a\n\n## Notes\n\n- raw.a.x -> Board\n- raw.a -> core.b\n"
    imported = import_markdown(text)
    assert [problem.line for problem in imported.unplaced] == [11]
    assert list(imported.content.layers["raw"].tables) == ["a"]


def test_a_create_statement_names_its_table():
    mrr = read("subscriptions.md").content.layers["marts"].tables["mrr"]
    assert mrr.columns["plan"].sources == ("staging.customers.plan",)
    assert mrr.columns["mrr"].sources == ("staging.charges.amount",)


def test_a_table_describes_columns():
    amount = read("subscriptions.md").content.layers["staging"].tables["charges"].columns["amount"]
    assert (amount.type, amount.sources) == ("DECIMAL(12,2)", ("raw.stripe_charges.amount_cents",))
    assert amount.expression == "amount_cents / 100"


def test_layers_without_headings_stand_before_their_readers():
    assert list(read("subscriptions.md").content.layers) == ["raw", "staging", "marts"]
    assert list(read("shipping.md").content.layers) == ["landing", "conformed", "reporting"]


def test_a_chain_reaches_from_the_source_to_the_dashboard():
    graph = read_map(as_map("payments.md")).graph
    source, shown = ColumnRef("billing.billing.payments", "cents"), ColumnRef("Revenue Board", "revenue")
    assert shown in impact(graph, [source]).nodes
    assert source in trace(graph, [shown]).nodes


def test_a_column_mapping_reaches_through_two_tables():
    graph = read_map(as_map("shipping.md")).graph
    found = impact(graph, [ColumnRef("landing.parcels", "weight_g")])
    assert ColumnRef("reporting.depot_day", "total_kg") in found.nodes
    (how,) = graph.column_edge(
        ColumnRef("landing.parcels", "weight_g"), ColumnRef("conformed.parcel", "weight_kg")
    ).transformations
    assert how.expression == "weight_g / 1000.0"


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("payments.md", ["nothing reads core.fct_clicks", "nothing reads raw.refunds"]),
        ("shipping.md", []),
        (
            "subscriptions.md",
            [
                "a change of raw.stripe_charges.amount_cents also reaches Pricing review",
                "raw.app_events -> Churn model skips marts.mrr, which the map has in between",
            ],
        ),
    ],
)
def test_lint_finds_the_mistakes_of_a_document(name, messages):
    findings = lint(as_map(name)).findings
    assert [found.message for found in findings if found.severity is not Severity.NOTE] == messages


@pytest.mark.parametrize("name", UNPLACED)
def test_an_imported_document_agrees_with_itself(name):
    graph = read_map(as_map(name)).graph
    assert {edge.verdict for edge in compare(graph, graph).edges} == {Verdict.VERIFIED}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# T\n\nSome words.\n", [3]),
        ("# T\n\n## Data Flow\n\n### Raw\n\n**Lineage:**\n- `a` and `b`\n", [8]),
        ("# T\n\n## Approvals\n\n- somebody\n", [5]),
        ("# T\n\n## Poetry\n", [3]),
        ("# T\n\n## Poetry\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n", [3]),
        ("# T\n\n## Layers\n\n### Raw\n\n- `x`\n\n```json\n{}\n```\n", [10]),
        ("# T\n\n## Sources\n\n### A\n\n**Rating:** 5\n", [7]),
        ("# T\n\n## Dashboards\n\n- a.b -> \n", [5]),
        ("# T\n\n# U\n", [3]),
        ("# T\n\n## Impact\n\n**Scenario:** we move\n", [5]),
    ],
)
def test_nothing_is_lost_silently(text, lines):
    assert [problem.line for problem in import_markdown(text).unplaced] == lines


def test_arrows_of_every_kind_are_edges():
    arrows = ["->", "-->", "=>", "==>", "→", "⟶", "⇒"]
    lines = [f"- raw.t{at} {arrow} core.t{at}" for at, arrow in enumerate(arrows)]
    lines.append("- core.back <- raw.back")
    graph = read_map(
        parse_map(dump_map(import_markdown("# T\n\n## Lineage\n\n" + "\n".join(lines)).content))
    ).graph
    assert set(graph.edges) == {
        *((f"raw.t{at}", f"core.t{at}") for at in range(len(arrows))),
        ("raw.back", "core.back"),
    }


def test_mermaid_edges_with_every_shape_of_node():
    diagram = """
    # T

    ```mermaid
    flowchart LR
      %% a comment
      A["raw.a"] --> B(core.b)
      C[(raw.c)] -.-> B
      B ==>|daily| D{{mart.d}}
      raw.e & A --> D
    ```
    """
    text = "\n".join(line.strip() for line in diagram.splitlines())
    graph = read_map(parse_map(dump_map(import_markdown(text).content))).graph
    assert set(graph.edges) == {
        ("raw.a", "core.b"),
        ("raw.c", "core.b"),
        ("core.b", "mart.d"),
        ("raw.e", "mart.d"),
        ("raw.a", "mart.d"),
    }


HOSTILE = [
    "# ",
    "#",
    " ",
    "`",
    "- ",
    "> ",
    "[",
    "(",
    "**",
    "| ",
    "{{ config(",
    "{% if ",
    "a -> ",
    "~~~\n",
    "\n",
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("before", ["", "# T\n\n## Layers\n\n### a\n\n- ", "# T\n\n```sql\nselect "])
def test_the_work_is_in_proportion_to_the_document(unit, before, count_steps):
    small, large = (count_steps(import_markdown, before + unit * number) for number in (2_000, 8_000))
    assert large < 6 * small + 20_000


def test_a_document_that_is_too_large_is_refused():
    with pytest.raises(MapError, match="larger than 1 MiB; split the document"):
        import_markdown("x" * (MAX_CHARACTERS + 1))


ACCEPTED = """\
| edge-missing | a | b | soon |
| nothing | a | b | soon |
| edge-missing | c | d | 2099-01-01 |
"""


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("## Scope\n\n**Covers:**\n- ``\n- a.*\n", ["scope.0: "]),
        ("## Sources\n\n### A\n\n**Topic:** ``\n", ["sources.a.datasets..[key]: "]),
        (
            "## Revisions\n\n| Version | Changes |\n|---|---|\n| | x |\n| 2 | y |\n",
            ["change_history.0.version: "],
        ),
        (
            "## Accepted Findings\n\n| Finding | Subject | Reason | Until |\n|---|---|---|---|\n" + ACCEPTED,
            ["accepted.0.until: ", "accepted.1.finding: ", "accepted.1.until: "],
        ),
    ],
)
def test_a_wrong_part_is_left_out_alone(text, listed):
    imported = import_markdown(f"# T\n\n{text}\n## Layers\n\n### raw\n\n- `t`\n")
    messages = [problem.message for problem in imported.unplaced]
    assert all(any(message.startswith(start) for message in messages) for start in listed), messages
    assert list(imported.content.layers["raw"].tables) == ["t"]
    assert [one.subject for one in imported.content.accepted] == ["c"] * ("2099" in text)
    assert [one.version for one in imported.content.change_history] == ["2"] * ("Revisions" in text)


FRAGMENTS = sorted({line for name in UNPLACED for line in (FOLDER / name).read_text().splitlines()})
PIECES = [
    "## ",
    "### Table: x",
    "**Name:** ``",
    "|---|---|",
    "| ` | ` |",
    "a ->",
    "-> ``",
    "```",
    "```sql",
    "A[",
    "{{ ref(",
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from([*FRAGMENTS, *PIECES]), max_size=25))
def test_any_order_of_familiar_lines_is_read(parts):
    assert import_markdown("\n".join(["# T", *parts])).content.document.title == "T"
