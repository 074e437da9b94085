"""A graph of datasets as SVG: from left to right, each as far right as what it is made from demands."""

from __future__ import annotations

import html
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ROW, _GAP, _LETTER, _HEIGHT = 34, 56, 7, 24


def draw(edges: Iterable[tuple[str, str]]) -> str:
    """Return an SVG element; nothing for no edges, or where they go round in a circle."""
    pairs = list(dict.fromkeys(edges))
    upstream: dict[str, list[str]] = {}
    for source, target in pairs:
        upstream.setdefault(source, [])
        upstream.setdefault(target, []).append(source)
    try:
        order = list(TopologicalSorter(upstream).static_order())
    except CycleError:
        return ""
    ranks: dict[str, int] = {}
    for name in order:
        ranks[name] = max((ranks[source] + 1 for source in upstream[name]), default=0)
    places, width, height = _places(order, ranks, upstream)
    lines = [_line(places[source], places[target]) for source, target in pairs]
    boxes = [_box(name, place) for name, place in places.items()]
    size = f'viewBox="0 0 {width} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="lineage" {size}>'
    return "".join([head, *lines, *boxes, "</svg>"])


def _places(
    order: list[str], ranks: Mapping[str, int], upstream: Mapping[str, list[str]]
) -> tuple[dict[str, tuple[int, int, int]], int, int]:
    """Return x, y and width of each box; a box stands near what it is made from."""
    columns: dict[int, list[str]] = {}
    for name in order:
        columns.setdefault(ranks[name], []).append(name)
    places: dict[str, tuple[int, int, int]] = {}
    x = 1
    for rank in sorted(columns):
        names = sorted(columns[rank], key=lambda n: _middle([places[s][1] for s in upstream[n]]))
        wide = max(len(name) for name in names) * _LETTER + 16
        for row, name in enumerate(names):
            places[name] = (x, 1 + row * _ROW, wide)
        x += wide + _GAP
    return places, x - _GAP + 2, 2 + max(map(len, columns.values()), default=1) * _ROW


def _middle(heights: list[int]) -> float:
    return sum(heights) / len(heights) if heights else 0


def _line(source: tuple[int, int, int], target: tuple[int, int, int]) -> str:
    x1, y1 = source[0] + source[2], source[1] + _HEIGHT // 2
    x2, y2 = target[0], target[1] + _HEIGHT // 2
    bend = (x2 - x1) // 2
    curve = f"M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    return f'<path d="{curve}" fill="none" stroke="currentColor" stroke-opacity=".4"/>'


def _box(name: str, place: tuple[int, int, int]) -> str:
    x, y, wide = place
    size = f'x="{x}" y="{y}" width="{wide}" height="{_HEIGHT}" rx="5"'
    text = f'<text x="{x + 8}" y="{y + 16}">{html.escape(name)}</text>'
    return f'<rect {size} fill="Canvas" stroke="currentColor"/>{text}'
