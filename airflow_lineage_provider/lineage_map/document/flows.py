"""What every section may hold, whatever it is about: arrows, diagrams, source-to-target tables, SQL."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.document import labels
from airflow_lineage_provider.lineage_map.document.arrows import (
    Stop,
    calculates,
    fenced_lines,
    has_arrow,
    links,
    mermaid_edges,
    paths,
    stop,
)
from airflow_lineage_provider.lineage_map.document.blocks import plain, take
from airflow_lineage_provider.lineage_map.document.draft import DrawnEdge, PrintedModel
from airflow_lineage_provider.lineage_map.document.fields import heading, take_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.lineage_map.document.arrows import Path
    from airflow_lineage_provider.lineage_map.document.blocks import (
        LabelledEntry,
        MarkdownTable,
        Section,
        TextLine,
    )
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
        for path in take_paths(entry):
            if len(path.stops) == 1:
                draft.not_placed(path.number, f"the lineage {', '.join(path.stops[0].names)!r:.60}")
            for source, target in pairwise(path.stops):
                draft.edges.append(DrawnEdge(path.number, source, target, near))


def _take_tables(draft: Draft, entry: LabelledEntry, topic: str, near: str) -> None:
    for table in take(entry.tables, is_lineage):
        heads = [_role(head) for head in table.header]
        of_columns = topic == "column_lineage" or "target column" in heads
        for number, row in table.rows:
            cells = dict(zip(heads, row, strict=False))
            source, target = _cell(cells, "source"), _cell(cells, "target")
            if not (source.names and target.names):
                draft.not_placed(number, f"the row {' | '.join(row)!r:.60}")
            elif of_columns:
                steps = [{"column": stop.names[0], "exact": False} for stop in (source, target)]
                how = plain(cells.get("how", ""))
                steps[1] |= {("expression" if calculates(how) else "by"): how}
                chain = {"title": target.names[0], "steps": steps}
                draft.data.setdefault("column_lineage", []).append(chain)
            else:
                draft.edges.append(DrawnEdge(number, source, target, near))


def is_lineage(table: MarkdownTable) -> bool:
    """Whether each row of a table says which source a target is made from."""
    return {"source", "target"} <= {_role(head).partition(" ")[0] for head in table.header}


def _cell(cells: Mapping[str, str], role: str) -> Stop:
    """Read one end of a row; a column stands in a cell beside its table's, or behind its table's name."""
    column = cells.get(f"{role} column", "")
    found = stop(cells.get(role, column))
    beside = role in cells and column
    return found._replace(names=[f"{name}.{plain(column)}" for name in found.names]) if beside else found


def _role(head: str) -> str:
    """Return the role of a header: source, target, either's column, how, or nothing."""
    words = head.casefold().replace("_", " ").split()
    if labels.known(head, ["Expression"]):
        return "how"
    for role in ("Source", "Target"):
        if labels.known(" ".join(words), [role]):
            return role.casefold()
        if len(words) == 2 and labels.known(words[0], [role]):  # noqa: PLR2004 - "source column"
            return f"{role.casefold()} column" if labels.known(words[1], ["Column"]) else role.casefold()
    return ""


def _take_fences(draft: Draft, entry: LabelledEntry, near: str) -> None:
    for fence in take(entry.fences, lambda one: one.language == "mermaid" or bool(_SQL.search(one.text))):
        if fence.language != "mermaid":
            layer = near if near in draft.data.get("layers", ()) else ""
            draft.models.append(PrintedModel(fence.number, fence.text, layer))
        elif not fence.text.startswith(labels.DRAWN):
            for number, source, target in mermaid_edges(fence):
                draft.edges.append(DrawnEdge(number, Stop([source]), Stop([target])))


def take_paths(entry: LabelledEntry) -> Iterator[Path]:
    """Take what is drawn with arrows: in fenced blocks, list items and lines of text."""
    for fence in take(entry.fences, lambda fence: fence.language in _PROSE and has_arrow(fence.text)):
        yield from paths(fenced_lines(fence))
    for lines in (entry.items, entry.text):
        yield from paths(take(lines, lambda line: has_arrow(line.text)))


def read_chains(draft: Draft, section: Section, *, whole: bool) -> None:
    """Read the ways of columns, and the lines that explain one. `whole`: no heading names the column."""
    title, _, written = heading(section.title, "Example")
    chains: list[Part] = []
    logic: list[str] = []
    for entry in section.entries:
        if labels.known(entry.label, ["Expression"]):
            logic += take_list(entry)
        else:
            chains += _take_chains(entry)
    if written and not chains:
        chains = [{"steps": []}]
    if len(chains) == 1 and not whole:
        chains[0]["title"] = title
    if chains and logic:
        chains[0]["logic"] = logic
    draft.data.setdefault("column_lineage", []).extend(chains)


def _take_chains(entry: LabelledEntry) -> Iterator[Part]:
    """Take the chains of columns that an entry draws; each list item is a chain of its own."""
    for fence in take(entry.fences, lambda fence: fence.language in _PROSE):
        yield from _chains(fenced_lines(fence))
    for lines in (entry.items, entry.text):
        for line in take(lines, lambda line: has_arrow(line.text)):
            yield from _chains([line])


def _chains(lines: Iterable[TextLine]) -> Iterator[Part]:
    steps: list[Part] = []
    for link in links(lines):
        if steps and not link.joined:
            yield {"title": steps[-1]["column"], "steps": steps}
            steps = []
        word, colon, name = link.name.partition(": ")
        exact = link.name.startswith("`")
        text = name if colon and not exact and _role(word) in {"source", "target"} else link.name
        exact = exact or text.startswith("`") or bool(_PLAIN.fullmatch(text))
        steps.append({"column": plain(text), "exact": exact, **_how(link.how)})
    if steps:
        yield {"title": steps[-1]["column"], "steps": steps}


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
    found = {"by": plain(by), "expression": plain(expression), "subtype": plain(subtype)}
    return {key: value for key, value in found.items() if value}
