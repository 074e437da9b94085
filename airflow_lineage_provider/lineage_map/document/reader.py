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

from airflow_lineage_provider.lineage_map.document import labels, parts
from airflow_lineage_provider.lineage_map.document.blocks import plain, quoted, sections, take
from airflow_lineage_provider.lineage_map.document.draft import Draft
from airflow_lineage_provider.lineage_map.document.fields import (
    heading,
    label_lines,
    take_fields,
    take_pairs,
    take_records,
)
from airflow_lineage_provider.lineage_map.document.flows import read_chains, read_flows
from airflow_lineage_provider.lineage_map.document.models import settle_models
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.model import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_lineage_provider.lineage_map.document.blocks import Section
    from airflow_lineage_provider.lineage_map.document.draft import Part

MAX_CHARACTERS = 1024 * 1024
_FIELDS: Mapping[str, Mapping[str, labels.MapField]] = {
    "document": labels.DOCUMENT,
    "scope": labels.SCOPE,
    "pipeline": labels.PIPELINE,
    "catalog": labels.CATALOG,
    "validation": labels.VALIDATION,
}
"""The topics that are labelled values."""
_RECORDS: Mapping[str, Mapping[str, labels.MapField]] = {
    "accepted": labels.ACCEPTED,
    "change_history": labels.HISTORY,
    "approvals": labels.APPROVAL,
}
"""The topics that are tables with a row for each part; the first header has to be there."""
_NO_LINES = {"overview", "approvals", "column_lineage", "validation"}
"""The topics whose lines are text, not `Label: value`."""


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
    parts.settle_connections(draft)
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
        self._open(section)
        if self.topic not in _NO_LINES:
            label_lines(section)
        before = _left(section)
        self._read_topic(section)
        read_flows(self.draft, section, self.topic, self.near)
        left = _left(section)
        if section.title and not self.topic and (section.level == 1 or left == before):
            self.draft.not_placed(section.number, f"the section {section.title!r:.80}")
            left = [] if left == before else left
        for number, what in left:
            self.draft.not_placed(number, what)

    def _open(self, section: Section) -> None:
        """Open the topic that a heading names, unless it stands below the heading of an open one."""
        self.whole = not (self.topic and section.level > self.level)
        if not self.whole:
            self.part_level = min(self.part_level, section.level)
            return
        self.topic = labels.topic_of(section.title)
        self.level, self.part_level, self.layer, self.near, self.source = section.level, 7, "", "", None

    def _read_topic(self, section: Section) -> None:
        draft, topic = self.draft, self.topic or ("document" if section.level <= 1 else "")
        if reads := _TOPICS.get(topic):
            reads(self, section)
        elif names := _RECORDS.get(topic):
            records = take_records(draft, section.entries, names, next(iter(names)))
            draft.data.setdefault(topic, []).extend(records)
        if names := _FIELDS.get(topic):
            part = draft.data if topic == "scope" else draft.part(topic)
            take_fields(draft, section.entries, part, names)

    def _is_detail(self, section: Section) -> bool:
        return section.level > self.part_level

    def overview(self, section: Section) -> None:
        document, texts = self.draft.part("document"), section.entries[0].text
        text = plain(" ".join(line.text for line in texts))
        document["overview"] = " ".join(filter(None, [document.get("overview", ""), text]))
        texts.clear()

    def sources(self, section: Section) -> None:
        self.near = "sources"
        if self.whole:
            parts.read_source_list(self.draft, section)
        elif self.source is not None and self._is_detail(section):
            parts.read_dataset(self.draft, section, self.source)
        else:
            self.source = parts.read_source(self.draft, section)

    def layers(self, section: Section) -> None:
        if not self.whole and (self._is_detail(section) or parts.is_table(section.title)):
            parts.read_table(self.draft, section, self.layer if self._is_detail(section) else "")
        elif self.whole or parts.is_no_layer(section.title):
            self.near = self.layer = ""
            parts.read_tables(self.draft, section, "")
        else:
            self.near = self.layer = parts.read_layer(self.draft, section)

    def column_lineage(self, section: Section) -> None:
        read_chains(self.draft, section, whole=self.whole)

    def consumers(self, section: Section) -> None:
        self.near = parts.read_consumers(self.draft, section, whole=self.whole)

    def scenarios(self, section: Section) -> None:
        parts.read_scenarios(self.draft, section, whole=self.whole)

    def pipeline(self, section: Section) -> None:
        if tasks := dict(take_pairs(section.entries, "Task", "Runs")):
            self.draft.part("pipeline")["tasks"] = {task: quoted(runs) for task, runs in tasks.items()}

    def environments(self, section: Section) -> None:
        if not self.whole:
            into = self.draft.part("environments", heading(section.title, "Environment")[0])
            bindings = take_records(self.draft, section.entries, labels.BINDING, "Dataset")
            into.setdefault("bindings", []).extend(bindings)
            take_fields(self.draft, section.entries, into, labels.ENVIRONMENT)

    def policy(self, section: Section) -> None:
        self.draft.part("policy").update(take_pairs(section.entries, "Finding", "Severity"))

    def catalog(self, section: Section) -> None:
        into = self.draft.part("catalog")
        title, _, written = heading(section.title, "Ingestion", "Catalog")
        if written and not self.whole:
            pairs = take_pairs(section.entries, "Setting", "Value")
            into.setdefault("ingestion", {})[title] = {key: plain(value) for key, value in pairs}
        else:
            into.setdefault("title", title if written else plain(section.title.removesuffix("Integration")))

    def approvals(self, section: Section) -> None:
        """Take lines to sign, `- Role: ____ Date: ____`, beside tables."""
        records = self.draft.data.setdefault("approvals", [])
        records += take_records(self.draft, section.entries, labels.APPROVAL, "Role")
        for item in take(section.entries[-1].items, lambda item: ":" in item.text):
            role, _, rest = item.text.partition(":")
            name, _, date = (plain(part) for part in rest.partition("Date:"))
            records.append({"role": plain(role), "name": name.strip("_"), "date": date.strip("_")})


_TOPICS: Mapping[str, Callable[[_Reader, Section], None]] = {
    name: getattr(_Reader, name) for name in labels.TOPICS if hasattr(_Reader, name)
}


def _left(section: Section) -> list[tuple[int, str]]:
    return [one for entry in section.entries for one in entry.left()]
