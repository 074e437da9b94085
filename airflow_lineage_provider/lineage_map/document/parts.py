"""Sources, layers, tables, chains and scenarios: one function for the section that describes each."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_lineage_provider.lineage_map.document import labels, tables
from airflow_lineage_provider.lineage_map.document.arrows import (
    Stop,
    fenced_lines,
    has_arrow,
    paths,
    split_note,
    stop,
)
from airflow_lineage_provider.lineage_map.document.blocks import TextLine, plain, quoted, take
from airflow_lineage_provider.lineage_map.document.draft import CONSUMERS, DrawnEdge
from airflow_lineage_provider.lineage_map.document.entries import take_columns, take_labels, take_list
from airflow_lineage_provider.lineage_map.document.flows import take_chains, take_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.lineage_map.document.arrows import Path
    from airflow_lineage_provider.lineage_map.document.blocks import LabelledEntry, MarkdownTable, Section
    from airflow_lineage_provider.lineage_map.document.draft import Draft, Part

_DASH = re.compile(r" [-\u2013\u2014] |: ")
_GENERIC = frozenset({"the", "layer", "zone", "stage", "tier", "schema", "level", "area"})
_COLUMN = re.compile(r"\b\w+(?:\.\w+)+")
_FLOW_WORDS = frozenset(
    {"lineage", "flow", "flows", "transformations", "transformation", "table", "tables", "data"}
) | {
    *("diagram", "mapping", "level", "dbt", "models", "and", "sql", "to", "source", "target", "pipeline"),
}
_IDENTIFIER = re.compile(r"[\w$-]+(?:\.[\w$-]+)*")


def without_number(title: str) -> str:
    """Return a heading without the number in front of it."""
    first, _, rest = title.partition(" ")
    return rest.strip() if rest and first.strip("0123456789.)") == "" else title


def read_source(draft: Draft, section: Section) -> Part:
    """Read a source system, its datasets and how they are extracted."""
    word, colon, title = section.title.partition(":")
    named = title if colon and word.casefold() in {"source", "system", "source system"} else section.title
    title, note = split_note(without_number(named)) if named is section.title else (named.strip(), "")
    source: Part = {"title": plain(title), "extraction": {}, "datasets": {}}
    topic: Part | None = None
    name = ""
    for entry in section.entries:
        if entry.label == "Name":
            name, entry.value, draft.named = plain(entry.value), "", True
        elif kind := labels.known(entry.label, labels.DATASET_KINDS):
            source["kind"] = labels.DATASET_KINDS[kind]
            topic = source["datasets"].setdefault(plain(entry.value), {})
            entry.value = ""
    take_labels(section.entries, source["extraction"], labels.EXTRACTION)
    take_labels(section.entries, source, labels.SOURCE, labels.OWNERS)
    if topic is not None:
        take_labels(section.entries, topic, labels.SOURCE_DATASET)
    for entry in section.entries:
        read_source_datasets(draft, entry, source)
    scheme = urlsplit(source.get("location", "")).scheme
    words = (note, title.partition(" ")[0].lower(), "unknown")
    source.setdefault("type", next(filter(None, ("" if scheme.startswith("http") else scheme, *words))))
    draft.new_source(source, name)
    return source


def read_source_list(draft: Draft, section: Section) -> None:
    """Read the source systems of a table, one a row, and those of a list."""
    for entry in section.entries:
        for table in take(entry.tables, _lists_sources):
            for row in tables.rows(table, labels.SOURCE_ROW):
                datasets: Part = {name: {} for name in tables.names_of(row.pop("datasets", ""))}
                extraction = {key: row.pop(key) for key in labels.EXTRACTION.values() if key in row}
                owners = tables.names_of(row.pop("owners", ""))
                named = {"title": row.get("title", ""), "type": "unknown"} | row
                draft.new_source(
                    {**named, "owners": owners, "extraction": extraction, "datasets": datasets}, ""
                )
        for item in [] if entry.label else take(entry.items, lambda item: not has_arrow(item.text)):
            title, note = _named(item)
            draft.new_source(
                {"title": title, "type": note or title.partition(" ")[0].lower() or "unknown"}, ""
            )


def _lists_sources(table: MarkdownTable) -> bool:
    return tables.fits(table, labels.SOURCE_ROW, ["Source"]) and not tables.lineage(table)


def read_source_datasets(draft: Draft, entry: LabelledEntry, source: Part) -> None:
    """Take the datasets of a source from paths, lists and tables."""
    datasets = source.setdefault("datasets", {})
    for path in take_paths(entry):
        _take_source_path(draft, path, datasets)
    if not entry.label or labels.known(entry.label, labels.DATASETS):
        for item in entry.items:
            name, description = _named(item)
            datasets.setdefault(name, {}).update({"description": description} if description else {})
        entry.items = []
    for table in take(entry.tables, lambda table: tables.fits(table, labels.DATASET_ROW, ["Table"])):
        for row in tables.rows(table, labels.DATASET_ROW):
            dataset = datasets.setdefault(row.pop("name", ""), {})
            dataset |= {k: tables.names_of(v) if k in {"to", "owners"} else v for k, v in row.items()}


def _take_source_path(draft: Draft, path: Path, datasets: Part) -> None:
    """Read the way from a dataset to a table; files in between are a source of their own."""
    first, *others = path.stops
    current: Part = datasets.setdefault(first.names[0], {})
    for to in others:
        if "://" in to.names[0]:
            name, landing = draft.landing(to.names[0], to.note)
            current["to"] = [name]
            current = landing
        else:
            current["to"] = to.names


def _named(item: TextLine) -> tuple[str, str]:
    """Return name and description of `name - description` or `name (description)`."""
    if item.text.startswith("`") and (names := quoted(item.text)):
        rest = item.text.partition("`")[2].partition("`")[2].strip(" -\u2013\u2014:")
        return names[0], plain(rest[1:-1] if rest.startswith("(") and rest.endswith(")") else rest)
    name, dash, description = item.text, "", ""
    if cut := _DASH.search(item.text):
        name, dash, description = item.text[: cut.start()], cut[0], item.text[cut.end() :]
    name, note = split_note(name.replace("**", ""))
    return plain(name), plain(description if dash else note)


def read_layer(draft: Draft, section: Section) -> str:
    """Read a layer with its tables; returns its name."""
    word, colon, title = section.title.partition(":")
    title = title.strip() if colon and word.casefold() == "layer" else without_number(section.title)
    names = [entry for entry in section.entries if entry.label == "Name" and entry.value]
    key = plain(names[0].value) if names else _layer_name(section, title)
    for entry in names:
        entry.value, draft.named = "", True
    layer = draft.part("layers", key)
    layer["title"] = "" if title.startswith("`") and title.endswith("`") else plain(title)
    take_labels(section.entries, layer, labels.LAYER, labels.LAYER_LISTS)
    read_tables(draft, section, key)
    return key


def _layer_name(section: Section, title: str) -> str:
    """Return the schema of the tables that a section lists, else the first word of its title."""
    listed = (i.text for e in section.entries if labels.known(e.label, labels.DATASETS) for i in e.items)
    names = (stop(text).names for text in listed)
    schemas = {name[0].partition(".")[0] for name in names if name and "." in name[0]}
    if len(schemas) == 1:
        return schemas.pop()
    words: list[str] = re.findall(r"\w+", title.casefold())
    return next((w for w in words if w not in _GENERIC and not w.isdigit()), "layer")


def is_table(title: str) -> bool:
    """Whether a heading is the name of a table with its schema."""
    name, _ = split_note(without_number(title))
    return "." in name and bool(_IDENTIFIER.fullmatch(plain(name)))


def is_no_layer(title: str) -> bool:
    """Whether the words of a heading name no layer: `Lineage`, `Table flow`."""
    return not set(without_number(title).casefold().replace("-", " ").split()) - _FLOW_WORDS


def read_tables(draft: Draft, section: Section, layer: str) -> None:
    """Take the tables of a layer from lists and tables; without a layer, those that name theirs."""
    for entry in section.entries:
        label = labels.known(entry.label, labels.DATASETS)
        if label and layer:
            draft.listed.add(layer)
            entry.value = "" if entry.value == labels.NO_SOURCE else entry.value
        fits = _names_table if label else _is_named
        for item in [] if entry.label and not label else take(entry.items, partial(fits, layer)):
            name, description = _named(item)
            part = _table(draft, layer, name) or {}
            part |= {"description": description} if description else {}
        for table in take(entry.tables, _lists_tables):
            for (number, _), row in zip(table.rows, tables.rows(table, labels.TABLE_ROW), strict=True):
                _take_table_row(draft, number, row, layer)


def _names_table(layer: str, item: TextLine) -> bool:
    """Whether an item of a list of tables names one, and its layer where no heading does."""
    return not has_arrow(item.text) and bool(layer or "." in _named(item)[0])


def _is_named(layer: str, item: TextLine) -> bool:
    """Whether an item of a list without a label is the name of a table."""
    return bool(_IDENTIFIER.fullmatch(_named(item)[0])) and _names_table(layer, item)


def _lists_tables(table: MarkdownTable) -> bool:
    return tables.fits(table, labels.TABLE_ROW, ["Table"]) and not tables.lineage(table)


def _table(draft: Draft, layer: str, name: str) -> Part | None:
    """Return the table of that name in a layer; without a layer, in the one that the name begins with."""
    schema, dot, last = name.rpartition(".")
    if layer:
        return draft.table(layer, name)
    return draft.table(schema, last) if dot else None


def _take_table_row(draft: Draft, number: int, row: dict[str, str], layer: str) -> None:
    name, source = row.pop("name", ""), row.pop("from", "")
    table = _table(draft, row.pop("layer", layer), name)
    if table is None:
        draft.not_placed(number, f"the table {name!r:.60} without its layer")
        return
    if source:
        draft.edges.append(DrawnEdge(number, stop(source), table))
    lists = labels.TABLE_LISTS.values()
    table |= {key: tables.names_of(value) if key in lists else value for key, value in row.items()}


def read_table(draft: Draft, section: Section, layer: str) -> None:
    """Read the section of one table."""
    title = without_number(section.title.removeprefix("Table:").strip())
    name, note = (plain(title), "") if title.startswith("`") else split_note(title)
    schema, dot, last = name.rpartition(".")
    table = draft.table(schema, last) if dot and not layer else draft.table(layer, name)
    if note:
        table["description"] = plain(note)
    for entry in section.entries:
        if labels.known(entry.label, ["Source"]):
            sources = stop(entry.value) if entry.value else Stop(take_list(entry))
            draft.edges.append(DrawnEdge(entry.number, sources, table))
            entry.value = ""
    read_columns(section, table, labels.TABLE, labels.TABLE_LISTS)


def read_dataset(section: Section, source: Part) -> None:
    """Read the section of one dataset of a source."""
    name = plain(without_number(section.title.removeprefix("Dataset:").strip()))
    part = source.setdefault("datasets", {}).setdefault(name, {})
    read_columns(section, part, labels.SOURCE_DATASET, labels.OWNERS)


def read_columns(section: Section, part: Part, names: Mapping[str, str], lists: Mapping[str, str]) -> None:
    """Take what is said of a table, and its columns."""
    for entry in section.entries:
        if labels.known(entry.label, ["Columns", "Fields"]) or (not entry.label and entry.tables):
            take_columns(entry, part, "columns")
    take_labels(section.entries, part, names, lists)


def read_chain(draft: Draft, section: Section) -> None:
    """Read the way of a column, and the lines that explain it."""
    word, _, title = section.title.partition(":")
    written = word == "Example"
    chains: list[Part] = []
    logic: list[str] = []
    for entry in section.entries:
        if labels.known(entry.label, ["Transformation Logic", "Logic", "Explanation"]):
            logic += take_list(entry)
        else:
            chains += take_chains(entry)
    if written and not chains:
        chains = [{"title": "", "steps": []}]
    if len(chains) == 1:
        chains[0]["title"] = plain(title if written else without_number(section.title))
    if chains and logic:
        chains[0]["logic"] = logic
    draft.data.setdefault("column_lineage", []).extend(chains)


def read_scenarios(draft: Draft, section: Section, *, whole: bool) -> None:
    """Read the changes, and the consumers that each is said to reach."""
    scenarios: list[Part] = draft.data.setdefault("scenarios", [])
    if not whole:
        scenarios.append({"description": plain(section.title), "line": section.number, "reaches": []})
    for entry in section.entries:
        if entry.label == "Scenario":
            scenarios.append({"description": plain(entry.value), "line": entry.number, "reaches": []})
            entry.value = ""
        elif scenarios and labels.known(entry.label, ["Change"]):
            scenarios[-1]["change"], entry.value = plain(entry.value), ""
        elif scenarios and entry.label == "Reaches":
            scenarios[-1]["reaches"] = take_list(entry)
        elif scenarios:
            _take_reached(entry, scenarios[-1])
        else:
            for path in take_paths(entry):
                change, *reached = path.stops
                scenarios.append({"change": change.names[0], "line": path.number, "reaches": []})
                scenarios[-1]["named"] = [(path.number, name) for to in reached for name in to.names]


def _take_reached(entry: LabelledEntry, scenario: Part) -> None:
    """Take the names that a scenario lists or draws; those of consumers are what it reaches."""
    lines = [*entry.items, *(line for fence in entry.fences for line in fenced_lines(fence))]
    named = scenario.setdefault("named", [])
    for number, text in lines:
        drawn = paths([TextLine(number, text.removeprefix("- ").removeprefix("* "))])
        names = (name for path in drawn for one in path.stops for name in one.names)
        named += [(number, name) for name in names if not name.endswith(":")]
    entry.items, entry.fences = [], []


def settle_scenarios(draft: Draft) -> None:
    """Keep of the names of each scenario those of consumers; list what the document names nowhere else."""
    kept = []
    for scenario in draft.data.get("scenarios", ()):
        line, named, description = (
            scenario.pop("line"),
            scenario.pop("named", ()),
            scenario.get("description", ""),
        )
        change = [*quoted(description), *_COLUMN.findall(description)]
        if "change" not in scenario and not change:
            draft.not_placed(line, f"the scenario {description!r:.60}, which names no column in backticks,")
            continue
        scenario.setdefault("change", change[0] if change else "")
        for number, name in named:
            if any(name in draft.data.get(kind, ()) for kind in CONSUMERS):
                scenario["reaches"].append(name)
            elif not draft.layer_of(name):
                draft.not_placed(number, f"{name!r:.60}")
        kept.append(scenario)
    if "scenarios" in draft.data:
        draft.data["scenarios"] = kept
