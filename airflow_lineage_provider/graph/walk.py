"""Walks over the adjacency of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Node = TypeVar("Node")


def reach(neighbours: Mapping[Node, Sequence[Node]], starts: Iterable[Node]) -> Iterator[tuple[Node, int]]:
    """Yield each node that can be reached, once, with its distance, nearest first."""
    level = list(dict.fromkeys(starts))
    seen = set(level)
    distance = 0
    while level:
        distance += 1
        following = []
        for node in level:
            for neighbour in neighbours.get(node, ()):
                if neighbour not in seen:
                    seen.add(neighbour)
                    following.append(neighbour)
                    yield neighbour, distance
        level = following


def shortest_path(
    upstream: Mapping[str, Sequence[str]], source: str, target: str, *, indirect: bool = False
) -> tuple[str, ...]:
    """Return the nodes from `source` to `target`, both included, or nothing.

    With `indirect` the edge between the two is not taken. The search goes up from the target, which
    in a lineage graph has few ancestors where the source may have any number of descendants.
    """
    towards: dict[str, str] = {target: ""}
    level = [target]
    while level:
        following = []
        for node in level:
            for neighbour in upstream.get(node, ()):
                if neighbour in towards or (indirect and (neighbour, node) == (source, target)):
                    continue
                towards[neighbour] = node
                if neighbour == source:
                    return _follow(towards, source)
                following.append(neighbour)
        level = following
    return ()


def _follow(towards: Mapping[str, str], start: str) -> tuple[str, ...]:
    path = [start]
    while towards[path[-1]]:
        path.append(towards[path[-1]])
    return tuple(path)
