"""The fields of the first message of a .proto file, as far as they are plain.

Options, extensions and services are skipped. https://protobuf.dev/reference/protobuf/proto3-spec/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.events.movement import MovedField
from airflow_lineage_provider.systems.schemas.budget import DEEPEST, Budget

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[\w.]+|[{}()<>\[\]=;,+-]')
_LABELS = frozenset({"optional", "required", "repeated"})


@dataclass(slots=True)
class _Message:
    name: str
    fields: list[tuple[str, str, str]] = field(default_factory=list)
    """Label, type and name; of a map its type is `map<key,value>`."""


def protobuf_fields(texts: Sequence[str]) -> tuple[MovedField, ...]:
    """Return the fields of the first message of the first file; the others are its imports.

    Raises ValueError for text without a message.
    """
    first: str | None = None
    messages: dict[str, _Message] = {}
    enums: set[str] = set()
    for text in texts:
        bare = _COMMENT.sub(lambda m: m[0] if m[0].startswith('"') else " ", text)
        found = _Parser(_TOKEN.findall(bare))
        found.file()
        first = first or next(iter(found.messages), None)
        messages |= found.messages
        enums |= found.enums
    if first is None:
        raise ValueError("it holds no message")
    return _Types(messages, enums).fields(first)


@dataclass(frozen=True, slots=True)
class _Types:
    """The types of the files."""

    messages: dict[str, _Message]
    enums: set[str]
    budget: Budget = field(default_factory=Budget)

    def fields(self, name: str, within: tuple[str, ...] = ()) -> tuple[MovedField, ...]:
        """Return the fields of a message; `within` are the messages around it."""
        made = self.messages[name].fields
        return tuple(self._field(label, kind, own, (*within, name)) for label, kind, own in made)

    def _field(self, label: str, kind: str, name: str, within: tuple[str, ...]) -> MovedField:
        self.budget.spend()
        if label == "repeated":
            return MovedField(name, "array", "", (self._field("", kind, "_element", within),))
        if kind.startswith("map<"):
            key, value = kind[4:-1].split(",", 1)
            return MovedField(
                name, "map", "", (MovedField("_key", key), self._field("", value, "_value", within))
            )
        if found := _resolve(kind, within[-1], self.messages.keys()):
            endless = found in within or len(within) > DEEPEST  # a message that holds itself
            return MovedField(name, "record", "", () if endless else self.fields(found, within))
        return MovedField(name, "enum" if _resolve(kind, within[-1], self.enums) else kind.lstrip("."))


def _resolve(kind: str, scope: str, names: Collection[str]) -> str | None:
    """Return the full name of a type, looked up from the innermost scope outwards."""
    if kind.startswith("."):
        return kind[1:] if kind[1:] in names else None
    parts = scope.split(".")
    candidates = [".".join([*parts[:depth], kind]) for depth in range(len(parts), -1, -1)]
    return next((one for one in candidates if one in names), None)


class _Parser:
    """Collects messages and enums, by their full names, in the order of the file."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._package = ""
        self.messages: dict[str, _Message] = {}
        self.enums: set[str] = set()

    def file(self) -> None:
        while self._at < len(self._tokens):
            self._statement("", None)

    def _statement(self, scope: str, message: _Message | None) -> None:
        word = self._next()
        if word == "package":
            self._package = self._next()
            self._skip()
        elif word in {"message", "enum", "oneof"}:
            self._block(word, scope, message)
        elif word in {";", "}"}:
            return
        elif word in {"syntax", "edition", "import", "option", "reserved", "extensions", "service", "extend"}:
            self._skip()
        elif message is not None:
            self._field(word, message)
        else:
            self._skip()

    def _block(self, word: str, scope: str, message: _Message | None) -> None:
        name = self._next()
        full = ".".join(part for part in (scope or self._package, name) if part)
        if word == "enum":
            self.enums.add(full)
            self._skip()
            return
        inner = message if word == "oneof" else _Message(full)
        if word == "message" and inner is not None:
            self.messages[full] = inner
        self._expect("{")
        while self._at < len(self._tokens) and self._tokens[self._at] != "}":
            self._statement(scope if word == "oneof" else full, inner)
        self._expect("}")

    def _field(self, word: str, message: _Message) -> None:
        label = word if word in _LABELS else ""
        kind = self._next() if label else word
        if kind == "map" and self._tokens[self._at : self._at + 1] == ["<"]:
            self._next()
            key, _, value, _ = (self._next() for _ in range(4))
            kind = f"map<{key},{value}>"
        message.fields.append((label, kind, self._next()))
        self._skip()

    def _skip(self) -> None:
        """Skip to the end of a statement, with all blocks in it."""
        depth = 0
        for mark in self._rest():
            depth += (mark in {"{", "["}) - (mark in {"}", "]"})
            if (mark == ";" and not depth) or (mark == "}" and depth <= 0):
                return

    def _rest(self) -> Iterator[str]:
        while self._at < len(self._tokens):
            yield self._next()

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise ValueError("it ends in the middle of a statement")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, mark: str) -> None:
        if self._next() != mark:
            raise ValueError(f"{mark!r} is missing")
