"""A Markdown document as sections of labelled entries, each with its lists, tables and fenced blocks.

markdown-it finds the blocks. Inline markup stays as written, because backticks tell names from prose.
Readers take out of an entry what they understand; what is left in the end has no place in a map.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from markdown_it.token import Token

Part = TypeVar("Part")

_LONGEST_LABEL = 60


class TextLine(NamedTuple):
    """A line of text, or an item of a list, with its line number from 1."""

    number: int
    text: str


class Fence(NamedTuple):
    """A fenced block: the line of its first text, the word behind the backticks, and the text."""

    number: int
    language: str
    text: str


class MarkdownTable(NamedTuple):
    """A table: its header, and its rows with their line numbers."""

    number: int
    header: list[str]
    rows: list[tuple[int, list[str]]]


@dataclass(slots=True)
class LabelledEntry:
    """`**Label:** value` and what follows until the next label; a section begins without a label."""

    label: str
    value: str
    number: int
    text: list[TextLine] = field(default_factory=list)
    items: list[TextLine] = field(default_factory=list)
    tables: list[MarkdownTable] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)

    def left(self) -> Iterator[tuple[int, str]]:
        """Yield the line and the first words of what nobody has taken."""
        if self.value:
            yield self.number, f"{self.label!r:.60}"
        for line in (*self.text[:1], *self.items[:1]):
            yield line.number, f"the text {line.text!r:.60}"
        for table in self.tables:
            yield table.number, f"the table {' | '.join(table.header)!r:.60}"
        for fence in self.fences:
            yield fence.number, f"the fenced block {fence.text.strip().partition(chr(10))[0]!r:.60}"


@dataclass(slots=True)
class Section:
    """A heading, and the entries under it. A document begins with a section of level 0 without a title."""

    level: int
    title: str
    number: int
    entries: list[LabelledEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entries.append(LabelledEntry("", "", self.number))


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a document in order."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    parser.disable(["code", "html_block", "reference", "inline"])
    return _Sections(parser.parse(text)).read()


class _Sections:
    """Folds markdown-it's tokens into sections."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = iter(tokens)
        self.section = Section(0, "", 1)
        self.depth = 0
        self.nested: list[tuple[int, LabelledEntry]] = []

    def read(self) -> Iterator[Section]:
        for token in self.tokens:
            if token.type == "heading_open" and not self.depth:
                yield self.section
                self.section = Section(int(token.tag[1]), next(self.tokens).content, _line(token))
            elif token.type in {"bullet_list_open", "ordered_list_open"}:
                self.list_opens()
            elif token.type in {"bullet_list_close", "ordered_list_close"}:
                self.list_closes()
            elif token.type == "fence":
                self.label_above()
                language = token.info.partition(" ")[0].lower()
                self.entry.fences.append(Fence(_line(token) + 1, language, token.content))
            elif token.type == "table_open":
                self.label_above()
                self.entry.tables.append(self.table(_line(token)))
            elif token.type == "inline":
                self.inline(token)
        yield self.section

    @property
    def entry(self) -> LabelledEntry:
        return self.section.entries[-1]

    def list_opens(self) -> None:
        """Make a label of the item above a nested list, and of text with a colon above a list."""
        self.label_above()
        self.depth += 1
        if self.depth > 1 and self.entry.items and self.entry.items[-1].text.endswith(":"):
            self.nested.append((self.depth, self.entry))
            line = self.entry.items.pop()
            self.section.entries.append(LabelledEntry(line.text[:-1].strip(" *"), "", line.number))

    def list_closes(self) -> None:
        if self.nested and self.nested[-1][0] == self.depth:
            _, outer = self.nested.pop()
            self.section.entries.append(LabelledEntry(outer.label, "", outer.number))
        self.depth -= 1

    def label_above(self) -> None:
        text = self.entry.text
        if not self.depth and text and text[-1].text.endswith(":") and len(text[-1].text) < _LONGEST_LABEL:
            line = text.pop()
            self.section.entries.append(LabelledEntry(line.text[:-1].strip(" *"), "", line.number))

    def inline(self, token: Token) -> None:
        lines = [line.strip() for line in token.content.split("\n")]
        if self.depth and not _labelled(lines[0]):
            self.entry.items.append(TextLine(_line(token), " ".join(lines)))
            return
        for number, line in enumerate(lines, _line(token)):
            if labelled := _labelled(line):
                self.section.entries.append(LabelledEntry(*labelled, number))
            else:
                self.entry.text.append(TextLine(number, line))

    def table(self, number: int) -> MarkdownTable:
        rows: list[tuple[int, list[str]]] = []
        for token in self.tokens:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append((_line(token), []))
            elif token.type == "inline":
                rows[-1][1].append(token.content.strip())
        return MarkdownTable(number, rows[0][1], rows[1:])


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0


def _labelled(line: str) -> tuple[str, str] | None:
    """Return label and value of `**Label:** value` or `**Label**: value`."""
    if not line.startswith("**"):
        return None
    label, closed, value = line[2:].partition("**")
    if closed and label.endswith(":"):
        return label[:-1].strip(), value.strip()
    if closed and value.startswith(":"):
        return label.strip(), value[1:].strip()
    return None


def take(lines: list[Part], wanted: Callable[[Part], bool]) -> list[Part]:
    """Move the parts that are wanted out of a list; returns them."""
    taken: list[Part] = []
    kept: list[Part] = []
    for line in lines:
        (taken if wanted(line) else kept).append(line)
    lines[:] = kept
    return taken


def plain(text: str) -> str:
    """Return a value without the backticks around it, entities written out."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "`" and "`" not in text[1:-1]:
        text = text[1:-1]
    return html.unescape(text)


def quoted(text: str) -> list[str]:
    """Return what stands in backticks."""
    return [html.unescape(part) for part in text.split("`")[1:-1:2]]
