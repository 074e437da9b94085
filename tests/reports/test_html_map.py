"""The map as one HTML page."""

from pathlib import Path

from airflow_lineage_provider.lineage_map import Map, load_map
from airflow_lineage_provider.reports.html_map import render_html

MAP = load_map(Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml").content


def test_the_page_holds_the_document_and_its_drawing():
    page = render_html(MAP)
    assert "<h2>Column-Level Lineage</h2>" in page
    assert page.count("<rect") == 18
    assert "CAST(amount AS DECIMAL(10,2))" in page


def test_a_wide_drawing_scrolls_inside_its_frame():
    page = render_html(MAP)
    style = page.partition("figure {")[2].partition("}")[0]
    assert "overflow-x: auto" in style
    assert "max-width: calc(100vw - 2.5rem)" in style
    assert "<figure><svg" in page


def test_the_page_is_self_contained():
    page = render_html(MAP)
    assert not any(word in page for word in ("<script", "<link", "@import", "<img", "src="))


def test_markup_in_a_map_stays_text():
    hostile = '<script>alert("x")</script>'
    content = Map.model_validate(
        {
            "document": {"title": hostile, "overview": hostile},
            "layers": {"l": {"tables": {hostile: {"from": hostile}}}},
        }
    )
    assert "<script" not in render_html(content)
