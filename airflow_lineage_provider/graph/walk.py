"""Shortest paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Node = TypeVar("Node")


def shortest_path(
    upstream: Callable[[Node], Iterable[Node]], source: Node, target: Node, *, indirect: bool = False
) -> tuple[Node, ...]:
    """Return the nodes of a shortest path from `source` to `target`, both included, or an empty tuple.

    With `indirect` the edge between the two is not used. The search goes upstream from the target, because a
    node of a lineage graph has fewer ancestors than descendants.
    """
    towards: dict[Node, Node | None] = {target: None}
    level = [target]
    while level:
        following = []
        for node in level:
            for neighbour in upstream(node):
                if neighbour in towards or (indirect and (neighbour, node) == (source, target)):
                    continue
                towards[neighbour] = node
                if neighbour == source:
                    return _follow(towards, source)
                following.append(neighbour)
        level = following
    return ()


def _follow(towards: Mapping[Node, Node | None], start: Node) -> tuple[Node, ...]:
    path = [start]
    while (following := towards[path[-1]]) is not None:
        path.append(following)
    return tuple(path)
