"""The looser parts of a lineage document: arrows in prose and fenced blocks, dbt models, DAGs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_lineage_provider.lineage_map.document import labels
from airflow_lineage_provider.lineage_map.document.blocks import (
    Field,
    Section,
    columns_into,
    list_into,
    plain,
    quoted,
)
from airflow_lineage_provider.lineage_map.document.models import read_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_lineage_provider.lineage_map.document.reader import _Reader

_PLACE = re.compile(r"(.*?)\s*(?:\(([^()]*)\))?\s*$")
_HOW = re.compile(r"↓\s*(?:\((.*)\))?\s*(?:\[([^\]]*)\])?\s*$")
_WRITTEN = re.compile(r"(?:(.*?) - )?`([^`]*)`$")
_CONSUMER = re.compile(r"(Dashboard|Feature View|ML Model): ?(.*)")
_ARROW = re.compile("→|->|=>")
_CALCULATES = re.compile(r"[(+*/|<>=%]")
_TASK = re.compile(r"def (\w+)\(\):(?:(?!def ).)*?run_dbt_models\(\[([^\]]*)\]", re.DOTALL)
_KINDS = {"Dashboard": "dashboards", "Feature View": "feature_views", "ML Model": "ml_models"}


@dataclass(slots=True)
class Drafts:
    """What can be placed only when the whole document is known."""

    closed: set[str] = field(default_factory=set)
    """The layers that list their tables; others take in every table that the document names in them."""
    models: list[tuple[str, str, int]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def source_key(self, source: dict[str, Any]) -> str:
        """Return a name for a source that the document gives none: its database, else its first word."""
        path = urlsplit(str(source.get("location", ""))).path.strip("/")
        words: list[str] = re.findall(r"\w+", path.rpartition("/")[2] or source["title"]) or ["source"]
        key, number = words[0].lower(), 2
        while key in self.keys:
            key, number = f"{words[0].lower()}_{number}", number + 1
        self.keys.add(key)
        return key

    def settle(self, reader: _Reader) -> None:
        """Place the models' SQL, the tables that chains name, and the ends of chains."""
        data = reader.data
        for layer, text, line in self.models:
            for what in read_model(data, layer, text):
                reader.not_placed(line, what)
        for chain in data.get("column_lineage", ()):
            for step in chain["steps"]:
                step["column"] = _in_source(data, step["column"])
                self._take_in(data, step["column"].rpartition(".")[0])
                _shown_as(data, step["column"])
        for layer in data.get("layers", {}).values():
            for table in list(layer.get("tables", {}).values()):
                for column in table.get("columns", {}).values():
                    for source in column.get("from", ()):
                        self._take_in(data, source.rpartition(".")[0])

    def _take_in(self, data: dict[str, Any], dataset: str) -> None:
        layer, _, table = dataset.partition(".")
        if table and layer in data.get("layers", {}) and layer not in self.closed:
            data["layers"][layer].setdefault("tables", {}).setdefault(table, {})


def places(text: str) -> list[tuple[str, str]]:
    """Return the stops of a drawn path, each with what stands in parentheses behind it."""
    found = (_PLACE.match(part.strip()) for part in _ARROW.split(text) if part.strip())
    return [(plain(stop[1]), stop[2] or "") for stop in found if stop]


def paths(text: str) -> list[list[tuple[str, str]]]:
    """Return the paths of a fenced block: a line that does not begin with an arrow begins another."""
    drawn: list[str] = []
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        if drawn and _ARROW.match(line):
            drawn[-1] += line
        else:
            drawn.append(line)
    return [places(path) for path in drawn]


