"""What every section may hold, whatever it is about: arrows, diagrams, source-to-target tables, SQL."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.document import labels, tables
from airflow_lineage_provider.lineage_map.document.arrows import (
    Stop,
    calculates,
    fenced_lines,
    has_arrow,
    links,
    mermaid_edges,
    paths,
)
from airflow_lineage_provider.lineage_map.document.blocks import plain, take
from airflow_lineage_provider.lineage_map.document.draft import DrawnEdge, PrintedModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_lineage_provider.lineage_map.document.arrows import Path
    from airflow_lineage_provider.lineage_map.document.blocks import LabelledEntry, Section, TextLine
    from airflow_lineage_provider.lineage_map.document.draft import Draft, Part

_SQL = re.compile(r"^[ \t]*(?:select|with|create|insert|merge)\b", re.IGNORECASE | re.MULTILINE)
_PROSE = {"", "text", "txt"}
"""The languages of fenced blocks that draw; in code, an arrow is an operator."""
_PLAIN = re.compile(r"[\w.]+")


def read_flows(draft: Draft, section: Section, topic: str, near: str) -> None:
    """Take the lineage of a section. `near`: the layer, or the kind of consumer, that it is about."""
    for entry in section.entries:
        _take_tables(draft, entry, topic, near)
        _take_fences(draft, entry, near)
        if topic == "columns":
            for chain in take_chains(entry):
                draft.data.setdefault("column_lineage", []).append(chain)
        else:
            for path in take_paths(entry):
                add_path(draft, path, near)


def _take_tables(draft: Draft, entry: LabelledEntry, topic: str, near: str) -> None:
    for table in take(entry.tables, lambda table: bool(tables.lineage(table))):
        for number, source, target, how in tables.lineage(table):
            if topic == "columns" or tables.has_columns(table):
                draft.data.setdefault("column_lineage", []).append(_chain_of(source, target, how))
            else:
                draft.edges.append(DrawnEdge(number, source, target, near))


def _chain_of(source: Stop, target: Stop, how: str) -> Part:
    steps = [_step(name, "", exact=False) for stop in (source, target) for name in stop.names[:1]]
    steps[1] |= {("expression" if calculates(how) else "by"): how}
    return {"title": target.names[0], "steps": steps}


def _take_fences(draft: Draft, entry: LabelledEntry, near: str) -> None:
    for fence in take(
        entry.fences, lambda fence: fence.language == "mermaid" or bool(_SQL.search(fence.text))
    ):
        if fence.language == "mermaid":
            edges = () if fence.text.startswith(labels.DRAWN) else mermaid_edges(fence)
            for number, source, target in edges:
                ends = (Stop([source]), Stop([target]))
                draft.edges.append(DrawnEdge(number, *ends))
        else:
            layer = near if near in draft.data.get("layers", ()) else ""
            draft.models.append(PrintedModel(fence.number, fence.text, layer))


def take_paths(entry: LabelledEntry) -> Iterator[Path]:
    """Take what is drawn with arrows: in fenced blocks, list items and lines of text."""
    for fence in take(entry.fences, lambda fence: fence.language in _PROSE and has_arrow(fence.text)):
        yield from paths(fenced_lines(fence))
    for lines in (entry.items, entry.text):
        yield from paths(take(lines, lambda line: has_arrow(line.text)))


def add_path(draft: Draft, path: Path, near: str) -> None:
    """Make each stop of a path from the one before it."""
    if len(path.stops) == 1:
        draft.not_placed(path.number, f"the lineage {', '.join(path.stops[0].names)!r:.60}")
    for source, target in pairwise(path.stops):
        draft.edges.append(DrawnEdge(path.number, source, target, near))


def take_chains(entry: LabelledEntry) -> list[Part]:
    """Take the chains of columns that an entry draws; each list item is a chain of its own."""
    chains: list[Part] = []
    for fence in take(entry.fences, lambda fence: fence.language in _PROSE):
        chains += _chains(fenced_lines(fence))
    for lines in (entry.items, entry.text):
        for line in take(lines, lambda line: has_arrow(line.text)):
            chains += _chains([line])
    return chains


def _chains(lines: Iterable[TextLine]) -> Iterator[Part]:
    steps: list[Part] = []
    for link in links(lines):
        if steps and not link.joined:
            yield {"title": steps[-1]["column"], "steps": steps}
            steps = []
        word, colon, name = link.name.partition(": ")
        text = name if colon and tables.is_role(word) else link.name
        steps.append(_step(text, link.how, exact=text.startswith("`") or bool(_PLAIN.fullmatch(text))))
    if steps:
        yield {"title": steps[-1]["column"], "steps": steps}


def _step(name: str, how: str, *, exact: bool) -> Part:
    return {"column": plain(name), "exact": exact, **_how(how)}


def _how(text: str) -> dict[str, str]:
    """Return who makes a step and how, of `(by - expression) [subtype]`."""
    subtype = ""
    if text.endswith("]") and "[" in text:
        text, _, subtype = text[:-1].rpartition("[")
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    if text.endswith("`"):
        by, _, expression = text[:-1].partition("`")
        by = by.rstrip().removesuffix("-")
    else:
        by, _, expression = text.partition(" - ")
        if not calculates(expression):
            by, expression = ("", text) if calculates(text) else (text, "")
    found: dict[str, Any] = {"by": plain(by), "expression": plain(expression), "subtype": plain(subtype)}
    return {key: value for key, value in found.items() if value}
