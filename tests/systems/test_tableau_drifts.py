# ruff: noqa: E501 - a case is a row
"""Drifts of Tableau from its map: each is found, alone, and the message says where both sides stand."""

import pytest
from tableau import daily
from tableau_case import MAP, answer_of, validated
from tableau_site import calculated, column_field, node, ref, site, table

from airflow_lineage_provider.graph import Verdict

BOARD, REPORT = "Customer Analytics Dashboard", "Executive KPI Report"
SQL = "select customer_id, email_normalized, event_date, event_type, total_orders, {} as total_revenue from gold.customer_behavior"
FORMULA = MAP.replace(
    "Total Revenue: total_revenue", "Total Revenue: {from: total_revenue, expression: 'SUM([total_revenue])'}"
)


def test_the_site_as_documented_agrees():
    comparison = validated(answer_of(site())).comparison
    assert [str(one) for one in comparison.findings] == []
    assert {(str(e.edge), e.verdict) for e in comparison.edges} == {
        (f"gold.customer_behavior -> {BOARD}", Verdict.VERIFIED),
        (f"{BOARD} -> {REPORT}", Verdict.VERIFIED),
    }
    assert comparison.column_edges[Verdict.VERIFIED] == 5


def rename_field(nodes):
    for key in ("p-Total Revenue", "e1-Total Revenue", "e2-Total Revenue"):
        node(nodes, key)["name"] = "Revenue"


def repoint_data_source(nodes):
    nodes["databaseTables"].append(table("CUSTOMER_BEHAVIOR_V2"))
    for field in node(nodes, "pub")["fields"]:
        field["upstreamColumns"][0]["table"] = ref("table-CUSTOMER_BEHAVIOR_V2")


def own_source(nodes, key, board_sheets, schema="STAGING"):
    """Give a workbook an embedded data source on a table of its own."""
    nodes["databaseTables"].append(table("KPIS", schema))
    fields = [
        column_field(f"own-{n}", n, n.upper(), "table-KPIS", datasource=ref(key))
        for n in ("Total Revenue", "total_orders")
    ]
    node(nodes, key).update(fields=fields, parentPublishedDatasources=[])
    for one in board_sheets:
        node(nodes, one)["datasourceFields"] = [ref(field["id"]) for field in fields]


def move_report(nodes):
    own_source(nodes, "emb2", ["s3"])


def move_report_to_a_documented_table(nodes):
    nodes["databaseTables"].append(table("CUSTOMER_BEHAVIOR", id="table-again"))
    move_report(nodes)
    for field in node(nodes, "emb2")["fields"]:
        field["upstreamColumns"][0]["table"] = ref("table-again")


def refresh_late(nodes):
    for key in ("extractLastRefreshTime", "extractLastUpdateTime"):
        node(nodes, "pub")[key] = "2026-01-30T06:04:00Z"


def by_custom_sql(nodes, column="total_revenue"):
    """Put custom SQL between the table and the published data source."""
    nodes["customSQLTables"].append(
        {
            "__typename": "CustomSQLTable",
            "id": "sql",
            "name": "Custom SQL Query",
            "query": SQL.format(column) + " where event_date >> <Parameters.Start>",
            "connectionType": "snowflake",
            "database": node(nodes, "db"),
            "columns": [],
            "tables": [ref("table-CUSTOMER_BEHAVIOR")],
        }
    )
    for field in node(nodes, "pub")["fields"]:
        field["upstreamColumns"][0]["table"] = ref("sql")


def other_column_in_custom_sql(nodes):
    by_custom_sql(nodes, "total_orders")


def other_column(nodes):
    node(nodes, "p-Total Revenue")["upstreamColumns"][0]["name"] = "EVENT_TYPE"


def calculate(nodes, formula="SUM([total_revenue])", field="p-base"):
    """Make Total Revenue a calculated field of the published data source."""
    fields = node(nodes, "pub")["fields"]
    at = next(number for number, one in enumerate(fields) if one["id"] == "p-Total Revenue")
    fields[at] = calculated("p-Total Revenue", "Total Revenue", formula, [field], "pub")
    fields.append(column_field("p-base", "total_revenue", "TOTAL_REVENUE", "table-CUSTOMER_BEHAVIOR"))


def other_formula(nodes):
    calculate(nodes, "AVG([total_revenue])")


def other_field_in_formula(nodes):
    calculate(nodes, "SUM([total_revenue])", "p-total_orders")


def drop_field(nodes):
    for key in ("s1", "s2"):
        shown = node(nodes, key)["datasourceFields"]
        shown[:] = [one for one in shown if one["ref"] != "e1-event_date"]


def use_field(nodes):
    node(nodes, "s1")["datasourceFields"].append(ref("e1-event_type"))


def remove(nodes, key):
    for kind in nodes:
        nodes[kind] = [one for one in nodes[kind] if one["id"] != key]


def remove_report(nodes):
    remove(nodes, "d2")
    remove(nodes, "s3")


