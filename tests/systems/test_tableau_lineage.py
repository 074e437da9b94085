# ruff: noqa: E501 - a case is a row
"""What the parts of a Tableau answer mean: sheets, embedded extracts, equal names, parts of the wrong type."""

import copy
import json

import pytest
from tableau import daily
from tableau_case import NOW, answer_of, validated
from tableau_site import FIELDS, calculated, column_field, node, ref, remote_field, sheet, site

from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.graph import Verdict
from airflow_lineage_provider.systems.answers import observe_answer

SITE = "tableau://bi.example.com/sales"
TABLE = DatasetName("snowflake://acme-prod", "ANALYTICS.GOLD.CUSTOMER_BEHAVIOR")


def jobs(nodes, tasks=None):
    observed = observe_answer(answer_of(nodes, tasks), NOW)
    return {one.movement.job_name: one.movement for one in observed.observations}


def test_a_sheet_on_no_dashboard_is_a_consumer_and_a_hidden_one_is_not():
    nodes = site()
    fields = ["e1-customer_id"]
    nodes["sheets"] += [
        sheet("s4", "Alone", "w1", fields, luid="luid-s4", path="Book/sheets/Alone"),
        sheet("s5", "Hidden", "w1", fields),
    ]
    found = jobs(nodes)
    (alone,) = found["Analytics/Customer Analytics/Alone"].outputs
    assert alone.kind == "DASHBOARD"
    assert alone.url == "https://bi.example.com/#/site/sales/views/Book/Alone"
    assert not any(name.endswith("/Hidden") for name in found)


def test_an_embedded_data_source_is_a_dataset_between_its_tables_and_its_dashboards():
    nodes = site()
    fields = [
        column_field(
            "o1", "total_revenue", "TOTAL_REVENUE", "table-CUSTOMER_BEHAVIOR", datasource=ref("emb1")
        ),
        calculated("o2", "Revenue", "SUM([total_revenue])", ["o1"], "emb1"),
        calculated("o3", "Share", "[Revenue] / TOTAL([Revenue])", ["o2"], "emb1"),
        calculated("o4", "Today", "TODAY()", [], "emb1"),
    ]
    node(nodes, "emb1").update(fields=fields, parentPublishedDatasources=[])
    node(nodes, "s1")["datasourceFields"] = [ref(field["id"]) for field in fields]
    node(nodes, "s2")["datasourceFields"] = []
    found = jobs(nodes)
    source = found["Analytics/Customer Analytics#Customer Behavior"]
    assert [one.name for one in source.inputs] == [TABLE]
    made = {
        name: [(s.column, s.subtype, s.expression) for s in sources]
        for name, sources in source.columns.items()
    }
    assert made == {
        "total_revenue": [("TOTAL_REVENUE", "IDENTITY", "")],
        "Revenue": [("TOTAL_REVENUE", "AGGREGATION", "SUM([total_revenue])")],
        "Share": [("TOTAL_REVENUE", "AGGREGATION", "[Revenue] / TOTAL([Revenue])")],
        "Today": [],
    }
    board = found["Analytics/Customer Analytics/Customer Analytics Dashboard"]
    assert [one.name.name for one in board.inputs] == ["Analytics/Customer Analytics#Customer Behavior"]
    assert [(s.column, s.subtype) for s in board.columns["Share"]] == [("Share", "IDENTITY")]


def test_a_dashboard_on_the_embedded_data_source_of_another_stands_on_that():
    nodes = site()
    fields = [
        column_field(f"o-{name}", name, column.upper(), "table-CUSTOMER_BEHAVIOR", datasource=ref("emb1"))
        for name, column in FIELDS.items()
    ]
    node(nodes, "emb1").update(fields=fields, parentPublishedDatasources=[])
    for one in ("s1", "s2"):
        node(nodes, one)["datasourceFields"] = [
            ref(f["ref"].replace("e1-", "o-")) for f in node(nodes, one)["datasourceFields"]
        ]
    node(nodes, "s3")["datasourceFields"] = [ref("o-Total Revenue")]
    node(nodes, "d2")["workbook"] = node(nodes, "s3")["workbook"] = ref("w1")
    comparison = validated(answer_of(nodes, "")).comparison
    assert {str(one.edge): one.verdict for one in comparison.edges} == {
        "gold.customer_behavior -> Customer Analytics Dashboard": Verdict.VERIFIED,
        "Customer Analytics Dashboard -> Executive KPI Report": Verdict.VERIFIED,
    }
    assert [str(one) for one in comparison.findings] == []


def test_a_field_that_a_sheet_calculates_is_one_of_the_dashboard():
    nodes = site()
    share = calculated(
        "ws-1",
        "Share",
        "SUM([Total Revenue]) / SUM([total_orders])",
        ["e1-Total Revenue", "e1-total_orders"],
        "emb1",
    )
    node(nodes, "s2")["worksheetFields"] = [share]
    board = jobs(nodes)["Analytics/Customer Analytics/Customer Analytics Dashboard"]
    assert [(s.column, s.subtype) for s in board.columns["Share"]] == [
        ("Total Revenue", "AGGREGATION"),
        ("total_orders", "AGGREGATION"),
    ]


