"""A map as a Markdown document with a Mermaid diagram, for people to read and sign.

`lineage_map.document.reader.import_markdown` reads it back to the same map.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.document import labels
from airflow_lineage_provider.lineage_map.document.arrows import calculates, without_arrows
from airflow_lineage_provider.lineage_map.edges import documented_edges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.lineage_map.model import Chain, Columns, Layer, Map, MapTable, SourceSystem

_PLAIN = re.compile(r"[\w.]+")
_MARKUP = re.compile(r"<(?=[\w/!?])|!(?=\[)|\[(?=[^\[\]]{0,200}\][(\[:])|(?<=#)#")
"""HTML, images, links, and two `#`, with which commands of some CI runners begin."""
_STARTS_A_BLOCK = re.compile(r"[-#*+|~>=_\d:]")


def render_markdown(content: Map) -> str:
    """Return the document of a map."""
    parts = [
        _head(content),
        _diagram(content),
        _sources(content),
        _layers(content),
        _chains(content.column_lineage),
        _consumers(content),
        _pipeline(content),
        _environments(content),
        _policy(content),
        _catalog(content),
        _scenarios(content),
        _validation(content),
        _history(content),
        _approvals(content),
    ]
    lines = [line for part in parts for line in part]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _text(value: object) -> str:
    """Escape text for Markdown by HTML entities."""
    text = str(value)
    if html.unescape(text) != text:
        text = text.replace("&", "&amp;")
    text = _MARKUP.sub(lambda found: _entities(found[0]), text)
    text = "".join(c if c.isprintable() and c != "|" else _entities(c) for c in text)
    if text and (text[0].isspace() or text[0] == "`"):
        text = _entities(text[0]) + text[1:]
    if text and (text[-1].isspace() or text[-1] == "#"):
        text = text[:-1] + _entities(text[-1])
    return text


def _entities(text: str) -> str:
    return "".join(f"&#{ord(character)};" for character in text)


def _line(value: object) -> str:
    """Escape text for the start of a line, where Markdown looks for lists, headings and the like."""
    text = _text(value)
    return _entities(text[0]) + text[1:] if _STARTS_A_BLOCK.match(text) else text


def _step_text(value: object) -> str:
    """Escape text in which arrows and backticks have a meaning to the reader."""
    return without_arrows(_text(value)).replace("`", "&#96;")


def _code(value: object) -> str:
    return f"`{_step_text(value)}`"


def _labelled(part: Any, names: Mapping[str, str], code: frozenset[str] = frozenset()) -> Iterator[str]:
    for label, key in names.items():
        value = getattr(part, key)
        if value:
            yield f"**{label}:** {_code(value) if key in code else _text(value)}  "
    yield ""


def _listed(label: str, values: Iterable[object]) -> Iterator[str]:
    items = [f"- {_line(value)}" for value in values]
    if items:
        yield from (f"**{label}:**", "", *items, "")


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(header)
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' for _ in head)}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _head(content: Map) -> Iterator[str]:
    document = content.document
    yield from (f"# {_text(document.title)}", "")
    yield from _labelled(document, labels.HEAD)
    rows = [(label, _text(getattr(document, key))) for label, key in labels.CONTROL.items()]
    if any(value for _, value in rows):
        yield from ("## Document Control", "")
        yield from _table(("Field", "Value"), (row for row in rows if row[1]))
    if content.scope:
        yield from ("## Scope", "", *_listed("Covers", content.scope))
    if document.overview:
        yield from ("## Overview", "", _line(document.overview), "")


def _diagram(content: Map) -> Iterator[str]:
    """Draw the edges between datasets."""
    edges = dataset_edges(content)
    if not edges:
        return
    names = {name: f"n{number}" for number, name in enumerate(dict.fromkeys(n for e in edges for n in e))}
    yield from ("```mermaid", labels.DRAWN, "flowchart LR")
    for name, node in names.items():
        printable = "".join(c if c.isprintable() else "\ufffd" for c in name.replace("`", "'"))
        shown = html.escape(printable).replace("##", "#35;#35;")  # the form of Mermaid's entities
        yield f'  {node}["{shown}"]'
    yield from (f"  {names[source]} --> {names[target]}" for source, target in edges)
    yield from ("```", "")


def dataset_edges(content: Map) -> list[tuple[str, str]]:
    """Return the edges of a map as pairs of source and target, each once."""
    return list(dict.fromkeys((edge.source, edge.target) for edge in documented_edges(content)))


def _sources(content: Map) -> Iterator[str]:
    if content.sources:
        yield from ("## Source Systems", "")
    for key, source in content.sources.items():
        yield from (f"### Source: {_text(source.title)}", "", f"**Name:** {_code(key)}  ")
        yield from _labelled(source, labels.SOURCE, frozenset({"location"}))
        yield from _listed("Owners", source.owners)
        yield from _extracted(source)
        yield from _labelled(source.extraction, labels.EXTRACTION)
        for name, dataset in source.datasets.items():
            details = [
                *_labelled(dataset, labels.SOURCE_DATASET),
                *_listed("Owners", dataset.owners),
                *_columns(dataset.columns),
            ]
            if any(details):
                yield from (f"#### Dataset: {_code(name)}", "", *details)


def _extracted(source: SourceSystem) -> Iterator[str]:
    if source.datasets:
        yield from ("**Datasets:**", "")
    for name, dataset in source.datasets.items():
        targets = ", ".join(map(_code, dataset.to))
        yield f"- {_code(name)}{f' → Extracted to {targets}' if targets else ''}"
    yield ""


def _layers(content: Map) -> Iterator[str]:
    if content.layers:
        yield from (f"## Data Flow: {' → '.join(key.title() for key in map(_text, content.layers))}", "")
    for key, layer in content.layers.items():
        title = _text(layer.title) if layer.title else _code(key)
        yield from (f"### Layer: {title}", "", f"**Name:** {_code(key)}  ")
        yield from _labelled(layer, labels.LAYER)
        yield from _listed("Quality Checks", layer.checks)
        yield from _listed("Owners", layer.owners)
        yield from _layer_tables(key, layer)


def _layer_tables(key: str, layer: Layer) -> Iterator[str]:
    yield from ("**Tables:**" if layer.tables else "**Tables:** none", "")
    yield from (f"- {_code(f'{key}.{name}')}" for name in layer.tables)
    made = {name: table.sources for name, table in layer.tables.items() if table.sources}
    if made:
        yield from ("", "**Lineage:**", "")
        for name, sources in made.items():
            yield f"- {' + '.join(map(_code, sources))} → {_code(f'{key}.{name}')}"
    yield ""
    for name, table in layer.tables.items():
        details = list(_table_details(table))
        if any(details):
            yield from (f"#### Table: {_code(name)}", "", *details)


def _table_details(table: MapTable) -> Iterator[str]:
    yield from _labelled(table, labels.TABLE)
    for label, key in labels.TABLE_LISTS.items():
        yield from _listed(label, getattr(table, key))
    yield from _columns(table.columns)


def _columns(columns: Columns, label: str = "Columns") -> Iterator[str]:
    if not columns:
        return
    cells = {name: _cells(name, column) for name, column in columns.items()}
    used = [head for head in labels.COLUMN if head == "Column" or any(row[head] for row in cells.values())]
    yield from (f"**{label}:**", "")
    yield from _table(used, ([row[head] for head in used] for row in cells.values()))


def _cells(name: str, column: Any) -> dict[str, str]:
    made_from = labels.NO_SOURCE if column.sources == () else ", ".join(map(_code, column.sources or ()))
    return {
        "Column": _code(name),
        "Type": _text(column.type),
        "From": made_from,
        "Expression": _code(column.expression) if column.expression else "",
        "Subtype": _text(column.subtype),
        "Aggregation": _text(column.aggregation),
        "Window": _text(column.window),
        "Checks": ", ".join(map(_code, column.checks)),
        "Description": _text(column.description),
    }


def _chains(chains: Iterable[Chain]) -> Iterator[str]:
    for number, chain in enumerate(chains):
        if not number:
            yield from ("## Column-Level Lineage", "")
        yield from (f"### Example: {_text(chain.title)}", "", "**Lineage Chain:**", "", "```")
        for at, step in enumerate(chain.steps):
            by = _step_text(step.by).replace(" - ", " &#45; ")
            if calculates(by):
                by = re.sub(r"[(*/+%<>=]", lambda mark: _entities(mark[0]), by)
            how = " - ".join(part for part in (by, _code(step.expression) if step.expression else "") if part)
            subtype = _step_text(step.subtype).replace("[", "&#91;").replace("]", "&#93;")
            arrow = f"  ↓{f' ({how})' if how else ''}{f' [{subtype}]' if subtype else ''}"
            if at or how or subtype:
                yield arrow
            yield step.column if _PLAIN.fullmatch(step.column) else _code(step.column)
        yield from ("```", "")
        if chain.logic:
            yield from ("**Transformation Logic:**", "")
            yield from (f"{at}. {_line(line)}" for at, line in enumerate(chain.logic, 1))
            yield ""


def _consumers(content: Map) -> Iterator[str]:
    if content.dashboards or content.feature_views or content.ml_models:
        yield from ("## Downstream Consumers", "")
    for name, board in content.dashboards.items():
        yield from (f"### Dashboard: {_text(name)}", "")
        yield from _consumer(board, labels.DASHBOARD)
        yield from _columns(board.fields_, "Fields Used")
    for name, view in content.feature_views.items():
        yield from (f"### Feature View: {_text(name)}", "")
        yield from _consumer(view, labels.FEATURE_VIEW)
        yield from _listed("Entity", view.entity)
        yield from _columns(view.features, "Features")
    for name, model in content.ml_models.items():
        yield from (f"### ML Model: {_text(name)}", "")
        yield from _consumer(model, labels.ML_MODEL)


def _consumer(part: Any, names: Mapping[str, str]) -> Iterator[str]:
    yield f"**Source:** {', '.join(map(_code, part.sources)) or labels.NO_SOURCE}  "
    yield from _labelled(part, names)
    yield from _listed("Owners", part.owners)


def _pipeline(content: Map) -> Iterator[str]:
    if content.pipeline == type(content.pipeline)():
        return
    yield from ("## Pipeline", "")
    yield from _labelled(content.pipeline, labels.PIPELINE)
    if content.pipeline.tasks:
        rows = ((_code(t), ", ".join(map(_code, runs))) for t, runs in content.pipeline.tasks.items())
        yield from ("**Tasks:**", "", *_table(("Task", "Runs"), rows))


def _environments(content: Map) -> Iterator[str]:
    if content.environments:
        yield from ("## Environments", "")
    for name, environment in content.environments.items():
        yield from (f"### Environment: {_text(name)}", "")
        yield from _labelled(environment, {"Description": "description"})
        yield from _listed("Produces", environment.produces)
        rows = [[_code(getattr(b, key)) for key in labels.BINDING.values()] for b in environment.bindings]
        yield from ("**Bindings:**", "", *_table(labels.BINDING, rows))


def _policy(content: Map) -> Iterator[str]:
    if content.policy:
        yield from ("## Policy", "")
        rows = ((str(code), str(severity)) for code, severity in content.policy.items())
        yield from _table(("Finding", "Severity"), rows)
    if content.accepted:
        yield from ("## Accepted Findings", "")
        rows_ = ([_text(getattr(a, key)) for key in labels.ACCEPTED.values()] for a in content.accepted)
        yield from _table(labels.ACCEPTED, rows_)


def _catalog(content: Map) -> Iterator[str]:
    catalog = content.catalog
    if catalog == type(catalog)():
        return
    yield from (f"## Catalog: {_text(catalog.title)}", "")
    yield from _labelled(catalog, {"Catalog": "url"})
    yield from _listed("Datasets Registered", catalog.registered)
    for kind, config in catalog.ingestion.items():
        yield from (f"### Ingestion: {_text(kind)}", "")
        yield from _table(("Setting", "Value"), ((_code(k), _code(v)) for k, v in config.items()))


def _scenarios(content: Map) -> Iterator[str]:
    if content.scenarios:
        yield from ("## Impact Analysis", "")
    for scenario in content.scenarios:
        yield f"**Scenario:** {_text(scenario.description)}".rstrip() + "  "
        yield from (f"**Change:** {_code(scenario.change)}  ", "")
        yield from _listed("Reaches", scenario.reaches)


def _validation(content: Map) -> Iterator[str]:
    if content.validation.automated or content.validation.manual:
        yield from ("## Lineage Validation", "")
        yield from _listed("Automated Validation", content.validation.automated)
        yield from _listed("Manual Validation", content.validation.manual)


def _history(content: Map) -> Iterator[str]:
    if content.change_history:
        yield from ("## Change History", "")
        rows = ([_text(getattr(c, key)) for key in labels.HISTORY.values()] for c in content.change_history)
        yield from _table(labels.HISTORY, rows)


def _approvals(content: Map) -> Iterator[str]:
    if content.approvals:
        yield from ("## Approvals", "")
    for approval in content.approvals:
        role, name, date = (
            _line(part).replace(":", "&#58;") for part in (approval.role, approval.name, approval.date)
        )
        yield f"- {role}: {name or '_____________'} Date: {date or '_______'}"