def remove_board(nodes):
    for key in ("d1", "s1", "s2"):
        remove(nodes, key)


def rename_board(nodes):
    node(nodes, "d1")["name"] = "Customer Dashboard"


def move_page(nodes):
    node(nodes, "d1")["path"] = "Archive/d1"


def new_board(nodes):
    nodes["dashboards"].append({**node(nodes, "d2"), "id": "d3", "luid": "luid-d3", "name": "Churn"})


NEW = "tableau://bi.example.com/sales/Analytics/Customer Analytics/Customer Dashboard"
CHURN = "tableau://bi.example.com/sales/Analytics/Executive/Churn"
DRIFTS = [
    (rename_field, MAP, f"column-missing: {BOARD}.Total Revenue is documented, and {BOARD} has no such column; it has Revenue instead"),
    (repoint_data_source, MAP, f"edge-missing: {BOARD} is documented to read gold.customer_behavior, and reads gold.customer_behavior_v2"),
    (move_report, MAP, f"edge-missing: {REPORT} is documented to read {BOARD}, and reads snowflake://acme-prod/ANALYTICS.STAGING.KPIS"),
    (move_report_to_a_documented_table, MAP, f"edge-missing: {REPORT} is documented to read {BOARD}, and reads gold.customer_behavior"),
    (refresh_late, MAP, f"refresh-late: {BOARD} was last refreshed at 2026-01-30 06:04 UTC, and 'Daily at 6 AM UTC' is documented: there was no refresh since 2026-01-31 06:00 UTC"),
    (other_column_in_custom_sql, MAP, f"column-edge-missing: {BOARD}.Total Revenue is documented as made from gold.customer_behavior.total_revenue, and is made from gold.customer_behavior.total_orders"),
    (other_column, MAP, f"column-edge-missing: {BOARD}.Total Revenue is documented as made from gold.customer_behavior.total_revenue, and is made from gold.customer_behavior.event_type"),
    (other_formula, FORMULA, f"expression-changed: {BOARD}.Total Revenue is documented as SUM([total_revenue]) and is AVG([total_revenue])"),
    (other_field_in_formula, FORMULA, f"column-edge-missing: {BOARD}.Total Revenue is documented as made from gold.customer_behavior.total_revenue, and is made from gold.customer_behavior.total_orders"),
    (drop_field, MAP, f"column-missing: {BOARD}.event_date is documented, and {BOARD} has no such column"),
    (use_field, MAP, f"column-unexpected: {BOARD}.event_type is not documented; {BOARD} has this column"),
    (remove_report, MAP, f"dataset-missing: {REPORT} is documented and was not produced"),
    (remove_board, MAP, f"dataset-missing: {BOARD} is documented and was not produced"),
    (rename_board, MAP, f"dataset-missing: {BOARD} is documented and was not produced; perhaps it was renamed to {NEW}"),
    (move_page, MAP, f"property-changed: {BOARD}: url is documented as https://bi.example.com/#/site/sales/views/Book/d1 and is https://bi.example.com/#/site/sales/views/Archive/d1"),
    (new_board, MAP, f"dataset-unexpected: {CHURN} is not documented: it is made from gold.customer_behavior"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "text", "said"), DRIFTS, ids=[change.__name__ for change, _, _ in DRIFTS])
def test_a_drift_is_found_alone(change, text, said):
    nodes = site()
    change(nodes)
    (finding,) = validated(answer_of(nodes), text).comparison.findings
    assert f"{finding.code}: {finding.message}" == said
    unmapped = change is new_board
    assert unmapped or finding.documented[0].file == "map.yaml"
    assert finding.observed or finding.code == "dataset-missing"


@pytest.mark.parametrize(
    ("tasks", "now"),
    [(daily("luid-pub", start="09:00:00"), "daily 09:00 UTC"), (daily("luid-other"), "not scheduled"), (daily("luid-pub", hours=12), "every 12 hours"),
     (daily("luid-pub", frequency="Weekly"), "weekly")],
)  # fmt: skip
def test_another_schedule_is_found_alone(tasks, now):
    (finding,) = validated(answer_of(site(), tasks)).comparison.findings
    assert str(finding.message) == f"{BOARD}: refresh is documented as daily 06:00 UTC and is {now}"


def test_a_calculated_field_and_custom_sql_that_are_as_documented_agree():
    for change, text in ((calculate, FORMULA), (by_custom_sql, MAP)):
        nodes = site()
        change(nodes)
        assert [str(one) for one in validated(answer_of(nodes), text).comparison.findings] == []


def test_a_dashboard_of_other_tables_is_no_finding():
    nodes = site()
    own_source(nodes, "emb2", ["s3"])
    nodes["dashboards"].append({**node(nodes, "d2"), "id": "d3", "luid": "luid-d3", "name": "Stock"})
    other = [one for one in validated(answer_of(nodes)).comparison.findings if "Stock" in str(one)]
    assert other == []
