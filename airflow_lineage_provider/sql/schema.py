"""The columns of tables as a catalog, a manifest or earlier statements know them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Entry = tuple[tuple[str, ...], tuple[str, ...]]  # a table's dotted name and its columns
_PART = re.compile(r'"((?:[^"]|"")*)"|`([^`]*)`|\[([^\]]*)\]|([^.]+)')


def split(name: str) -> tuple[str, ...]:
    """Return the parts of a dotted name: `a."b.c"` is ('a', 'b.c')."""
    if "://" in name or "/" in name:
        return (name,)
    return tuple(next(p for p in parts if p) for parts in _PART.findall(name) if any(parts))


class Schema:
    """Finds a table by any dotted suffix of its name, regardless of case where that leaves no doubt."""

    def __init__(self, tables: Mapping[str, Mapping[str, str] | Iterable[str]]) -> None:
        """`tables` is {dotted name: {column: type}}; the columns alone will do."""
        self._by_last: dict[str, list[Entry]] = {}
        for name, columns in tables.items():
            self.add(name, columns)

    def add(self, name: str, columns: Iterable[str]) -> None:
        """Make a table known, in the place of one of the same name."""
        parts, columns = split(name), tuple(columns)
        if parts and columns:
            same = self._by_last.setdefault(parts[-1].casefold(), [])
            same[:] = [entry for entry in same if entry[0] != parts]
            same.append((parts, columns))

    def find(self, parts: tuple[str, ...]) -> Entry | None:
        """(name as the schema spells it, columns) of the one table that `parts` can mean."""
        found = [
            entry for entry in self._by_last.get(parts[-1].casefold(), ()) if _same_suffix(entry[0], parts)
        ]
        if len(found) > 1:
            longest = max(_shared(entry[0], parts) for entry in found)
            found = [e for e in found if _shared(e[0], parts) == longest]
        if len(found) > 1:
            found = [e for e in found if len(e[0]) == len(parts)]
        if len(found) > 1:
            found = [e for e in found if e[0] == parts]
        return found[0] if len(found) == 1 else None


def _same_suffix(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    n = min(len(a), len(b))
    return [p.casefold() for p in a[-n:]] == [p.casefold() for p in b[-n:]]


def _shared(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    return min(len(a), len(b))
