"""A Markdown document as sections of labelled fields, lists, tables and fenced blocks, with their lines."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.document import labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*$")
_FIELD = re.compile(r"\*\*([^*]+?):\*\*\s*(.*)$")
_BULLET = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)$")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*(\S*)\s*$")
_RULE = re.compile(r"\s*\|?[\s:|-]+\|?\s*$")


@dataclass(slots=True)
class Body:
    """What stands under a heading or a label: text, list items, table rows, fenced blocks."""

    line: int
    text: list[str] = field(default_factory=list)
    bullets: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    fences: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing stands there."""
        return not (self.text or self.bullets or self.rows or self.fences)


@dataclass(slots=True)
class Field:
    """`**Label:** value`, with what follows until the next label."""

    label: str
    value: str
    body: Body


@dataclass(slots=True)
class Section:
    """A heading, what stands under it before the first label, and its fields."""

    level: int
    title: str
    body: Body
    fields: list[Field] = field(default_factory=list)


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a document in order; what stands before the first heading is of level 0."""
    current = Section(0, "", Body(1))
    lines = iter(enumerate(text.replace("\r\n", "\n").split("\n"), 1))
    for number, line in lines:
        body = current.fields[-1].body if current.fields else current.body
        if fence := _FENCE.match(line):
            body.fences.append((fence[2].lower(), _fenced(lines, fence[1]), number))
        elif heading := _HEADING.match(line):
            yield current
            current = Section(len(heading[1]), heading[2], Body(number))
        elif labelled := _FIELD.match(line):
            current.fields.append(Field(labelled[1].strip(), labelled[2].strip(), Body(number)))
        elif line.strip():
            _add(body, line)
    yield current


def _fenced(lines: Iterator[tuple[int, str]], mark: str) -> str:
    inside = []
    for _, line in lines:
        if line.strip().startswith(mark) and not line.strip().strip(mark[0]):
            break
        inside.append(line)
    return "\n".join(inside)


def _add(body: Body, line: str) -> None:
    if line.lstrip().startswith("|"):
        if not _RULE.fullmatch(line):
            body.rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    elif bullet := _BULLET.match(line):
        body.bullets.append(bullet[1].strip())
    else:
        body.text.append(line.strip())


def plain(text: str) -> str:
    """Return a value without its backticks, entities written out."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "`" and "`" not in text[1:-1]:
        text = text[1:-1]
    return html.unescape(text)


def quoted(text: str) -> list[str]:
    """Return what stands in backticks."""
    return [html.unescape(part) for part in re.findall(r"`([^`]*)`", text)]


def list_into(part: dict[str, Any], key: str) -> Callable[[Field], None]:
    """Return what puts the list under a label into a part of the map."""

    def take(found: Field) -> None:
        part[key] = [plain(item) for item in found.body.bullets]

    return take


def columns_into(part: dict[str, Any], key: str) -> Callable[[Field], None]:
    """Return what puts the table of columns, or the list of their names, into a part of the map."""

    def take(found: Field) -> None:
        part[key] = {plain(bullet): {} for bullet in found.body.bullets}
        for row in found.body.rows[1:]:
            cells = dict(zip(found.body.rows[0], row, strict=False))
            part[key][plain(cells.get("Column", ""))] = _column(cells)

    return take


def _column(cells: Mapping[str, str]) -> dict[str, Any]:
    column: dict[str, Any] = {
        key: plain(cells[label])
        for label, key in labels.COLUMN.items()
        if cells.get(label) and key not in {"name", "from", "checks"}
    }
    if cells.get("From"):
        column["from"] = [] if cells["From"] == labels.NO_SOURCE else quoted(cells["From"])
    if cells.get("Checks"):
        column["checks"] = quoted(cells["Checks"])
    return column


def table_rows(body: Body, names: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the rows of a table by the keys that its headings stand for."""
    if not body.rows:
        return []
    head = [names.get(cell, "") for cell in body.rows[0]]
    return [
        {key: plain(cell) for key, cell in zip(head, row, strict=False) if key and cell}
        for row in body.rows[1:]
    ]
