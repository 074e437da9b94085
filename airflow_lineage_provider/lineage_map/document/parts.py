"""Sources, layers, tables, consumers and scenarios: one function for the section that describes each."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.document import labels
from airflow_lineage_provider.lineage_map.document.arrows import fenced_lines, has_arrow, paths
from airflow_lineage_provider.lineage_map.document.blocks import TextLine, plain, quoted, take
from airflow_lineage_provider.lineage_map.document.fields import (
    described,
    heading,
    take_fields,
    take_list,
    take_rows,
    without_number,
)
from airflow_lineage_provider.lineage_map.document.flows import is_lineage, take_paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_lineage_provider.lineage_map.document.blocks import LabelledEntry, Section
    from airflow_lineage_provider.lineage_map.document.draft import Draft, Part

_TABLE = {"Source": labels.MapField("from", "list"), **labels.TABLE}
_GENERIC = frozenset({"the", "layer", "zone", "stage", "tier", "schema", "level", "area"})
_NO_LAYER = re.compile(r"(?:\W|lineage|flows?|transformations?|tables?|data|diagram|mapping|level|to|and)*")
_COLUMN = re.compile(r"\b\w+(?:\.\w+)+")
_IDENTIFIER = re.compile(r"[\w$-]+(?:\.[\w$-]+)*")
_GROUP = re.compile(
    r"\b(?:dashboards|reports|consumers|applications|exposures|models|features|views|store)\b", re.IGNORECASE
)


def _listed(
    draft: Draft, entry: LabelledEntry, names: Mapping[str, labels.MapField], naming: str
) -> Iterator[tuple[str, str, list[LabelledEntry]]]:
    """Take the parts that an entry lists, in items or in rows of a table.

    Yields name, note and labelled values of each. `naming`: the header above the names.
    """
    for item in take(entry.items, lambda item: not has_arrow(item.text)):
        yield *described(item.text), []
    if not any(map(is_lineage, entry.tables)):
        for name, cells in take_rows(draft, [entry], [naming, *names], naming):
            yield name, "", [cell for cell in cells if cell.label != naming]


def _is_list(entry: LabelledEntry) -> bool:
    return not entry.label or labels.known(entry.label, labels.DATASETS) is not None


def _take_name(draft: Draft, section: Section) -> str:
    """Take the name that a rendered map gives its sources and layers beside their titles."""
    for entry in section.entries:
        if entry.label == "Name":
            name, entry.value, draft.named = plain(entry.value), "", True
            return name
    return ""


def read_source(draft: Draft, section: Section) -> Part:
    """Read a source system, its datasets and what they are extracted to."""
    title, note, _ = heading(section.title, "Source", "System", "Source System")
    source: Part = {"title": title, "note": note, "extraction": {}, "datasets": {}}
    name = _take_name(draft, section)
    for entry in section.entries:
        if kind := labels.known(entry.label, labels.DATASET_KINDS) if entry.value else None:
            source["kind"] = labels.DATASET_KINDS[kind]
            for dataset in take_list(entry):
                take_fields(
                    draft, section.entries, source["datasets"].setdefault(dataset, {}), labels.DATASET
                )
    take_fields(draft, section.entries, source, labels.SOURCE)
    for entry in section.entries:
        _read_datasets(draft, entry, source["datasets"])
    draft.add_source(source, name)
    return source


def _read_datasets(draft: Draft, entry: LabelledEntry, datasets: Part) -> None:
    """Take the datasets of a source, and the ways from them to tables.

    Files on the way are a dataset of a source of their own.
    """
    for path in take_paths(entry):
        current: Part = datasets.setdefault(path.stops[0].names[0], {})
        for to in path.stops[1:]:
            if "://" in to.names[0]:
                name, landing = draft.landing(to.names[0], to.note)
                current["to"] = [name]
                current = landing
            else:
                current["to"] = to.names
    if _is_list(entry):
        names = {"To": labels.MapField("to", "list"), **labels.DATASET}
        for name, note, cells in _listed(draft, entry, names, "Table"):
            dataset = datasets.setdefault(name, {})
            dataset |= {"description": note} if note else {}
            take_fields(draft, cells, dataset, names)


def read_source_list(draft: Draft, section: Section) -> None:
    """Read the source systems of a table, one a row, and those of a list."""
    names = {"Datasets": labels.MapField("datasets", "list"), "Location": labels.SOURCE["System"]}
    names |= {label: field for label, field in labels.SOURCE.items() if label != "System"}
    for entry in section.entries:
        for name, note, cells in _listed(draft, entry, names, "System") if not entry.label else ():
            source: Part = {"title": name, "note": note, "extraction": {}}
            take_fields(draft, cells, source, names)
            source["datasets"] = {dataset: {} for dataset in source.get("datasets", ())}
            draft.add_source(source)


def read_dataset(draft: Draft, section: Section, source: Part) -> None:
    """Read the section of one dataset of a source."""
    name, _, _ = heading(section.title, "Dataset")
    _read_details(draft, section, source["datasets"].setdefault(name, {}), labels.DATASET)


def _read_details(draft: Draft, section: Section, part: Part, names: Mapping[str, labels.MapField]) -> None:
    """Take what is said of a table, and its columns."""
    for entry in section.entries:
        if not entry.label and entry.tables:
            entry.label = "Columns"
    take_fields(draft, section.entries, part, names)


def read_layer(draft: Draft, section: Section) -> str:
    """Read a layer with its tables; returns its name."""
    _, _, written = heading(section.title, "Layer")
    title = section.title.partition(":")[2].strip() if written else without_number(section.title)
    key = _take_name(draft, section) or _layer_name(section, title)
    layer = draft.part("layers", key)
    layer["title"] = "" if title.startswith("`") and title.endswith("`") else plain(title)
    take_fields(draft, section.entries, layer, labels.LAYER)
    read_tables(draft, section, key)
    return key


def _layer_name(section: Section, title: str) -> str:
    """Return the schema of the tables that a section lists, else the first word of its title."""
    listed = [entry for entry in section.entries if _is_list(entry)]
    texts = [item.text for entry in listed for item in entry.items if not has_arrow(item.text)]
    texts += [row[0] for entry in listed for table in entry.tables for _, row in table.rows]
    schemas = {described(text)[0].rpartition(".")[0] for text in texts} - {""}
    words = (word for word in re.findall(r"\w+", title.casefold()) if not word.isdigit())
    first = next((word for word in words if word not in _GENERIC), "layer")
    return schemas.pop() if len(schemas) == 1 else first


def is_table(title: str) -> bool:
    """Whether a heading is the name of a table with its schema."""
    name, _, written = heading(title, "Table")
    return written or ("." in name and bool(_IDENTIFIER.fullmatch(name)))


def is_no_layer(title: str) -> bool:
    """Whether the words of a heading name no layer: `Lineage`, `Table flow`."""
    return bool(_NO_LAYER.fullmatch(without_number(title).casefold()))


def read_tables(draft: Draft, section: Section, layer: str) -> None:
    """Take the tables of a layer from lists and tables; without a layer, those that name theirs."""
    names = {"Layer": labels.MapField("layer"), **_TABLE}
    for entry in filter(_is_list, section.entries):
        if entry.label and layer and (entry.value or entry.items or entry.tables):
            draft.listed.add(layer)
            entry.value = "" if entry.value == labels.NO_NAMES else entry.value
        kept = take(entry.items, partial(_names_no_table, layer, listed=bool(entry.label)))
        for name, note, cells in _listed(draft, entry, names, "Table"):
            schemas = [plain(cell.value) for cell in cells if cell.label == "Layer"] or [layer]
            if not (schemas[0] or "." in name):
                draft.not_placed(cells[0].number, f"the table {name!r:.60} without its layer")
                continue
            table = draft.table(schemas[0], name)
            table |= {"description": note} if note else {}
            take_fields(draft, cells, table, _TABLE)
        entry.items = kept


def _names_no_table(layer: str, item: TextLine, *, listed: bool) -> bool:
    """Whether an item names no table, or one whose layer no heading says.

    `listed`: it is in a list of tables; elsewhere a name has to be an identifier.
    """
    name = described(item.text)[0]
    return not (layer or "." in name) or not (listed or _IDENTIFIER.fullmatch(name))


def read_table(draft: Draft, section: Section, layer: str) -> None:
    """Read the section of one table."""
    name, note, written = heading(section.title, "Table")
    table = draft.table("" if "." in name and not written else layer, name)
    table |= {"description": note} if note else {}
    _read_details(draft, section, table, _TABLE)


def read_consumers(draft: Draft, section: Section, *, whole: bool) -> str:
    """Read a consumer, or a group of them that share a tool: `BI Dashboards (Tableau)`.

    Returns the kind of the group. `whole`: the section is the topic itself, not a part of it.
    """
    title, tool, written = heading(section.title, *labels.CONSUMERS, "Report")
    kind, names = _kind(section.title.partition(":")[0] if written else title)
    part = draft.part(kind, title) if written else None
    starts = [] if written else [entry for entry in section.entries if _starts_consumer(entry)]
    if not (written or whole or starts or _GROUP.search(title)):
        part = draft.consumer(kind, title, tool)
    for entry in section.entries:
        if entry in starts:
            kind, names = _kind(entry.label)
            part = draft.consumer(kind, plain(entry.value), tool)
            entry.value = ""
        elif part is not None:
            take_fields(draft, [entry], part, names)
        elif _is_list(entry):
            _list_consumers(draft, entry, kind, tool)
    return kind


def _kind(text: str) -> tuple[str, Mapping[str, labels.MapField]]:
    """Return the kind of consumer that words say, and its labels."""
    words = text.casefold()
    word = "ML Model" if "model" in words else "Feature View" if "feature" in words else "Dashboard"
    return labels.CONSUMERS[word]


def _starts_consumer(entry: LabelledEntry) -> bool:
    return bool(entry.value) and labels.known(entry.label, labels.CONSUMERS) is not None


def _list_consumers(draft: Draft, entry: LabelledEntry, kind: str, tool: str) -> None:
    """Take the consumers of a list or a table, one an item or a row."""
    for name, note, cells in _listed(draft, entry, labels.CONSUMERS["Dashboard"][1], "Consumer"):
        part = draft.consumer(kind, name, note or tool)
        take_fields(draft, cells, part, dict(labels.CONSUMERS.values())[draft.consumer_kind(name)])


def settle_connections(draft: Draft) -> None:
    """Make a dashboard without a source from the tables that its connection names."""
    for board in draft.data.get("dashboards", {}).values():
        if "from" not in board:
            words = _COLUMN.findall(board.get("connection", ""))
            board["from"] = [name for name in words if draft.has_table(name)]


def read_scenarios(draft: Draft, section: Section, *, whole: bool) -> None:
    """Read the changes, and the consumers that each is said to reach."""
    scenarios: list[Part] = draft.data.setdefault("scenarios", [])
    if not whole:
        scenarios.append(_scenario(section.number, description=plain(section.title)))
    for entry in section.entries:
        if entry.label == "Scenario":
            scenarios.append(_scenario(entry.number))
        label = labels.known(entry.label, labels.SCENARIO)
        if label and scenarios:
            take_fields(draft, [entry], scenarios[-1], labels.SCENARIO)
        elif scenarios:
            _take_reached(entry, scenarios[-1])
        else:
            for path in take_paths(entry):
                change, *reached = path.stops
                named = [(path.number, name) for to in reached for name in to.names]
                scenarios.append(_scenario(path.number, change=change.names[0]) | {"named": named})


def _scenario(line: int, **values: str) -> Part:
    return {"line": line, "named": [], "reaches": [], **values}


def _take_reached(entry: LabelledEntry, scenario: Part) -> None:
    """Take the names that a scenario lists or draws; those of consumers are what it reaches."""
    lines = [*entry.items, *(line for fence in entry.fences for line in fenced_lines(fence))]
    for number, text in lines:
        drawn = paths([TextLine(number, text.removeprefix("- ").removeprefix("* "))])
        names = (name for path in drawn for one in path.stops for name in one.names)
        scenario["named"] += [(number, name) for name in names if not name.endswith(":")]
    entry.items, entry.fences = [], []


def settle_scenarios(draft: Draft) -> None:
    """Keep of the names of each scenario those of consumers; list what the document names nowhere else."""
    kept = []
    for scenario in draft.data.get("scenarios", ()):
        line, named = scenario.pop("line"), scenario.pop("named")
        description = scenario.get("description", "")
        change = [scenario.get("change", ""), *quoted(description), *_COLUMN.findall(description)]
        scenario["change"] = next(filter(None, change), "")
        if not scenario["change"]:
            draft.not_placed(line, f"the scenario {description!r:.60}, which names no column in backticks,")
            continue
        for number, name in named:
            if draft.consumer_kind(name):
                scenario["reaches"].append(name)
            elif not draft.layer_of(name):
                draft.not_placed(number, f"{name!r:.60}")
        kept.append(scenario)
    if kept:
        draft.data["scenarios"] = kept
    else:
        draft.data.pop("scenarios", None)