def read_source(reader: _Reader, section: Section, source: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Read a source system: its datasets as a list, or one topic with its path.

    Returns the systems in which the path lands on its way, by their keys.
    """
    topic: dict[str, Any] = {}
    landings: dict[str, dict[str, Any]] = {}

    def datasets(found: Field) -> None:
        for bullet in found.body.bullets:
            name, *targets = quoted(bullet) or [place for place, _ in places(bullet)]
            source["datasets"].setdefault(name, {})["to"] = targets

    def one_topic(found: Field) -> None:
        source["kind"] = "topic"
        source["datasets"][plain(found.value)] = topic

    def path(found: Field) -> None:
        for _, text, _ in found.body.fences:
            for stops in paths(text):
                _read_path(source, stops, landings)

    others: dict[str, Callable[[Field], None]] = dict.fromkeys(
        ("Datasets", "Tables", "Topics", "Files"), datasets
    )
    others |= {"Topic": one_topic, "Lineage Path": path, "Owners": list_into(source, "owners")}
    others["Name"] = _known_already
    for found in section.fields:
        here = Section(section.level, section.title, section.body, [found])
        if found.label in labels.EXTRACTION:
            reader.fields(here, source["extraction"], labels.EXTRACTION)
        elif topic in source["datasets"].values() and found.label in labels.SOURCE_DATASET:
            reader.fields(here, topic, labels.SOURCE_DATASET)
        else:
            reader.fields(here, source, labels.SOURCE, others)
    scheme = urlsplit(source.get("location", "")).scheme
    source.setdefault("type", scheme or source["title"].partition(" ")[0].lower() or "unknown")
    return landings


def _known_already(_: Field) -> None:
    """Pass over a label that was read before the others."""


def _read_path(
    source: dict[str, Any], stops: list[tuple[str, str]], landings: dict[str, dict[str, Any]]
) -> None:
    """Read the way from a source to a table; a location in between is a source of its own."""
    if not stops:
        return
    current: dict[str, Any] = source["datasets"].setdefault(stops[0][0], {})
    if stops[0][1]:
        source.setdefault("type", stops[0][1].lower())
    for name, place in stops[1:]:
        if "://" not in name:
            current["to"] = [name]
            continue
        folder, _, last = name.rstrip("/").rpartition("/")
        kind = name.partition("://")[0]
        dataset = {"format": place} if place else {}
        landing = {"title": place or kind, "type": kind, "kind": "files", "location": f"{folder}/"}
        landings.setdefault(kind, {**landing, "datasets": {}})["datasets"][last] = dataset
        current["to"] = [f"{kind}.{last}"]
        current = dataset


def read_layer(reader: _Reader, section: Section) -> None:
    """Read a layer with its list of tables, its lineage, and the dbt models that are printed in it."""
    given = {found.label: plain(found.value) for found in section.fields}
    title = plain(section.title)
    key = given.get("Name") or (re.findall(r"\w+", title) or ["layer"])[0].lower()
    layer: dict[str, Any] = reader.data.setdefault("layers", {}).setdefault(key, {})
    layer["title"] = "" if given.get("Title") == "none" else title
    reader.layer = layer

    def tables(found: Field) -> None:
        reader.drafts.closed.add(key)
        for bullet in found.body.bullets:
            name = (quoted(bullet) or [place for place, _ in places(bullet)])[0]
            layer.setdefault("tables", {}).setdefault(name.removeprefix(f"{key}."), {})

    def lineage(found: Field) -> None:
        for bullet in found.body.bullets:
            _read_lineage(reader, bullet, found.body.line)

    others = {
        "Tables": tables,
        "Lineage": lineage,
        "Quality Checks": list_into(layer, "checks"),
        "Owners": list_into(layer, "owners"),
        "Transformations": _known_already,
        "Name": _known_already,
        "Title": _known_already,
    }
    reader.fields(section, layer, labels.LAYER, others)
    for body in (section.body, *(found.body for found in section.fields)):
        for _, text, line in body.fences:
            if "select" in text.lower():
                reader.drafts.models.append((key, text, line))
            else:
                reader.not_placed(line, "the fenced block")


def _read_lineage(reader: _Reader, bullet: str, line: int) -> None:
    before, after = (
        ([*_ARROW.split(bullet, maxsplit=1), ""])[:2] if "→" not in bullet else bullet.split("→", 1)
    )
    sources = quoted(before) or [name for part in before.split("+") for name, _ in places(part)]
    targets = quoted(after) or [name for name, _ in places(after)]
    if not sources or len(targets) != 1 or "." not in targets[0]:
        reader.not_placed(line, f"the lineage {bullet!r:.60}")
        return
    layer, _, table = targets[0].partition(".")
    layers = reader.data.setdefault("layers", {})
    layers.setdefault(layer, {}).setdefault("tables", {}).setdefault(table, {})["from"] = sources


def read_chain(reader: _Reader, section: Section, title: str) -> None:
    """Read the way of a column: names, and between them arrows that say how."""
    chain: dict[str, Any] = {"title": title, "steps": []}

    def drawn(found: Field) -> None:
        how: dict[str, str] = {}
        for _, text, _ in found.body.fences:
            for line in filter(None, (line.strip() for line in text.split("\n"))):
                if arrow := _HOW.match(line):
                    how = _how(arrow[1] or "", arrow[2] or "")
                else:
                    chain["steps"].append({"column": plain(line.removeprefix("Source: ")), **how})
                    how = {}

    others = {"Lineage Chain": drawn, "Transformation Logic": list_into(chain, "logic")}
    reader.fields(section, chain, {}, others)
    reader.data.setdefault("column_lineage", []).append(chain)


def _how(text: str, subtype: str) -> dict[str, str]:
    """Tell an expression from who does it: it stands in backticks, or after a dash and calculates."""
    if written := _WRITTEN.match(text):
        by, expression = written[1] or "", written[2]
    else:
        by, _, expression = text.partition(" - ")
        if not _CALCULATES.search(expression):
            by, expression = text, ""
    return {"by": plain(by), "expression": plain(expression), "subtype": plain(subtype)}


def read_consumers(reader: _Reader, section: Section) -> None:
    """Read one consumer, or a group of them that share a tool: `BI Dashboards (Tableau)`."""
    one = _CONSUMER.fullmatch(section.title)
    if one:
        kind = _KINDS[one[1]]
        part = reader.data.setdefault(kind, {}).setdefault(plain(one[2]), {})
        _consumer_fields(reader, section, kind, part)
        return
    tool = (_PLACE.match(section.title) or [""] * 3)[2] or ""
    part, kind = {}, "dashboards"
    for found in section.fields:
        here = Section(section.level, section.title, section.body, [found])
        if found.label in _KINDS:
            kind = _KINDS[found.label]
            tool_key = {"dashboards": "tool", "feature_views": "store", "ml_models": "platform"}[kind]
            part = reader.data.setdefault(kind, {}).setdefault(plain(found.value), {tool_key: tool})
        elif found.label == "Lineage":
            for _, text, _ in found.body.fences:
                for stops in paths(text):
                    _consumer_path(reader, kind, stops)
        else:
            _consumer_fields(reader, here, kind, part)


def _consumer_fields(reader: _Reader, section: Section, kind: str, part: dict[str, Any]) -> None:
    names = {
        "dashboards": labels.DASHBOARD,
        "feature_views": labels.FEATURE_VIEW,
        "ml_models": labels.ML_MODEL,
    }[kind]

    def source(found: Field) -> None:
        part["from"] = [] if found.value == labels.NO_SOURCE else quoted(found.value)

    others = {"Source": source, "Owners": list_into(part, "owners")}
    if kind != "ml_models":
        key = "fields" if kind == "dashboards" else "features"
        others |= dict.fromkeys(("Fields Used", "Features"), columns_into(part, key))
    reader.fields(section, part, names, others)
    connection = re.fullmatch(r"(.+?) \((\w+\.\w+)\)", part.get("connection", ""))
    if connection and "from" not in part:
        part["connection"], part["from"] = connection[1], [connection[2]]


def _consumer_path(reader: _Reader, kind: str, stops: list[tuple[str, str]]) -> None:
    """Read a drawn way: each stop is made from the one before; what follows a feature view is a model."""
    for (before, _), (name, place) in pairwise(stops):
        known = next((k for k in _KINDS.values() if name in reader.data.get(k, {})), "")
        new = "dashboards" if kind == "dashboards" else "ml_models"
        part = reader.data.setdefault(known or new, {}).setdefault(name, {})
        if not known and place:
            part["tool" if new == "dashboards" else "platform"] = place
        part.setdefault("from", [before])


def read_events(reader: _Reader, section: Section) -> None:
    """Read the DAG that the document prints, and the namespace of the event that it shows."""
    into: dict[str, Any] = reader.data.setdefault("pipeline", {})
    for body in (section.body, *(found.body for found in section.fields)):
        for _, text, _ in body.fences:
            for key, pattern in (
                ("dag_id", r"dag_id\s*=\s*['\"]([^'\"]+)"),
                ("schedule", r"schedule(?:_interval)?\s*=\s*['\"]([^'\"]+)"),
                ("job_namespace", r'"job"\s*:\s*\{\s*"namespace"\s*:\s*"([^"]+)"'),
            ):
                if found := re.search(pattern, text):
                    into[key] = found[1]
            if date := re.search(r"start_date\s*=\s*datetime\((\d+),\s*(\d+),\s*(\d+)", text):
                into["start_date"] = f"{int(date[1]):04}-{int(date[2]):02}-{int(date[3]):02}"
            for task, runs in re.findall(
                r"def (\w+)\(\):(?:(?!def ).)*?run_dbt_models\(\[([^\]]*)\]", text, re.DOTALL
            ):
                into.setdefault("tasks", {})[task] = re.findall(r"['\"]([^'\"]+)['\"]", runs)


def read_ingestion(reader: _Reader, found: Field, into: dict[str, Any]) -> None:
    """Read a recipe with a `type` and a `config` for each system."""
    settings: dict[str, str] = {}
    for _, text, line in found.body.fences:
        for number, written in enumerate(text.split("\n"), line + 1):
            key, colon, value = written.strip().partition(":")
            if key == "type":
                settings = into.setdefault("ingestion", {}).setdefault(value.strip(), {})
            elif colon and value.strip():
                settings[key] = value.strip()
            elif written.strip() and key not in {"source", "config"} and not key.startswith("#"):
                reader.not_placed(number, f"{written.strip()!r:.60}")


def read_scenarios(reader: _Reader, section: Section) -> None:
    """Read the changes and the consumers that each is said to reach."""
    scenarios = reader.data.setdefault("scenarios", [])
    for found in section.fields:
        here = Section(section.level, section.title, section.body, [found])
        if found.label == "Scenario":
            scenarios.append({"description": plain(found.value), "change": (quoted(found.value) or [""])[0]})
        elif not scenarios:
            reader.not_placed(found.body.line, f"{found.label!r:.60}")
        elif found.label == "Downstream Impact":
            lines = [line.strip() for _, text, _ in found.body.fences for line in text.split("\n")]
            named = [places(line[2:])[0][0] for line in lines if line.startswith("- ") and places(line[2:])]
            scenarios[-1]["reaches"] = named
        else:
            others = {"Reaches": list_into(scenarios[-1], "reaches")}
            reader.fields(here, scenarios[-1], {"Change": "change"}, others)


def _in_source(data: dict[str, Any], column: str) -> str:
    """Return the logical name of `postgres://host/schema/table.column`."""
    if "://" not in column:
        return column
    path = urlsplit(column).path.strip("/").replace("/", ".")
    for key, source in data.get("sources", {}).items():
        for dataset in source.get("datasets", {}):
            if path.startswith(f"{dataset}."):
                return f"{key}.{path}"
    return column


def _shown_as(data: dict[str, Any], column: str) -> None:
    """Give a dashboard's field the name under which a chain shows it: Total Revenue is total_revenue."""
    name, _, shown = column.rpartition(".")
    board = data.get("dashboards", {}).get(name)
    fields = board.get("fields", {}) if board else {}
    spelled = re.sub(r"\W+", "_", shown).lower()
    if shown in fields or fields.get(spelled) != {}:
        return
    board["fields"] = {
        (shown if field == spelled else field): ({"from": [spelled]} if field == spelled else made)
        for field, made in fields.items()
    }
