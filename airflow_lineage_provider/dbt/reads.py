"""What a node of a dbt manifest reads, and who owns it: the one definition for a run and for a `check`.

The functions take dbt's own node classes as well as nodes decoded from a `manifest.json`: both have the
attributes of dbt's manifest schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

N = TypeVar("N")

MAKES_RELATION = frozenset({"model", "seed", "snapshot"})
IS_RELATION = MAKES_RELATION | {"source"}


def relations_read(
    unique_ids: Iterable[str], find: Callable[[str], N | None], seen: set[str] | None = None
) -> Iterator[N]:
    """Yield the relations that a node with these parents reads, each once.

    An ephemeral model and a function are no relations: what they read is read in their place. `find` returns
    the node, source or function of an id; ids that it does not know are left out.
    """
    seen = set() if seen is None else seen
    for unique_id in unique_ids:
        node: Any = None if unique_id in seen else find(unique_id)
        seen.add(unique_id)
        if node is None:
            continue
        if is_ephemeral(node) or node.resource_type == "function":
            yield from relations_read(node.depends_on.nodes, find, seen)
        elif node.resource_type in IS_RELATION:
            yield node


def is_ephemeral(node: Any) -> bool:
    """Tell whether the node is only ever part of another node's statement."""
    return getattr(getattr(node, "config", None), "materialized", None) == "ephemeral"


def identifier(node: Any) -> str:
    """Return the name of the node's relation: of a source its `identifier`, else the alias."""
    return str(getattr(node, "identifier", None) or getattr(node, "alias", None) or node.name)


def owners(node: Any, groups: Mapping[str, Any]) -> tuple[str, ...]:
    """Return who owns a node: its group's owner, else `owner` in its meta (a name, or a list of names).

    The meta of the node's config wins over its own, and its own over that of its source.
    """
    config = getattr(node, "config", None)
    for group in groups.values():
        if group.name == getattr(config, "group", None):
            return (group.owner.name or group.name,)
    places = ((config, "meta"), (node, "meta"), (node, "source_meta"))
    metas = (getattr(holder, name, None) for holder, name in places)
    owner = next((meta["owner"] for meta in metas if meta and meta.get("owner")), None)
    names = owner if isinstance(owner, list) else [owner]
    return tuple(str(name) for name in names if name)
