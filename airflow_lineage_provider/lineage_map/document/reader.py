"""The Markdown document that people sign, read into a map: what `render` writes, and what people write.

Nothing is lost silently: what has no place in a map is listed with its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from airflow_lineage_provider.lineage_map import Map, MapError, MapProblem
from airflow_lineage_provider.lineage_map.document import labels, prose
from airflow_lineage_provider.lineage_map.document.blocks import (
    Field,
    Section,
    columns_into,
    list_into,
    plain,
    quoted,
    sections,
    table_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_CHARACTERS = 2 * 1024 * 1024
_BLANK = re.compile("_{3,}")  # a line to sign on


@dataclass(frozen=True, slots=True)
class Imported:
    """The map of a document, and what of the document it does not hold."""

    content: Map
    unplaced: tuple[MapProblem, ...]


def import_markdown(text: str, file: str = "<document>") -> Imported:
    """Read a lineage document. Raises MapError where it is too large or says what a map cannot hold."""
    if len(text) > MAX_CHARACTERS:
        raise MapError([MapProblem(file, 0, 0, f"larger than {MAX_CHARACTERS >> 20} MiB")])
    reader = _Reader(file)
    for section in sections(text):
        reader.read(section)
    data = reader.finish()
    try:
        content = Map.model_validate(data)
    except ValidationError as error:
        raise MapError(
            MapProblem(file, 0, 0, f"{'.'.join(map(str, e['loc']))}: {e['msg']}") for e in error.errors()
        ) from None
    return Imported(content, tuple(sorted(reader.unplaced, key=lambda problem: problem.line)))


@dataclass(slots=True)
class _Reader:
    """Follows the headings: each top one says what the sections under it are about."""

    file: str
    data: dict[str, Any] = field(default_factory=lambda: {"document": {}})
    unplaced: list[MapProblem] = field(default_factory=list)
    topic: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    layer: dict[str, Any] = field(default_factory=dict)
    told: set[int] = field(default_factory=set)
    drafts: prose.Drafts = field(default_factory=prose.Drafts)

    def read(self, section: Section) -> None:
        if section.level == 1:
            if "title" in self.data["document"]:
                self.not_placed(section.body.line, f"{section.title!r:.80}")
            self.data["document"].setdefault("title", plain(section.title))
            self.fields(section, self.data["document"], labels.HEAD)
            return
        if section.level == 2:  # noqa: PLR2004 - a topic
            self.topic = section.title
        for words, reader in _TOPICS.items():
            if re.fullmatch(words, self.topic, re.IGNORECASE):
                reader(self, section)
                return
        if not (section.level == 0 and section.body.empty and not section.fields):
            self.not_placed(section.body.line, f"the section {section.title!r:.80}")

    def fields(
        self,
        section: Section,
        into: dict[str, Any],
        names: Mapping[str, str],
        others: Mapping[str, Callable[[Field], None]] | None = None,
    ) -> None:
        """Take the labelled values of a section; what has another form has a reader in `others`."""
        self.nothing_else(section, section.body.text)
        for found in section.fields:
            if others and found.label in others:
                others[found.label](found)
            elif found.label in names:
                into[names[found.label]] = plain(found.value)
                self.nothing_under(found)
            else:
                self.not_placed(found.body.line, f"{found.label!r:.60}")

    def nothing_under(self, found: Field) -> None:
        if found.body.text or found.body.bullets or found.body.rows:
            self.not_placed(found.body.line, f"what stands under {found.label!r:.60}")

    def nothing_else(self, section: Section, lines: list[str]) -> None:
        if lines and section.body.line not in self.told:
            self.told.add(section.body.line)
            self.not_placed(section.body.line, f"the text {lines[0]!r:.60}")

    def not_placed(self, line: int, what: str) -> None:
        self.unplaced.append(MapProblem(self.file, line, 1, f"{what} has no place in a map; left out"))

    def control(self, section: Section) -> None:
        for row in section.body.rows:
            key = labels.CONTROL.get(plain(row[0]))
            if key and len(row) > 1:
                self.data["document"][key] = plain(row[1])
            elif plain(row[0]) != "Field":
                self.not_placed(section.body.line, f"{row[0]!r:.60}")

    def overview(self, section: Section) -> None:
        self.data["document"]["overview"] = plain(" ".join(section.body.text))
        self.nothing_else(section, section.body.bullets)

    def sources(self, section: Section) -> None:
        if section.level == 4:  # noqa: PLR2004 - a dataset of the source above
            self.details(section, self.source.setdefault("datasets", {}), "Dataset", labels.SOURCE_DATASET)
        elif section.title.startswith("Source:"):
            title = plain(section.title.removeprefix("Source:"))
            source: dict[str, Any] = {"title": title, "extraction": {}, "datasets": {}}
            name = next((plain(f.value) for f in section.fields if f.label == "Name"), "")
            self.source = source
            landings = prose.read_source(self, section, source)
            known = self.data.setdefault("sources", {})
            known[name or self.drafts.source_key(source)] = source
            for key, landing in landings.items():
                known.setdefault(key, {**landing, "datasets": {}})["datasets"] |= landing["datasets"]
        else:
            self.only_heading(section)

    def details(self, section: Section, into: dict[str, Any], word: str, names: Mapping[str, str]) -> None:
        name = plain(section.title.removeprefix(f"{word}:"))
        part: dict[str, Any] = into.setdefault(name, {})
        lists = {
            label: list_into(part, key)
            for label, key in (labels.TABLE_LISTS if word == "Table" else {"Owners": "owners"}).items()
        }
        self.fields(section, part, names, {**lists, "Columns": columns_into(part, "columns")})

    def layers(self, section: Section) -> None:
        if section.level == 4:  # noqa: PLR2004 - a table of the layer above
            self.details(section, self.layer.setdefault("tables", {}), "Table", labels.TABLE)
        elif section.level == 3:  # noqa: PLR2004 - a layer
            prose.read_layer(self, section)
        else:
            self.only_heading(section)

    def chains(self, section: Section) -> None:
        if section.title.startswith("Example:"):
            prose.read_chain(self, section, plain(section.title.removeprefix("Example:")))
        else:
            self.only_heading(section)

    def consumers(self, section: Section) -> None:
        if section.level == 3:  # noqa: PLR2004 - a consumer, or a group of them
            prose.read_consumers(self, section)
        else:
            self.only_heading(section)

    def pipeline(self, section: Section) -> None:
        into = self.data.setdefault("pipeline", {})

        def tasks(found: Field) -> None:
            into["tasks"] = {plain(row[0]): quoted(row[1]) for row in found.body.rows[1:]}

        self.fields(section, into, labels.PIPELINE, {"Tasks": tasks})

    def events(self, section: Section) -> None:
        prose.read_events(self, section)

    def environments(self, section: Section) -> None:
        if not section.title.startswith("Environment:"):
            self.only_heading(section)
            return
        into: dict[str, Any] = {"bindings": []}

        def bindings(found: Field) -> None:
            into["bindings"] = table_rows(found.body, labels.BINDING)

        self.fields(
            section,
            into,
            {"Description": "description"},
            {"Bindings": bindings, "Produces": list_into(into, "produces")},
        )
        self.data.setdefault("environments", {})[plain(section.title.removeprefix("Environment:"))] = into

    def policy(self, section: Section) -> None:
        self.data["policy"] = {plain(row[0]): plain(row[1]) for row in section.body.rows[1:]}

    def accepted(self, section: Section) -> None:
        self.data["accepted"] = table_rows(section.body, labels.ACCEPTED)

    def catalog(self, section: Section) -> None:
        into = self.data.setdefault("catalog", {})
        if section.title.startswith("Ingestion:"):
            settings = {plain(row[0]): plain(row[1]) for row in section.body.rows[1:]}
            into.setdefault("ingestion", {})[plain(section.title.removeprefix("Ingestion:"))] = settings
            return
        into["title"] = plain(section.title.removesuffix("Integration"))
        registered = {"Datasets Registered": list_into(into, "registered")}
        extraction = {"Automated Lineage Extraction": lambda f: prose.read_ingestion(self, f, into)}
        self.fields(section, into, {"Catalog": "url"}, {**registered, **extraction})

    def scenarios(self, section: Section) -> None:
        prose.read_scenarios(self, section)

    def validation(self, section: Section) -> None:
        into = self.data.setdefault("validation", {})
        self.fields(
            section,
            into,
            {},
            {
                "Automated Validation": list_into(into, "automated"),
                "Manual Validation": list_into(into, "manual"),
            },
        )

    def history(self, section: Section) -> None:
        self.data["change_history"] = table_rows(section.body, labels.HISTORY)

    def approvals(self, section: Section) -> None:
        approvals = self.data.setdefault("approvals", [])
        for bullet in section.body.bullets:
            found = re.fullmatch(r"(.*?): *(.*?) *Date: *(.*)", bullet)
            if found is None:
                self.not_placed(section.body.line, f"the approval {bullet!r:.60}")
                continue
            role, *signed = found.groups()
            name, date = ("" if _BLANK.fullmatch(part) else plain(part) for part in signed)
            approvals.append({"role": plain(role), "name": name, "date": date})

    def only_heading(self, section: Section) -> None:
        """Accept a heading whose sections follow, and list what else stands there."""
        if section.fields or section.body.text or section.body.rows or section.body.bullets:
            self.not_placed(section.body.line, f"the section {section.title!r:.80}")

    def finish(self) -> dict[str, Any]:
        self.drafts.settle(self)
        return self.data


_TOPICS: dict[str, Callable[[_Reader, Section], None]] = {
    "Document Control": _Reader.control,
    "Overview": _Reader.overview,
    "Source Systems": _Reader.sources,
    "Data Flow.*": _Reader.layers,
    "Column-Level Lineage": _Reader.chains,
    "Downstream Consumers": _Reader.consumers,
    "Pipeline": _Reader.pipeline,
    "OpenLineage Events": _Reader.events,
    "Environments": _Reader.environments,
    "Policy": _Reader.policy,
    "Accepted Findings": _Reader.accepted,
    ".*Integration": _Reader.catalog,
    "Impact Analysis": _Reader.scenarios,
    "Lineage Validation": _Reader.validation,
    "Change History": _Reader.history,
    "Approvals": _Reader.approvals,
}
