"""SQL that a document prints: a dbt model with its config, or a statement that makes a table."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_lineage_provider.lineage_map.document.draft import Draft, PrintedModel
    from airflow_lineage_provider.sql import Lineage, Table

_FILE = re.compile(r"^(?:#|--|//)\s*(\S+\.sql)\s*$", re.MULTILINE)
_JINJA = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
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
    out: list[str] = []
    settings: dict[str, Any] = {}
    end = depth = 0
    opened = ""
    for mark in _JINJA.finditer(text):
        inside = text[end : mark.start()]
        end = mark.end()
        if mark[0] in {"{{", "{%", "{#"}:
            out += [inside] * (not depth)
        elif opened == "{{" and not depth:
            call = _call(inside)
            settings |= _settings(call)
            out.append(_reference(call, table_of))
        elif opened == "{%":
            word = (inside.strip("- ").split() or [""])[0]
            depth = max(0, depth + (word in {"if", "for", "macro"}) - word.startswith("end"))
        opened = mark[0]
    return "".join([*out, text[end:]]), settings


def _call(text: str) -> tuple[str, ast.Call] | None:
    """Return the function of a Jinja expression and its call, which Python's grammar reads too."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
        return call.func.id, call
    return None


def _settings(call: tuple[str, ast.Call] | None) -> dict[str, Any]:
    if call is None or call[0] != "config":
        return {}
    return {keyword.arg or "**": _literal(keyword.value) for keyword in call[1].keywords}


def _reference(call: tuple[str, ast.Call] | None, table_of: Callable[[str], str]) -> str:
    """Return the table that a `ref` or a `source` names."""
    names = [str(_literal(part)) for part in call[1].args] if call else []
    if call and names and call[0] == "ref":
        return table_of(names[-1])
    return ".".join(names) if call and call[0] == "source" else ""


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, RecursionError):
        return None


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
