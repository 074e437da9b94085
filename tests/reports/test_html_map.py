"""The map as one HTML page: the document, and the drawing where its script was built."""

import base64
import hashlib
import html
import json
import re
from pathlib import Path

import pytest

from airflow_lineage_provider.lineage_map import load_map, parse_map
from airflow_lineage_provider.lineage_map.dump import dump_map
from airflow_lineage_provider.lineage_map.model import Map
from airflow_lineage_provider.reports import picture
from airflow_lineage_provider.reports.html_map import render_html

MAP = load_map(Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml")
SCRIPT = 'draw("</script><!--")'
ESCAPED = 'draw("<\\/script><\\!--")'
HOSTILE = '</script><script>alert("x")</script><!-- \u2028 & \u202e'


@pytest.fixture
def built(monkeypatch, tmp_path):
    monkeypatch.setattr(picture, "BUNDLE", tmp_path / "report.js")
    picture.BUNDLE.write_text(SCRIPT)


@pytest.fixture
def not_built(monkeypatch, tmp_path):
    monkeypatch.setattr(picture, "BUNDLE", tmp_path / "report.js")


def embedded(page):
    return json.loads(re.search(r'<script type="application/json" id="lineage-data">(.*?)</script>', page)[1])


def test_the_page_holds_the_document(not_built):
    page = render_html(MAP)
    assert "<h2>Column-Level Lineage</h2>" in page
    assert "CAST(amount AS DECIMAL(10,2))" in page
    assert "mermaid" not in page


def test_without_the_script_the_page_has_no_drawing(not_built):
    page = render_html(MAP)
    assert not any(word in page for word in ("<script", "<link", "@import", "<img", "src=", "<figure"))


@pytest.mark.usefixtures("built")
def test_the_drawing_has_the_tables_and_columns_of_the_map():
    page = render_html(MAP)
    data = embedded(page)
    assert {edge["state"] for edge in data["graph"]["edges"]} == {"documented"}
    assert [lane["id"] for lane in data["graph"]["lanes"]][:2] == ["source:crm", "source:kafka"]
    (detail,) = (one for one in data["details"] if one["dataset"]["id"] == "gold.customer_behavior")
    assert "total_revenue" in [column["name"] for column in detail["columns"]]
    assert any(
        edge["source"] == {"dataset": "bronze.raw_orders", "column": "amount"}
        for edge in data["column_edges"]
    )
    assert page.index("<figure") < page.index("Column-Level Lineage") < page.index("lineage-data")


@pytest.mark.usefixtures("built")
def test_the_policy_allows_the_one_script_and_no_request():
    page = render_html(MAP)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    digest = base64.b64encode(hashlib.sha256(ESCAPED.encode()).digest()).decode()
    assert f"<script>{ESCAPED}</script>" in page
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not any(word in page for word in ("<link", "@import", "src=", "style="))


@pytest.mark.usefixtures("built")
def test_a_name_cannot_leave_the_data():
    content = {"layers": {"l": {"tables": {HOSTILE: {"from": HOSTILE, "description": HOSTILE}}}}}
    page = render_html(
        parse_map(dump_map(Map.model_validate({"document": {"title": "t"}, **content})), "m.yaml")
    )
    assert page.count("<script") == page.count("</script>") == 2
    assert HOSTILE in [one["id"].removeprefix("l.") for one in embedded(page)["graph"]["datasets"]]


@pytest.mark.usefixtures("not_built")
def test_markup_in_a_map_stays_text():
    hostile = '<script>alert("x")</script>'
    content = Map.model_validate(
        {
            "document": {"title": hostile, "overview": hostile},
            "layers": {"l": {"tables": {hostile: {"from": hostile}}}},
        }
    )
    page = render_html(parse_map(dump_map(content), "map.yaml"))
    assert "<script" not in page
    assert html.escape(hostile) in page
