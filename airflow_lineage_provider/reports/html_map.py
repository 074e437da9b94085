"""The document of a map as one HTML page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.document.writer import render_markdown
from airflow_lineage_provider.reports.escape import symbols
from airflow_lineage_provider.reports.page import FIGURE, page
from airflow_lineage_provider.reports.picture import map_picture

if TYPE_CHECKING:
    from airflow_lineage_provider.lineage_map import LineageMap

_DIAGRAM = re.compile(r"```mermaid\n.*?\n```\n", re.DOTALL)


def render_html(lineage_map: LineageMap) -> str:
    """Return the document of `render_markdown` as HTML, with the graph in place of its diagram."""
    text = render_markdown(lineage_map.content).partition("\n")[2]
    picture = map_picture(lineage_map)
    return page(lineage_map.content.document.title, document_body(text, FIGURE if picture else ""), picture)


def document_body(text: str, figure: str) -> str:
    """Return a document's Markdown as HTML, with `figure` in place of its diagram."""
    from markdown_it import MarkdownIt

    found = _DIAGRAM.search(text)
    before, after = (text[: found.start()], text[found.end() :]) if found else (text, "")
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    return symbols(f"{reader.render(before)}{figure}\n{reader.render(after)}")
