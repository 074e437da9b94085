"""Parts of a Tableau answer, which may be a file that somebody edited: a part of the wrong type is empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Node: TypeAlias = Mapping[str, Any]


def text(node: Node, key: str) -> str:
    """Return a text of a node; empty where there is none."""
    value = node.get(key)
    return value if isinstance(value, str) else ""


def child(node: Node, key: str) -> Node:
    """Return a node in a node; empty where there is none."""
    value = node.get(key)
    return value if isinstance(value, dict) else {}


def nodes(node: Node, key: str) -> list[Node]:
    """Return the list of nodes in a node; empty where there is none."""
    value = node.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def by_id(found: list[Node]) -> dict[str, Node]:
    """Return nodes by their id."""
    return {text(one, "id"): one for one in found}