def test_a_virtual_connection_is_read_through_to_the_table_behind_it():
    nodes = site()
    virtual = {"__typename": "VirtualConnectionTable", "id": "vc-1", "name": "customer_behavior"}
    column = node(nodes, "p-total_orders")["upstreamColumns"][0]
    behind = {**column, "id": "behind"}
    column.update(name="Orders", table=virtual, remoteColumn=behind)
    made = jobs(nodes)["Analytics/Customer Behavior"].columns["total_orders"]
    assert [(one.dataset, one.column) for one in made] == [(TABLE, "TOTAL_ORDERS")]


def test_a_bin_is_a_transformation():
    nodes = site()
    node(nodes, "pub")["fields"].append(
        {**calculated("p-bin", "bin", "", ["p-total_orders"], "pub"), "__typename": "BinField"}
    )
    made = jobs(nodes)["Analytics/Customer Behavior"].columns["bin"]
    assert [(s.column, s.subtype) for s in made] == [("TOTAL_ORDERS", "TRANSFORMATION")]


def test_a_formula_is_no_aggregation_because_a_comment_or_a_name_says_so():
    nodes = site()
    formula = "// SUM(x)\n[COUNT(y)] + 'AVG(z)'"
    node(nodes, "pub")["fields"].append(calculated("p-x", "x", formula, ["p-total_orders"], "pub"))
    made = jobs(nodes)["Analytics/Customer Behavior"].columns["x"]
    assert [source.subtype for source in made] == ["TRANSFORMATION"]


def test_fields_that_read_each_other_end():
    nodes = site()
    fields = node(nodes, "pub")["fields"]
    fields += [calculated("p-a", "a", "[b]", ["p-b"], "pub"), calculated("p-b", "b", "[a]", ["p-a"], "pub")]
    assert jobs(nodes)["Analytics/Customer Behavior"].columns["a"] == ()


def test_a_field_that_its_published_data_source_lacks_is_not_known():
    nodes = site()
    node(nodes, "emb1")["fields"].append(remote_field("e1-gone", "gone", "p-gone", "emb1"))
    node(nodes, "s1")["datasourceFields"].append(ref("e1-gone"))
    board = jobs(nodes)["Analytics/Customer Analytics/Customer Analytics Dashboard"]
    assert "gone" not in board.columns
    assert any("'gone'" in problem for problem in board.problems)


def test_an_embedded_extract_has_the_schedule_of_its_workbook():
    nodes = site()
    extract = {"hasExtracts": True, "extractLastUpdateTime": "2026-01-31T06:10:00Z"}
    node(nodes, "emb1").update(extract, parentPublishedDatasources=[])
    node(nodes, "pub").update(hasExtracts=False)
    board = jobs(nodes, daily("luid-w1", "workbook"))[
        "Analytics/Customer Analytics/Customer Analytics Dashboard"
    ]
    assert ("refresh", "daily 06:00 UTC") in board.outputs[0].properties
    assert board.tags["last_refresh"] == "2026-01-31T06:10:00Z"


def test_the_oldest_extract_of_a_dashboard_counts():
    nodes = site()
    node(nodes, "emb1").update(hasExtracts=True, extractLastUpdateTime="2026-01-29T06:10:00Z")
    (finding,) = validated(answer_of(nodes)).comparison.findings
    assert finding.code == "refresh-late"
    assert "last refreshed at 2026-01-29 06:10 UTC" in finding.message


def test_two_dashboards_of_one_name_are_two_datasets():
    nodes = site()
    nodes["dashboards"].append({**node(nodes, "d2"), "id": "d3", "luid": "luid-d3"})
    names = [name for name in jobs(nodes) if "Executive KPI Report" in name]
    assert names == [
        "Analytics/Executive/Executive KPI Report",
        "Analytics/Executive/Executive KPI Report (luid-d3)",
    ]


def paths(value, path=()):
    """Yield the path of every part of an answer."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from paths(one, (*path, key))


@pytest.fixture(scope="module")
def answer():
    nodes = site()
    nodes["customSQLTables"].append({"__typename": "CustomSQLTable", "id": "sql", "name": "q", "query": "select 1 as a", "tables": [ref("table-CUSTOMER_BEHAVIOR")]})  # fmt: skip
    return answer_of(nodes)


@pytest.mark.parametrize("wrong", [None, 5, "x", [], {}, [None], [{"id": 3}]], ids=json.dumps)
def test_a_part_of_the_wrong_type_is_no_crash(answer, wrong):
    for path in paths(answer.answer):
        changed = copy.deepcopy(answer.answer) if path else wrong
        place = changed
        for key in path[:-1]:
            place = place[key]
        if path:
            place[path[-1]] = wrong
        observe_answer(type(answer)("tableau", NOW, answer.host, changed, "a.json"), NOW)
