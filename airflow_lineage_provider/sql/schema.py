"""Known columns of tables, looked up by dotted name."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Entry = tuple[tuple[str, ...], "Collection[str]"]  # a table's dotted name and its columns
_PART = re.compile(r'"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]|([^.]+)')


@lru_cache(maxsize=65_536)  # the statements of a project share their names
def split(name: str) -> tuple[str, ...]:
    """Return the parts of a dotted name: `a."b.c"` is ('a', 'b.c')."""
    if "://" in name or "/" in name:
        return (name,)
    return tuple(next(p for p in parts if p) for parts in _PART.findall(name) if any(parts))


class Schema:
    """Finds a table by any dotted suffix of its name, regardless of case where that is unambiguous."""

    def __init__(self, tables: Mapping[str, Collection[str]]) -> None:
        """`tables` is {dotted name: {column: type}}, or {dotted name: [column]}."""
        self._by_last: dict[str, dict[tuple[str, ...], Collection[str]]] = {}
        for name, columns in tables.items():
            self.add(name, columns)

    def add(self, name: str, columns: Collection[str]) -> None:
        """Add a table; it replaces one of the same name."""
        parts = split(name)
        if parts and columns:
            self._by_last.setdefault(parts[-1].casefold(), {})[parts] = columns

    def find(self, parts: tuple[str, ...]) -> Entry | None:
        """Return (name as spelled in the schema, columns) of the only table that matches `parts`, or None.

        The columns are a mapping to types where the types are known.
        """
        same = self._by_last.get(parts[-1].casefold(), {})
        found = [name for name in same if _same_suffix(name, parts)]
        if len(found) > 1:
            longest = max(min(len(name), len(parts)) for name in found)
            found = [name for name in found if min(len(name), len(parts)) == longest]
        if len(found) > 1:
            found = [name for name in found if len(name) == len(parts)]
        if len(found) > 1:
            found = [name for name in found if name == parts]
        return (found[0], same[found[0]]) if len(found) == 1 else None


def _same_suffix(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    n = min(len(a), len(b))
    return [p.casefold() for p in a[-n:]] == [p.casefold() for p in b[-n:]]
