"""Dashboards, feature views and models that a document describes, one by one or in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.document import labels, tables
from airflow_lineage_provider.lineage_map.document.arrows import Stop, has_arrow, split_note, stop
from airflow_lineage_provider.lineage_map.document.blocks import plain, take
from airflow_lineage_provider.lineage_map.document.draft import CONSUMERS, DrawnEdge
from airflow_lineage_provider.lineage_map.document.entries import take_columns, take_labels

if TYPE_CHECKING:
    from airflow_lineage_provider.lineage_map.document.blocks import LabelledEntry, Section
    from airflow_lineage_provider.lineage_map.document.draft import Draft, Part

KINDS = {
    "Dashboard": "dashboards",
    "Report": "dashboards",
    "Feature View": "feature_views",
    "ML Model": "ml_models",
    "Model": "ml_models",
}
_LABELS = dict(zip(CONSUMERS, (labels.DASHBOARD, labels.FEATURE_VIEW, labels.ML_MODEL), strict=True))
_LISTS = {"feature_views": labels.FEATURE_VIEW_LISTS}
_COLUMNS = {"dashboards": "fields", "feature_views": "features"}


def read_consumers(draft: Draft, section: Section, *, whole: bool) -> str:
    """Read a consumer, or a group of them that share a tool: `BI Dashboards (Tableau)`.

    Returns the kind of the group. `whole`: the section is the topic itself, not a part of it.
    """
    word, _, name = section.title.partition(":")
    kind = KINDS.get(word.strip(), "") if name or section.title.endswith(":") else ""
    if kind:
        _describe(draft, section.entries, kind, draft.part(kind, plain(name)))
        return kind
    title, tool = split_note(section.title)
    kind, group = _kind(title)
    part: Part | None = None
    if not (whole or group or any(labels.known(entry.label, KINDS) for entry in section.entries)):
        part = draft.consumer(kind, plain(title), tool)
    for entry in section.entries:
        if label := labels.known(entry.label, KINDS):
            kind = KINDS[label]
            part = draft.consumer(kind, plain(entry.value), tool)
            entry.value = ""
        _take_rows(draft, entry, kind, tool)
        if part is not None:
            _describe(draft, [entry], kind, part)
        elif not entry.label or labels.known(entry.label, labels.DATASETS):
            _listed(draft, entry, kind, tool)
    return kind


def _take_rows(draft: Draft, entry: LabelledEntry, kind: str, tool: str) -> None:
    """Take the tables that have a row for each consumer."""
    for table in take(entry.tables, lambda table: tables.fits(table, labels.CONSUMER_ROW, ["Consumer"])):
        for (number, _), row in zip(table.rows, tables.rows(table, labels.CONSUMER_ROW), strict=True):
            part = draft.consumer(kind, row.pop("name", ""), row.pop("tool", tool))
            if source := row.pop("from", ""):
                draft.edges.append(DrawnEdge(number, stop(source), part))
            part |= {key: tables.names_of(value) if key == "owners" else value for key, value in row.items()}


def _kind(title: str) -> tuple[str, bool]:
    """Return the kind that the words of a heading say, and whether they are of several."""
    words = title.casefold().split()
    for word, kind in (("model", "ml_models"), ("feature", "feature_views")):
        if {word, f"{word}s"} & set(words):
            return kind, f"{word}s" in words or "store" in words
    plural = {"dashboards", "reports", "consumers", "boards", "exposures", "applications"}
    return "dashboards", bool(plural & set(words))


def _describe(draft: Draft, entries: list[LabelledEntry], kind: str, part: Part) -> None:
    """Take what is said of one consumer."""
    for entry in entries:
        if labels.known(entry.label, ["Source"]):
            source = stop(entry.value) if entry.value else Stop([plain(i.text) for i in entry.items])
            if entry.value != labels.NO_SOURCE:
                draft.edges.append(DrawnEdge(entry.number, source, part))
            entry.value, entry.items = "", []
        elif kind in _COLUMNS and labels.known(entry.label, ["Fields Used", "Features"]):
            take_columns(entry, part, _COLUMNS[kind])
    take_labels(entries, part, _LABELS[kind], _LISTS.get(kind, labels.OWNERS))


def _listed(draft: Draft, entry: LabelledEntry, kind: str, tool: str) -> None:
    """Take the names of a list, each a consumer of its own."""
    for item in take(entry.items, lambda item: not has_arrow(item.text)):
        name, note = split_note(item.text.partition(" - ")[0].partition(" — ")[0])
        draft.consumer(kind, plain(name.replace("**", "")), note or tool)


def settle_connections(draft: Draft) -> None:
    """Make a dashboard without a source from the tables that its connection names."""
    for board in draft.data.get("dashboards", {}).values():
        if "from" not in board:
            words = board.get("connection", "").replace("(", " ").replace(")", " ").replace("`", " ").split()
            board["from"] = [word for word in words if draft.has_table(word)]
