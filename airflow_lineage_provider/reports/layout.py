"""The layout of a graph from left to right, by Sugiyama's method.

Ranks by the longest path, lanes for lines that pass a rank, barycentres against crossings, and heights as
near to the neighbours as the order allows. After K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual
understanding of hierarchical system structures", IEEE Transactions on SMC 11(2), 1981.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import accumulate, pairwise
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROW, LANE = 46, 12  # from box to box, from line to line
SWEEPS = 8

Edge = tuple[str, str]


class Slot(NamedTuple):
    """A box, or the place where the lines of a box cross a rank on their way to a later one."""

    name: str
    rank: int
    lane: bool = False
    back: bool = False
    """The lines run from right to left: they close a cycle."""


class Segment(NamedTuple):
    """A piece of one line, or of several that leave the same box, from one rank to the next."""

    start: Slot
    end: Slot
    back: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The slots of each rank from top to bottom, the height of each slot's middle, and the segments."""

    columns: list[list[Slot]]
    heights: Mapping[Slot, float]
    segments: tuple[Segment, ...]


def layout(edges: Iterable[Edge]) -> Layout:
    """Return the layout of a graph, which may have cycles. An edge from a name to itself is left out."""
    names = dict.fromkeys(name for edge in edges for name in edge)
    pairs = dict.fromkeys(edge for edge in edges if edge[0] != edge[1])
    ranks, back = _ranks(names, pairs)
    segments = tuple(dict.fromkeys(part for edge in pairs for part in _route(edge, ranks, back=edge in back)))
    columns: dict[int, dict[Slot, None]] = defaultdict(dict)
    for slot in (
        *(Slot(name, ranks[name]) for name in names),
        *(slot for part in segments for slot in part[:2]),
    ):
        columns[slot.rank][slot] = None
    ordered = _ordered([list(columns[rank]) for rank in sorted(columns)], segments)
    return Layout(ordered, _heights(ordered, segments), segments)


def _ranks(names: Iterable[str], edges: Iterable[Edge]) -> tuple[dict[str, int], set[Edge]]:
    """Return the rank of each name, and the edges that close a cycle."""
    order = {name: place for place, name in enumerate(_in_order(names, edges))}
    back = {(source, target) for source, target in edges if order[source] > order[target]}
    ranks = dict.fromkeys(order, 0)
    for first, last in sorted(
        (sorted(edge, key=order.__getitem__) for edge in edges), key=lambda e: order[e[0]]
    ):
        ranks[last] = max(ranks[last], ranks[first] + 1)
    return ranks, back


def _in_order(names: Iterable[str], edges: Iterable[Edge]) -> Iterable[str]:
    """Return the names in topological order, without one edge of each cycle."""
    upstream: dict[str, set[str]] = {name: set() for name in names}
    for source, target in edges:
        upstream[target].add(source)
    while True:
        try:
            return list(TopologicalSorter(upstream).static_order())
        except CycleError as error:
            source, target = error.args[1][:2]
            upstream[target].remove(source)


def _route(edge: Edge, ranks: Mapping[str, int], *, back: bool) -> Iterator[Segment]:
    """Yield the edge rank by rank, from left to right."""
    first, last = sorted(edge, key=lambda name: ranks[name])
    passed = [Slot(first, rank, lane=True, back=back) for rank in range(ranks[first] + 1, ranks[last])]
    way = [Slot(first, ranks[first]), *passed, Slot(last, ranks[last])]
    yield from (Segment(start, end, back) for start, end in pairwise(way))


def _neighbours(segments: Iterable[Segment]) -> tuple[dict[Slot, list[Slot]], ...]:
    left: dict[Slot, list[Slot]] = defaultdict(list)
    right: dict[Slot, list[Slot]] = defaultdict(list)
    for start, end, _ in segments:
        left[end].append(start)
        right[start].append(end)
    return left, right


def _ordered(columns: list[list[Slot]], segments: tuple[Segment, ...]) -> list[list[Slot]]:
    """Return each rank in the order with the fewest crossings that a few sweeps find."""
    left, right = _neighbours(segments)
    place = {slot: row for column in columns for row, slot in enumerate(column)}

    def wanted(slot: Slot, near: Mapping[Slot, list[Slot]]) -> float:
        return fmean(place[one] for one in near[slot]) if near.get(slot) else place[slot]

    best, fewest = columns, _crossings(columns, right)
    for sweep in range(SWEEPS):
        near, step = (right, -1) if sweep % 2 else (left, 1)
        swept = []
        for column in columns[::step]:
            swept.append(sorted(column, key=lambda slot: wanted(slot, near)))
            place.update((slot, row) for row, slot in enumerate(swept[-1]))
        columns = swept[::step]
        found = _crossings(columns, right)
        if found < fewest:
            best, fewest = columns, found
    return best


def _crossings(columns: list[list[Slot]], right: Mapping[Slot, list[Slot]]) -> int:
    crossings = 0
    for column, following in pairwise(columns):
        place = {slot: row for row, slot in enumerate(following)}
        seen: list[int] = []
        for slot in column:
            ends = [place[one] for one in right.get(slot, ())]
            crossings += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return crossings


def _heights(columns: list[list[Slot]], segments: Iterable[Segment]) -> dict[Slot, float]:
    """Return the height of each slot: near the mean of its neighbours, in order and without overlap."""
    left, right = _neighbours(segments)
    gaps = [[0.0, *(_gap(above, below) for above, below in pairwise(column))] for column in columns]
    heights: dict[Slot, float] = {}
    for column, apart in zip(columns, gaps, strict=True):
        heights |= zip(column, accumulate(apart), strict=True)
    for sweep in range(SWEEPS):
        step = -1 if sweep % 2 else 1
        for column, apart in list(zip(columns, gaps, strict=True))[::step]:
            near = [left.get(slot, []) + right.get(slot, []) for slot in column]
            wanted = [
                fmean(heights[one] for one in (ones or [slot]))
                for slot, ones in zip(column, near, strict=True)
            ]
            heights |= zip(column, _apart(wanted, apart), strict=True)
    top = min(heights.values())
    return {slot: height - top for slot, height in heights.items()}


def _gap(above: Slot, below: Slot) -> float:
    return (LANE if above.lane else ROW) / 2 + (LANE if below.lane else ROW) / 2


def _apart(wanted: list[float], gaps: list[float]) -> list[float]:
    """Return the heights nearest to those wanted that keep the gaps: isotonic regression, by pooling."""
    below_first = list(accumulate(gaps))
    pools: list[tuple[float, int]] = []
    for height, offset in zip(wanted, below_first, strict=True):
        mean, size = height - offset, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, below_first, strict=True)]
