"""A Markdown lineage document, read into a map: what the writer writes, and documents that people wrote.

The rules are general: headings say what a section is about, labels name values and lists, tables are read by
their headers, arrows are lineage, fenced SQL is a model. What has no place in a map is listed with its line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_lineage_provider.lineage_map.document import labels, parts, tables
from airflow_lineage_provider.lineage_map.document.blocks import plain, quoted, sections, take
from airflow_lineage_provider.lineage_map.document.consumers import read_consumers, settle_connections
from airflow_lineage_provider.lineage_map.document.draft import Draft
from airflow_lineage_provider.lineage_map.document.entries import label_lines, take_labels, take_list
from airflow_lineage_provider.lineage_map.document.flows import read_flows
from airflow_lineage_provider.lineage_map.document.models import settle_models
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.model import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_lineage_provider.lineage_map.document.blocks import LabelledEntry, Section
    from airflow_lineage_provider.lineage_map.document.draft import Part

MAX_CHARACTERS = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Imported:
    """The map of a document, and what of the document it does not hold."""

    content: Map
    unplaced: tuple[MapProblem, ...]


def import_markdown(text: str, file: str = "<document>") -> Imported:
    """Read a lineage document. Raises MapError if it is too large."""
    if len(text) > MAX_CHARACTERS:
        message = f"larger than {MAX_CHARACTERS >> 20} MiB; split the document"
        raise MapError([MapProblem(file, 0, 0, message)])
    reader = _Reader(Draft(file))
    for section in sections(text):
        reader.read(section)
    draft = reader.draft
    draft.settle_edges()
    settle_models(draft)
    draft.settle_columns()
    draft.settle_layers()
    settle_connections(draft)
    parts.settle_scenarios(draft)
    content = _validated(draft)
    return Imported(content, tuple(sorted(draft.unplaced, key=lambda problem: problem.line)))


def _validated(draft: Draft) -> Map:
    """Return the map; leave out and list what no map can hold, such as a table without a name."""
    while True:
        try:
            return Map.model_validate(draft.data)
        except ValidationError as error:
            problems = {_known_part(draft.data, e["loc"]): e for e in error.errors(include_url=False)}
            for path, problem in reversed(problems.items()):
                where = ".".join(map(str, problem["loc"]))
                draft.unplaced.append(
                    MapProblem(draft.file, 0, 0, f"{where:.200}: {problem['msg']}; left out")
                )
                if not any(path[:end] in problems for end in range(len(path))):
                    around = reduce(getitem, path[:-1], draft.data)
                    del around[path[-1]]


def _known_part(data: Any, path: tuple[int | str, ...]) -> tuple[Any, ...]:
    """Return the path as far as the data has it: where a key is missing, the part that should have it."""
    for end, key in enumerate(path):
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return path[:end]
    return path


@dataclass(slots=True)
class _Reader:
    """Follows the headings: each opens a topic, or describes a part of the topic that is open."""

    draft: Draft
    topic: str = ""
    level: int = 0
    layer: str = ""
    near: str = ""
    source: Part | None = None
    part_level: int = 7
    whole: bool = False
    """Whether the section is the topic itself, not a part of it."""

    def read(self, section: Section) -> None:
        """Read a section, and list what of it has no place."""
        document = self.draft.part("document")
        if section.level == 1 and "title" not in document:
            document["title"] = plain(section.title)
            section.title = ""
        self.whole = self._opens(section)
        if self.topic not in {"overview", "approvals", "columns", "validation"}:
            label_lines(section)
        before = _left(section)
        if self.topic:
            _TOPICS[self.topic](self, section)
        elif section.level <= 1:
            take_labels(section.entries, document, labels.HEAD | labels.CONTROL)
        read_flows(self.draft, section, self.topic, self.near)
        left = _left(section)
        if section.title and not self.topic and (section.level == 1 or left == before):
            self.draft.not_placed(section.number, f"the section {section.title!r:.80}")
            left = [] if left == before else left
        for number, what in left:
            self.draft.not_placed(number, what)

    def _opens(self, section: Section) -> bool:
        """Open the topic that a heading names, unless it stands below the heading of an open one."""
        if self.topic and section.level > self.level:
            self.part_level = min(self.part_level, section.level)
            return False
        self.topic = labels.topic_of(section.title) or ""
        self.level, self.part_level, self.layer, self.near, self.source = section.level, 7, "", "", None
        return True

    def _is_detail(self, section: Section) -> bool:
        return section.level > self.part_level

    def control(self, section: Section) -> None:
        take_labels(section.entries, self.draft.part("document"), labels.HEAD | labels.CONTROL)

    def scope(self, section: Section) -> None:
        take_labels(section.entries, self.draft.data, {}, {"Covers": "scope"})

    def overview(self, section: Section) -> None:
        document = self.draft.part("document")
        texts = [line.text for line in section.entries[0].text]
        document["overview"] = " ".join(filter(None, [document.get("overview", ""), plain(" ".join(texts))]))
        section.entries[0].text = []

    def sources(self, section: Section) -> None:
        self.near = "sources"
        if self.whole:
            parts.read_source_list(self.draft, section)
        elif self.source is not None and self._is_detail(section):
            parts.read_dataset(section, self.source)
        else:
            self.source = parts.read_source(self.draft, section)

    def layers(self, section: Section) -> None:
        title = section.title
        if not self.whole and (
            title.startswith("Table:") or self._is_detail(section) or parts.is_table(title)
        ):
            parts.read_table(self.draft, section, self.layer if self._is_detail(section) else "")
        elif self.whole or parts.is_no_layer(title):
            self.near = self.layer = ""
            parts.read_tables(self.draft, section, "")
        else:
            self.near = self.layer = parts.read_layer(self.draft, section)

    def columns(self, section: Section) -> None:
        if not self.whole:
            parts.read_chain(self.draft, section)

    def consumers(self, section: Section) -> None:
        self.near = read_consumers(self.draft, section, whole=self.whole)

    def scenarios(self, section: Section) -> None:
        parts.read_scenarios(self.draft, section, whole=self.whole)

    def pipeline(self, section: Section) -> None:
        into = self.draft.part("pipeline")
        take_labels(section.entries, into, labels.PIPELINE)
        for entry in section.entries:
            if entry.label == "Tasks":
                for table in entry.tables:
                    into["tasks"] = {plain(row[0]): quoted(row[1]) for _, row in table.rows}
                entry.tables = []

    def environments(self, section: Section) -> None:
        if self.whole:
            return
        into: Part = self.draft.part("environments", plain(section.title.removeprefix("Environment:")))
        into.setdefault("bindings", [])
        take_labels(section.entries, into, {"Description": "description"}, {"Produces": "produces"})
        for entry in section.entries:
            if labels.known(entry.label, ["Bindings"]):
                into["bindings"] += _take_rows(entry, labels.BINDING)

    def policy(self, section: Section) -> None:
        for entry in section.entries:
            for row in _take_rows(entry, {"Finding": "finding", "Severity": "severity"}):
                self.draft.part("policy")[row.get("finding", "")] = row.get("severity", "")

    def accepted(self, section: Section) -> None:
        for entry in section.entries:
            self.draft.data.setdefault("accepted", []).extend(_take_rows(entry, labels.ACCEPTED))

    def catalog(self, section: Section) -> None:
        into = self.draft.part("catalog")
        word, colon, title = section.title.partition(":")
        if not self.whole and word == "Ingestion":
            settings: dict[str, str] = into.setdefault("ingestion", {}).setdefault(plain(title), {})
            for entry in section.entries:
                for row in _take_rows(entry, {"Setting": "setting", "Value": "value"}):
                    settings[row.get("setting", "")] = row.get("value", "")
            return
        into.setdefault("title", plain(title if colon else section.title.removesuffix("Integration")))
        take_labels(section.entries, into, labels.CATALOG, labels.CATALOG_LISTS)

    def validation(self, section: Section) -> None:
        into = self.draft.part("validation")
        for entry in section.entries:
            words = (entry.label or section.title).casefold()
            key = "manual" if "manual" in words else "automated" if "automat" in words else ""
            if key and entry.items:
                into.setdefault(key, []).extend(take_list(entry))

    def history(self, section: Section) -> None:
        for entry in section.entries:
            rows = _take_rows(entry, labels.HISTORY, needed="Version")
            self.draft.data.setdefault("change_history", []).extend(rows)

    def approvals(self, section: Section) -> None:
        approvals = self.draft.data.setdefault("approvals", [])
        for entry in section.entries:
            approvals += _take_rows(entry, labels.APPROVAL, needed="Role")
            for item in take(entry.items, lambda item: ":" in item.text):
                role, _, rest = item.text.partition(":")
                name, _, date = rest.partition("Date:")
                signed = ("" if set(part.strip()) == {"_"} else plain(part) for part in (name, date))
                approvals.append(dict(zip(("role", "name", "date"), (plain(role), *signed), strict=True)))


def _left(section: Section) -> list[tuple[int, str]]:
    return [one for entry in section.entries for one in entry.left()]


def _take_rows(entry: LabelledEntry, names: Mapping[str, str], needed: str = "") -> list[dict[str, str]]:
    """Take the rows of the tables that have the headers."""
    fitting = take(entry.tables, lambda table: tables.fits(table, names, [needed] if needed else list(names)))
    return [row for table in fitting for row in tables.rows(table, names)]


_TOPICS: Mapping[str, Callable[[_Reader, Section], None]] = {
    name: getattr(_Reader, name) for name in labels.TOPICS
}
