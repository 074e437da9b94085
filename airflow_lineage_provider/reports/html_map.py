"""The document of a map as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.document.writer import dataset_edges, render_markdown
from airflow_lineage_provider.reports.drawing import draw
from airflow_lineage_provider.reports.escape import symbols
from airflow_lineage_provider.reports.page import page

if TYPE_CHECKING:
    from airflow_lineage_provider.lineage_map.model import Map


def render_html(content: Map) -> str:
    """Return the document of `render_markdown` as HTML, with its diagram as SVG."""
    from markdown_it import MarkdownIt

    text = render_markdown(content).partition("\n")[2]
    before, _, after = text.partition("```mermaid\n")
    rest = after.partition("\n```\n")[2]
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    drawn = draw(dataset_edges(content))
    figure = f"<figure>{drawn}</figure>" if drawn else ""
    body = symbols(f"{reader.render(before)}{figure}\n{reader.render(rest)}")
    return page(content.document.title, body)
