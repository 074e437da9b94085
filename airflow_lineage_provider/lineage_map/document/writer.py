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
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from airflow_lineage_provider.lineage_map.document.labels import MapField
    from airflow_lineage_provider.lineage_map.model import Layer, Map, MapColumn, SourceSystem

_PLAIN = re.compile(r"[\w.]+")
_MARKUP = re.compile(r"<(?=[\w/!?])|!(?=\[)|\[(?=[^\[\]]{0,200}\][(\[:])|(?<=#)#")
"""HTML, images, links, and two `#`, with which commands of some CI runners begin."""
_STARTS_A_BLOCK = re.compile(r"[-#*+|~>=_\d:]")


def render_markdown(content: Map) -> str:
    """Return the document of a map."""
    lines = [line for part in _PARTS for line in part(content)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def dataset_edges(content: Map) -> list[tuple[str, str]]:
    """Return the edges of a map as pairs of source and target, each once."""
    return list(dict.fromkeys((edge.source, edge.target) for edge in documented_edges(content)))


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


def _codes(values: Iterable[object]) -> str:
    return ", ".join(map(_code, values))


def _value(part: Any, key: str) -> Any:
    """Return the value of a key of the YAML, which may be inside another."""
    for name in key.split("."):
        part = getattr(part, {"from": "sources", "fields": "fields_"}.get(name, name))
    return part


def _described(part: Any, names: Mapping[str, MapField]) -> Iterator[str]:
    """Write the values of a part: texts, then lists and tables of columns."""
    values = [(label, form, _value(part, key)) for label, (key, form) in names.items()]
    for label, form, value in values:
        if label == "Source":
            yield f"**{label}:** {_codes(value) or labels.NO_NAMES}  "
        elif value and form == "text":
            yield f"**{label}:** {_text(value)}  "
    for label, form, value in values:
        if value and form == "columns":
            rows = [{"Column": _code(name)} | _cells(column) for name, column in value.items()]
            used = [head for head in labels.COLUMN if any(row[head] for row in rows)]
            yield from ("", f"**{label}:**", "", *_table(used, rows))
        elif value and form == "list" and label != "Source":
            yield from ("", f"**{label}:**", "", *(f"- {_line(item)}" for item in value), "")
    yield ""


def _cells(column: MapColumn) -> dict[str, str]:
    cells = {}
    for label, (key, form) in labels.COLUMN.items():
        if label != "Column":
            value = _value(column, key)
            code = form == "list" or (value and label == "Expression")
            cells[label] = (
                _codes([value] if isinstance(value, str) else value or ()) if code else _text(value)
            )
    return cells | ({"From": labels.NO_NAMES} if column.sources == () else {})


def _table(header: Iterable[str], rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    heads = list(header)
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---' for _ in heads)}|"
    yield from (f"| {' | '.join(row[head] for head in heads)} |" for row in rows)
    yield ""


def _records(
    names: Mapping[str, MapField], parts: Iterable[object], cell: Callable[[object], str] = _text
) -> Iterator[str]:
    return _table(
        names, ({label: cell(_value(part, field.key)) for label, field in names.items()} for part in parts)
    )


def _pairs(key: str, value: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    return _table((key, value), ({key: one, value: other} for one, other in pairs))


def _head(content: Map) -> Iterator[str]:
    document = content.document
    yield from (f"# {_text(document.title)}", "", *_described(document, labels.DOCUMENT))
    if content.scope:
        yield from ("## Scope", "", *_described(content, labels.SCOPE))
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


def _sources(content: Map) -> Iterator[str]:
    if content.sources:
        yield from ("## Source Systems", "")
    for key, source in content.sources.items():
        yield from (f"### Source: {_text(source.title)}", "", f"**Name:** {_code(key)}  ")
        yield from (*_described(source, labels.SOURCE), *_source_datasets(source))


def _source_datasets(source: SourceSystem) -> Iterator[str]:
    if source.datasets:
        yield from ("**Datasets:**", "")
    for name, dataset in source.datasets.items():
        yield f"- {_code(name)}{f' → Extracted to {_codes(dataset.to)}' if dataset.to else ''}"
    yield ""
    for name, dataset in source.datasets.items():
        yield from _details(f"#### Dataset: {_code(name)}", dataset, labels.DATASET)


def _details(heading: str, part: object, names: Mapping[str, MapField]) -> Iterator[str]:
    """Write a section only where there is something to say."""
    details = list(_described(part, names))
    if any(details):
        yield from (heading, "", *details)


def _layers(content: Map) -> Iterator[str]:
    if content.layers:
        yield from (f"## Data Flow: {' → '.join(key.title() for key in map(_text, content.layers))}", "")
    for key, layer in content.layers.items():
        yield from (f"### Layer: {_text(layer.title) or _code(key)}", "", f"**Name:** {_code(key)}  ")
        yield from (*_described(layer, labels.LAYER), *_layer_tables(key, layer))


def _layer_tables(key: str, layer: Layer) -> Iterator[str]:
    yield from ("**Tables:**" if layer.tables else f"**Tables:** {labels.NO_NAMES}", "")
    yield from (f"- {_code(f'{key}.{name}')}" for name in layer.tables)
    made = {name: table.sources for name, table in layer.tables.items() if table.sources}
    if made:
        yield from ("", "**Lineage:**", "")
    for name, sources in made.items():
        yield f"- {' + '.join(map(_code, sources))} → {_code(f'{key}.{name}')}"
    yield ""
    for name, table in layer.tables.items():
        yield from _details(f"#### Table: {_code(name)}", table, labels.TABLE)


def _chains(content: Map) -> Iterator[str]:
    if content.column_lineage:
        yield from ("## Column-Level Lineage", "")
    for chain in content.column_lineage:
        yield from (f"### Example: {_text(chain.title)}", "", "**Lineage Chain:**", "", "```")
        for at, step in enumerate(chain.steps):
            by = _step_text(step.by).replace(" - ", " &#45; ")
            if calculates(by):
                by = re.sub(r"[(*/+%<>=]", lambda mark: _entities(mark[0]), by)
            how = " - ".join(part for part in (by, _code(step.expression) if step.expression else "") if part)
            subtype = _step_text(step.subtype).replace("[", "&#91;").replace("]", "&#93;")
            if at or how or subtype:
                yield f"  ↓{f' ({how})' if how else ''}{f' [{subtype}]' if subtype else ''}"
            yield step.column if _PLAIN.fullmatch(step.column) else _code(step.column)
        yield from ("```", "")
        if chain.logic:
            yield from ("**Transformation Logic:**", "")
            yield from (f"{at}. {_line(line)}" for at, line in enumerate(chain.logic, 1))
            yield ""


def _consumers(content: Map) -> Iterator[str]:
    if content.dashboards or content.feature_views or content.ml_models:
        yield from ("## Downstream Consumers", "")
    for word, (kind, names) in labels.CONSUMERS.items():
        for name, part in getattr(content, kind).items():
            yield from (f"### {word}: {_text(name)}", "", *_described(part, names))


def _pipeline(content: Map) -> Iterator[str]:
    if content.pipeline == type(content.pipeline)():
        return
    yield from ("## Pipeline", "", *_described(content.pipeline, labels.PIPELINE))
    if tasks := content.pipeline.tasks:
        yield from _pairs("Task", "Runs", ((_code(task), _codes(runs)) for task, runs in tasks.items()))


def _environments(content: Map) -> Iterator[str]:
    if content.environments:
        yield from ("## Environments", "")
    for name, environment in content.environments.items():
        yield from (f"### Environment: {_text(name)}", "", *_described(environment, labels.ENVIRONMENT))
        yield from _records(labels.BINDING, environment.bindings, _code)


def _policy(content: Map) -> Iterator[str]:
    if content.policy:
        pairs = ((str(code), str(severity)) for code, severity in content.policy.items())
        yield from ("## Policy", "", *_pairs("Finding", "Severity", pairs))
    if content.accepted:
        yield from ("## Accepted Findings", "", *_records(labels.ACCEPTED, content.accepted))


def _catalog(content: Map) -> Iterator[str]:
    catalog = content.catalog
    if catalog == type(catalog)():
        return
    yield from (f"## Catalog: {_text(catalog.title)}", "", *_described(catalog, labels.CATALOG))
    for kind, config in catalog.ingestion.items():
        yield from (f"### Ingestion: {_text(kind)}", "")
        yield from _pairs("Setting", "Value", ((_code(key), _code(value)) for key, value in config.items()))


def _reviews(content: Map) -> Iterator[str]:
    if content.scenarios:
        yield from ("## Impact Analysis", "")
    for scenario in content.scenarios:
        yield f"**Scenario:** {_text(scenario.description)}".rstrip() + "  "
        yield from _described(scenario, {label: labels.SCENARIO[label] for label in ("Change", "Reaches")})
    if content.validation != type(content.validation)():
        yield from ("## Lineage Validation", "", *_described(content.validation, labels.VALIDATION))
    if content.change_history:
        yield from ("## Change History", "", *_records(labels.HISTORY, content.change_history))
    if content.approvals:
        yield from ("## Approvals", "", *_records(labels.APPROVAL, content.approvals))


_PARTS = (
    _head,
    _diagram,
    _sources,
    _layers,
    _chains,
    _consumers,
    _pipeline,
    _environments,
    _policy,
    _catalog,
    _reviews,
)
