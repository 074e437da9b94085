"""Tables of a document by what their headers say: edges, columns, parts and the lines of a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.document import labels
from airflow_lineage_provider.lineage_map.document.arrows import stop
from airflow_lineage_provider.lineage_map.document.blocks import LabelledEntry, plain, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from airflow_lineage_provider.lineage_map.document.arrows import Stop
    from airflow_lineage_provider.lineage_map.document.blocks import MarkdownTable

_SOURCES = frozenset({"source", "from", "upstream", "input", "origin", "reads", "depends on"})
_TARGETS = frozenset({"target", "to", "destination", "downstream", "output", "sink", "feeds", "lands in"})
_VALUES = frozenset({"value", "setting", "details", "description"})
_KEYS = frozenset({"field", "property", "attribute", "key", "item"})


def rows(table: MarkdownTable, names: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the rows of a table by the keys that its headers stand for; empty cells are left out."""
    heads = [labels.known(head, names) or "" for head in table.header]
    keys = [names.get(head, "") for head in heads]
    return [
        {key: plain(cell) for key, cell in zip(keys, row, strict=False) if key and cell}
        for _, row in table.rows
    ]


def fits(table: MarkdownTable, names: Collection[str], needed: Collection[str]) -> bool:
    """Whether a table has the headers that are needed, and no more than one that none of the names means."""
    heads = [labels.known(head, names) for head in table.header]
    return set(needed) <= set(heads) and heads.count(None) <= len(heads) // 2


def key_values(table: MarkdownTable) -> list[LabelledEntry]:
    """Return the rows of a table of keys and values as labelled entries; nothing for another table."""
    heads = [head.casefold() for head in table.header]
    if len(heads) != 2 or heads[0] not in _KEYS or heads[1] not in _VALUES:  # noqa: PLR2004 - key and value
        return []
    return [LabelledEntry(plain(row[0]), row[1], number) for number, row in table.rows]


def columns(table: MarkdownTable) -> dict[str, Any]:
    """Return the columns that a table describes, one a row."""
    heads = [labels.known(head, labels.COLUMN) or "" for head in table.header]
    found = {}
    for _, row in table.rows:
        cells = dict(zip(heads, row, strict=False))
        found[plain(cells["Column"])] = _column(cells)
    return found


def _column(cells: Mapping[str, str]) -> dict[str, Any]:
    column: dict[str, Any] = {
        key: plain(cells[label])
        for label, key in labels.COLUMN.items()
        if cells.get(label) and key not in {"name", "from", "checks"}
    }
    if cells.get("From"):
        column["from"] = [] if cells["From"] == labels.NO_SOURCE else names_of(cells["From"])
    if cells.get("Checks"):
        column["checks"] = names_of(cells["Checks"])
    return column


def names_of(text: str) -> list[str]:
    """Return names in backticks, else the text at its commas."""
    return quoted(text) or [plain(part) for part in text.split(",") if part.strip()]


def lineage(table: MarkdownTable) -> list[tuple[int, Stop, Stop, str]]:
    """Return line, source, target and how of each row of a source-to-target table; nothing for another table.

    A column stands in a cell of its own, or behind its table's name.
    """
    heads = [_role(head) for head in table.header]
    if not {"source", "target"} <= set(heads):
        return []
    found = []
    for number, row in table.rows:
        cells = dict(zip(heads, row, strict=False))
        source, target = (_cell(cells, role) for role in ("source", "target"))
        if source.names and target.names:
            found.append((number, source, target, plain(cells.get("how", ""))))
    return found


def has_columns(table: MarkdownTable) -> bool:
    """Whether a source-to-target table names columns in cells of their own."""
    return {"source column", "target column"} <= {_role(head) for head in table.header}


def is_role(word: str) -> bool:
    """Whether a word says which end of an edge follows, as in `Source: a.b`."""
    return _role(word) in {"source", "target"}


def _cell(cells: Mapping[str, str], role: str) -> Stop:
    found = stop(cells.get(role, ""))
    if column := plain(cells.get(f"{role} column", "")):
        return found._replace(names=[f"{name}.{column}" for name in found.names])
    return found


def _role(head: str) -> str:
    """Return the role of a header: source, target, either's column, how, or nothing."""
    words = head.casefold().replace("(s)", "").replace("_", " ")
    if labels.known(words, ["Expression"]):
        return "how"
    whole = {words, words.removesuffix("s")}
    column = " column" if {"column", "field", "columns", "fields"} & set(words.split()) else ""
    first = words.split()[:1]
    for role, known in (("source", _SOURCES), ("target", _TARGETS)):
        if whole & known or (first and first[0] in known and len(words.split()) == 2):  # noqa: PLR2004
            return role + column
    return ""
