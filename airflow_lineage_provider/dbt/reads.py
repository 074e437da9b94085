"""What a node of a dbt manifest reads, and who owns it: the one definition for a run and for a `check`.

The functions take dbt's own node classes as well as nodes decoded from a `manifest.json`: both have the
attributes of dbt's manifest schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

N = TypeVar("N")

MAKES_RELATION = frozenset({"model", "seed", "snapshot"})
IS_RELATION = MAKES_RELATION | {"source"}


def relations_read(
    unique_ids: Iterable[str], find: Callable[[str], N | None], leave_out: Iterable[str] = ()
) -> Iterator[N]:
    """Yield the relations that a node with these parents reads, each once, in the order of its parents.

    An ephemeral model and a function are no relations: what they read is read in their place. `find` returns
    the node, source or function of an id; ids that it does not know, and those in `leave_out`, are skipped.
    """
    seen = set(leave_out)
    # A stack and not recursion: ephemeral models may be chained by the thousand.
    stack = [iter(unique_ids)]
    while stack:
        unique_id = next(stack[-1], None)
        if unique_id is None:
            stack.pop()
            continue
        node: Any = None if unique_id in seen else find(unique_id)
        seen.add(unique_id)
        if node is None:
            continue
        if is_ephemeral(node) or node.resource_type == "function":
            stack.append(iter(node.depends_on.nodes))
        elif node.resource_type in IS_RELATION:
            yield node


def seed_file(node: Any) -> str:
    """Return the path of a seed's CSV file, which is the seed's input."""
    return str(Path(getattr(node, "root_path", None) or ".", node.original_file_path))


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
