"""YAML as plain data, with the position of every key and value.

Stricter than YAML: no anchors, no tags, no duplicate keys, and bounds on size and depth, so that a
hostile file costs no more than reading it. Scalars stay text as written (`1.0` is a version and `no`
a word); `null` and nothing are None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

Event: TypeAlias = Any
"""A yaml.Event; the stubs lack the attributes of its subclasses."""

Path: TypeAlias = tuple[str | int, ...]
Positions: TypeAlias = dict[Path, tuple[int, int]]

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 24
MAX_PARTS = 400_000
MAX_SCALAR = 64 * 1024

_CONTROL = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML does not accept as printable, and NEL."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str, file: str) -> tuple[Any, Positions]:
    """Return the document as dicts, lists, text and None, and the position of each part.

    Raises MapError with the line and column of the first thing that is not accepted.
    """
    if len(text) > MAX_BYTES:
        raise MapError([MapProblem(file, 0, 0, f"larger than {MAX_BYTES >> 20} MiB; split it")])
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise MapError([MapProblem(file, line, column, "a control character; remove it")])
    builder = _Builder(file, yaml.parse(text, Loader=_Loader))
    try:
        return builder.document(), builder.positions
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        message = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise MapError([MapProblem(file, line, column, f"not YAML: {message}")]) from None


class _Builder:
    """Builds data from the parser's events; an event that is not accepted raises MapError."""

    def __init__(self, file: str, events: Iterator[Event]) -> None:
        self.file = file
        self.events = events
        self.positions: Positions = {}

    def document(self) -> Any:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                value = self.value(next(self.events), ())
                break
        else:
            raise MapError([MapProblem(self.file, 1, 1, "empty; a lineage map starts with `document:`")])
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                raise self.problem(event, "a second YAML document; one file holds one map")
        return value

    def value(self, event: Event, path: Path) -> Any:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self.problem(event, "anchors and aliases are not supported; write the value out")
        if getattr(event, "tag", None) and event.tag not in {"!", "tag:yaml.org,2002:str"}:
            raise self.problem(event, f"the tag {event.tag!r:.40} is not supported; remove it")
        if len(path) > MAX_DEPTH:
            raise self.problem(event, f"nested more than {MAX_DEPTH} levels deep")
        if len(self.positions) > MAX_PARTS:
            raise self.problem(event, f"more than {MAX_PARTS:,} keys and values; split the map")
        self.positions.setdefault(path, _position(event))
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path)
        return self.scalar(event)

    def mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.problem(event, "a key must be plain text")
            key = str(self.scalar(event) or "")
            here = (*path, key)
            if key in found:
                first = self.positions[here][0]
                raise self.problem(event, f"the key {key!r:.60} is already on line {first}; remove one")
            self.positions[here] = _position(event)
            found[key] = self.value(next(self.events), here)
        return found

    def sequence(self, path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self.value(event, (*path, len(found))))
        return found

    def scalar(self, event: Event) -> str | None:
        text: str = event.value
        if len(text) > MAX_SCALAR:
            raise self.problem(event, f"a text of more than {MAX_SCALAR >> 10} KiB")
        if _CONTROL.search(text):
            raise self.problem(event, "a control character; remove it")
        plain = event.implicit[0] and not event.style
        return None if plain and text in {"", "~", "null", "Null", "NULL"} else text

    def problem(self, event: Event, message: str) -> MapError:
        return MapError([MapProblem(self.file, *_position(event), message)])


def _position(event: Event) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
