"""SQL that a document prints: a dbt model with its config, or a statement that makes a table."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jinja2 import nodes

    from airflow_lineage_provider.lineage_map.document.draft import Draft, PrintedModel
    from airflow_lineage_provider.sql import Lineage, Table

_FILE = re.compile(r"^(?:#|--|//)\s*(\S+\.sql)\s*$", re.MULTILINE)
_SETTINGS = ("materialized", "unique_key", "on_schema_change", "cluster_by")


def settle_models(draft: Draft) -> None:
    """Add each model to the tables of its layer; list what of it has no place there."""
    for model in draft.models:
        for what in _read_model(draft, model):
            draft.not_placed(model.number, what)


def _read_model(draft: Draft, model: PrintedModel) -> Iterator[str]:
    from airflow_lineage_provider.sql import column_lineage

    file = _FILE.search(model.text)
    path = PurePosixPath(file[1] if file else "")
    folders = (folder for folder in path.parts if folder in draft.data.get("layers", ()))
    layer, name = model.layer or next(folders, path.parent.name), path.stem
    text = model.text.replace(file[0], "", 1) if file else model.text
    sql, settings = _without_jinja(text, lambda ref: _table_of(draft, layer, ref))
    found = column_lineage(sql, dialect="", schema={})
    if not file and found.writes:
        layer, name = found.writes.schema or layer, found.writes.name
    if not (layer and name):
        yield "SQL without the file or the table that it makes"
        return
    table = draft.table(layer, name)
    if file:
        table["file"] = file[1]
    yield from (f"the setting {key!r} of {name}" for key in settings if key not in _SETTINGS)
    table |= {key: value for key, value in settings.items() if key in _SETTINGS}
    if found.columns:
        table["columns"] = _columns(found)
        if not table.get("from"):
            table["from"] = [_name(read) for read in found.reads]
    else:
        yield f"the SQL of {name}"


def _table_of(draft: Draft, layer: str, model: str) -> str:
    name = draft.resolve(model)
    return name if "." in name or not layer else f"{layer}.{name}"


def _without_jinja(text: str, table_of: Callable[[str], str]) -> tuple[str, dict[str, Any]]:
    """Return SQL with names for refs, without the blocks that a condition guards, and its config."""
    from jinja2 import Environment, TemplateSyntaxError, nodes

    out: list[str] = []
    settings: dict[str, Any] = {}
    try:
        body = Environment(autoescape=False).parse(text).body  # noqa: S701 - parsed, never rendered
    except (TemplateSyntaxError, RecursionError):
        return "", {}
    for node in (part for block in body if isinstance(block, nodes.Output) for part in block.nodes):
        if isinstance(node, nodes.TemplateData):
            out.append(node.data)
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            names = [str(_literal(argument)) for argument in node.args]
            if node.node.name == "config":
                settings |= {keyword.key: _literal(keyword.value) for keyword in node.kwargs}
            elif names and node.node.name in {"ref", "source"}:
                out.append(table_of(names[-1]) if node.node.name == "ref" else ".".join(names))
    return "".join(out), settings


def _literal(value: nodes.Expr) -> Any:
    """Return the value of a literal; nothing of what has to be computed."""
    from jinja2 import nodes

    parts = [value, *value.find_all(nodes.Node)]
    return value.as_const() if all(isinstance(one, nodes.Literal | nodes.Pair) for one in parts) else None


def _name(table: Table) -> str:
    return ".".join(part for part in (table.schema, table.name) if part)


def _columns(found: Lineage) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for column in found.columns:
        direct = (source for source in column.sources if source.type == "DIRECT")
        sources = list(dict.fromkeys(f"{source.table}.{source.column}" for source in direct))
        plain = sources and all(source.subtype == "IDENTITY" for source in column.sources)
        alone = plain and len(found.reads) == 1 and sources[0].endswith(f".{column.name}")
        made: dict[str, Any] = {} if alone else {"from": sources}
        if column.expression and not plain:
            made["expression"] = column.expression
        columns[column.name] = made
    return columns
