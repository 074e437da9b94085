"""Labelled values, lists and rows of tables, moved from a document into the parts of a map."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.document import labels
from airflow_lineage_provider.lineage_map.document.arrows import Stop, split_note
from airflow_lineage_provider.lineage_map.document.blocks import LabelledEntry, plain, quoted, take
from airflow_lineage_provider.lineage_map.document.draft import DrawnEdge

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from airflow_lineage_provider.lineage_map.document.blocks import MarkdownTable, Section, TextLine
    from airflow_lineage_provider.lineage_map.document.draft import Draft, Part

_DASH = re.compile(r" [-\u2013\u2014] |: ")
_KEYS = frozenset({"field", "property", "attribute", "key", "item"})
_VALUES = frozenset({"value", "setting", "detail", "description"})


def take_fields(
    draft: Draft, entries: Iterable[LabelledEntry], part: Part, names: Mapping[str, labels.MapField]
) -> None:
    """Move the values, lists and columns whose labels are known into a part of the map."""
    for entry in entries:
        label = labels.known(entry.label, names)
        if label is None:
            continue
        key, form = names[label]
        if label == "Source":
            draft.edges.append(DrawnEdge(entry.number, Stop(take_list(entry)), part))
        elif form == "columns":
            take_columns(draft, entry, part.setdefault(key, {}))
        elif form == "list":
            _put(part, key, take_list(entry))
        elif entry.value:
            _put(part, key, plain(entry.value))
            entry.value = ""


def _put(part: Part, key: str, value: object) -> None:
    around, _, last = key.rpartition(".")
    (part.setdefault(around, {}) if around else part)[last] = value


def take_list(entry: LabelledEntry) -> list[str]:
    """Take the names beside a label, and the list under it."""
    beside = [] if entry.value == labels.NO_NAMES else names_of(entry.value)
    found = [*beside, *(plain(item.text) for item in entry.items)]
    entry.value, entry.items = "", []
    return found


def names_of(text: str) -> list[str]:
    """Return names in backticks, else the text at its commas."""
    return quoted(text) or [plain(part) for part in text.split(",") if part.strip()]


def take_columns(draft: Draft, entry: LabelledEntry, columns: Part) -> None:
    """Take a list of columns, or a table that describes one a row."""
    columns |= {name: {} for name in take_list(entry)}
    for name, cells in take_rows(draft, [entry], labels.COLUMN, "Column"):
        column: Part = {}
        columns[name] = column
        take_fields(draft, cells, column, labels.COLUMN)
        column.pop("name", None)


def take_rows(
    draft: Draft, entries: Iterable[LabelledEntry], names: Collection[str], needed: str
) -> Iterator[tuple[str, list[LabelledEntry]]]:
    """Take the tables whose headers are known; yields each row as labelled entries, and its needed cell.

    Half of the headers may be others: their columns are listed.
    """
    for entry in entries:
        for table in take(entry.tables, lambda table: _fits(table, names, needed)):
            heads = [labels.known(head, names) for head in table.header]
            for head, meant in zip(table.header, heads, strict=True):
                if meant is None:
                    draft.not_placed(table.number, f"the column {head!r:.60} of a table")
            for number, row in table.rows:
                cells = {head: cell for head, cell in zip(heads, row, strict=False) if head and cell}
                yield (
                    plain(cells.get(needed, "")),
                    [LabelledEntry(head, cell, number) for head, cell in cells.items()],
                )


def _fits(table: MarkdownTable, names: Collection[str], needed: str) -> bool:
    heads = [labels.known(head, names) for head in table.header]
    return needed in heads and heads.count(None) <= len(heads) // 2


def take_records(
    draft: Draft, entries: Iterable[LabelledEntry], names: Mapping[str, labels.MapField], needed: str
) -> Iterator[Part]:
    """Take the tables whose headers are known; yields each row as a part of the map."""
    for _, cells in take_rows(draft, entries, names, needed):
        part: Part = {}
        take_fields(draft, cells, part, names)
        yield part


def take_pairs(entries: Iterable[LabelledEntry], *header: str) -> Iterator[tuple[str, str]]:
    """Take the tables of two columns with this header."""
    for entry in entries:
        for table in take(entry.tables, lambda table: tuple(table.header) == header):
            yield from ((plain(key), value) for _, (key, value) in table.rows)


def label_lines(section: Section) -> None:
    """Make entries of tables of keys and values, and of lines such as `Owner: Finance` under no label."""
    for entry in list(section.entries):
        for table in take(entry.tables, _has_values):
            section.entries += [LabelledEntry(plain(row[0]), row[1], number) for number, row in table.rows]
        for lines in (entry.text, entry.items) if not entry.label else ():
            for line in take(lines, _is_labelled):
                label, _, value = line.text.partition(":")
                section.entries.append(LabelledEntry(label.strip(), value.strip(), line.number))


def _has_values(table: MarkdownTable) -> bool:
    heads = [head.casefold().removesuffix("s") for head in table.header]
    return len(heads) == 2 and heads[0] in _KEYS and heads[1] in _VALUES  # noqa: PLR2004 - key and value


def _is_labelled(line: TextLine) -> bool:
    label, _, value = line.text.partition(":")
    return bool(value.strip()) and not value.startswith("/") and labels.known(label, labels.LINES) is not None


def described(text: str) -> tuple[str, str]:
    """Return name and description of `name - description` or `name (description)`."""
    if text.startswith("`") and (names := quoted(text)):
        rest = text.partition("`")[2].partition("`")[2].strip(" -\u2013\u2014:")
        return names[0], plain(rest[1:-1] if rest.startswith("(") and rest.endswith(")") else rest)
    cut = _DASH.search(text)
    name, note = split_note((text[: cut.start()] if cut else text).replace("**", ""))
    return plain(name), plain(text[cut.end() :] if cut else note)


def heading(title: str, *words: str) -> tuple[str, str, bool]:
    """Return name and note of a heading, and whether it is written `Word: name`, which has no note."""
    word, colon, name = title.partition(":")
    if colon and word.strip().casefold() in {one.casefold() for one in words}:
        return plain(name), "", True
    name, note = split_note(without_number(title))
    return plain(name), note, False


def without_number(title: str) -> str:
    """Return a heading without the number in front of it."""
    first, _, rest = title.partition(" ")
    return rest.strip() if rest and first.strip("0123456789.)") == "" else title
