"""What every reader takes from labelled entries: values, lists and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.document import labels, tables
from airflow_lineage_provider.lineage_map.document.blocks import LabelledEntry, plain, take

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.lineage_map.document.blocks import Section, TextLine
    from airflow_lineage_provider.lineage_map.document.draft import Part

_NONE: Mapping[str, str] = {}


def take_labels(
    entries: Iterable[LabelledEntry], part: Part, names: Mapping[str, str], lists: Mapping[str, str] = _NONE
) -> None:
    """Move the values and lists whose labels are known into a part of the map."""
    for entry in entries:
        if label := labels.known(entry.label, names):
            if entry.value:
                part[names[label]] = plain(entry.value)
            entry.value = ""
        elif label := labels.known(entry.label, lists):
            part[lists[label]] = take_list(entry)


def label_lines(section: Section) -> None:
    """Make entries of key-value tables, and of lines such as `Owner: Finance` that stand under no label."""
    for entry in list(section.entries):
        for table in take(entry.tables, lambda table: bool(tables.key_values(table))):
            section.entries += tables.key_values(table)
        for lines in (entry.text, entry.items) if not entry.label else ():
            for line in take(lines, _is_labelled):
                label, _, value = line.text.partition(":")
                section.entries.append(LabelledEntry(label.strip(), value.strip(), line.number))


def _is_labelled(line: TextLine) -> bool:
    label, _, value = line.text.partition(":")
    return bool(value.strip()) and not value.startswith("/") and labels.known(label, labels.LINES) is not None


def take_list(entry: LabelledEntry) -> list[str]:
    """Take the list under a label, or the names beside it."""
    found = [
        *(tables.names_of(entry.value) if entry.value else ()),
        *(plain(item.text) for item in entry.items),
    ]
    entry.value, entry.items = "", []
    return found


def take_columns(entry: LabelledEntry, part: Part, key: str) -> None:
    """Take a list of columns, or a table of them, into a part of the map."""
    found = part.setdefault(key, {})
    found |= {name: {} for name in take_list(entry)}
    for table in take(entry.tables, lambda table: tables.fits(table, labels.COLUMN, ["Column"])):
        found |= tables.columns(table)
