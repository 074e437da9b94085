"""A graph of datasets as SVG, from left to right; a dataset stands right of all that it is made from."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from airflow_lineage_provider.reports.escape import symbols
from airflow_lineage_provider.reports.layout import Layout, Segment, Slot, layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_GAP, _LETTER, _BOX, _MARGIN = 28, 7.1, 36, 19
_LONGEST = 60  # letters
_WRAPPED = 16  # letters; a longer text without a schema is broken near its middle
_SMALLEST = 0.75  # of its size; a narrower page scrolls it

Span = tuple[int, int]
"""Where a rank begins, and how wide it is."""


def draw(edges: Iterable[tuple[str, str]], labels: Mapping[str, str] | None = None) -> str:
    """Return an SVG element, or nothing for no edges. `labels` are shown in place of the names.

    An edge that closes a cycle is dashed and runs from right to left.
    """
    pairs = list(edges)
    if not pairs:
        return ""
    texts = {name: _lines((labels or {}).get(name, name)) for pair in pairs for name in pair}
    plan = layout(pairs)
    spans = _spans(plan, texts)
    lines = [_line(segment, plan, spans) for segment in plan.segments]
    boxes = [_box(s, plan, spans, texts[s.name]) for column in plan.columns for s in column if not s.lane]
    width = sum(spans[-1]) + 1
    height = round(max(plan.heights.values())) + 2 * _MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    style = f'style="min-width:{round(width * _SMALLEST)}px"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="lineage" {size} {style}>'
    return "".join([head, *lines, *boxes, "</svg>"])


def _lines(text: str) -> tuple[str, ...]:
    """Return one or two lines: the schema over the table, or a long text broken near its middle."""
    schema, dot, name = text.rpartition(".")
    if dot and " " not in text:
        return _shortened(schema), _shortened(name)
    breaks = [at + 1 for at, letter in enumerate(text) if letter in " _"] if len(text) > _WRAPPED else []
    if not breaks:
        return (_shortened(text),)
    middle = min(breaks, key=lambda at: abs(at - len(text) / 2))
    return _shortened(text[:middle].rstrip()), _shortened(text[middle:])


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"


def _spans(plan: Layout, texts: Mapping[str, tuple[str, ...]]) -> list[Span]:
    spans: list[Span] = []
    x = 1
    for column in plan.columns:
        lines = (line for slot in column if not slot.lane for line in texts[slot.name])
        wide = max(map(_wide, lines), default=0)
        spans.append((x, wide))
        x += wide + _GAP
    return spans


def _wide(text: str) -> int:
    return 16 + round(_LETTER * sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text))


def _line(segment: Segment, plan: Layout, spans: list[Span]) -> str:
    start, end, back = segment
    x1, x2 = sum(spans[start.rank]), spans[end.rank][0]
    y1, y2 = (round(plan.heights[slot]) + _MARGIN for slot in (start, end))
    bend = (x2 - x1) // 2
    through = f" H{sum(spans[end.rank])}" if end.lane else ""
    curve = f"M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}{through}"
    dashes = ' stroke-dasharray="4 3"' if back else ""
    return f'<path d="{curve}" fill="none" stroke="currentColor" stroke-opacity=".5"{dashes}/>'


def _box(slot: Slot, plan: Layout, spans: list[Span], lines: tuple[str, ...]) -> str:
    x, wide = spans[slot.rank]
    y = round(plan.heights[slot]) + _MARGIN - _BOX // 2
    size = f'x="{x}" y="{y}" width="{wide}" height="{_BOX}" rx="5"'
    first = y + (22 if len(lines) == 1 else 15)
    shown = "".join(
        f'<text x="{x + 8}" y="{first + 14 * at}">{html.escape(symbols(line))}</text>'
        for at, line in enumerate(lines)
    )
    title = f"<title>{html.escape(symbols(slot.name))}</title>"
    return f'<g>{title}<rect {size} fill="Canvas" stroke="currentColor"/>{shown}</g>'


def _escaped(text: str) -> str:
    return html.escape(symbols(text))
