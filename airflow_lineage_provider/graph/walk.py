"""Walks over the adjacency of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Node = TypeVar("Node")


def shortest_path(
    upstream: Callable[[Node], Iterable[Node]], source: Node, target: Node, *, indirect: bool = False
) -> tuple[Node, ...]:
    """Return the nodes from `source` to `target`, both included, or nothing.

    With `indirect` the edge between the two is not taken. The search goes up from the target, which
    in a lineage graph has few ancestors where the source may have any number of descendants.
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
