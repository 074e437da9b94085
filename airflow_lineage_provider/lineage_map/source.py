"""The text of a map: that of its own file, and of the files that it includes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Included:
    """An included file. `dbt` is the folder of the dbt project whose it is; empty for a part of a map."""

    file: str
    text: str
    dbt: str = ""


@dataclass(frozen=True, slots=True)
class MapSource:
    """A map's file, its text, and the files that it includes, in the order in which they are merged."""

    file: str
    text: str
    included: tuple[Included, ...] = ()

    @property
    def texts(self) -> dict[str, str]:
        """The text of each file, the map's own first."""
        return {self.file: self.text, **{one.file: one.text for one in self.included}}

    def renamed(self, name: Callable[[str], str]) -> MapSource:
        """Return the same texts under other names of files."""
        included = tuple(replace(one, file=name(one.file)) for one in self.included)
        return MapSource(name(self.file), self.text, included)

    def with_texts(self, texts: Mapping[str, str]) -> MapSource:
        """Return the same files with other texts."""
        included = tuple(replace(one, text=texts.get(one.file, one.text)) for one in self.included)
        return MapSource(self.file, texts.get(self.file, self.text), included)
