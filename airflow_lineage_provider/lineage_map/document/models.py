"""A dbt model as a document prints it: its config, and its columns by its SQL."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath
from typing import Any

_CONFIG = re.compile(r"\{\{\s*config\s*(\(.*?\))\s*\}\}", re.DOTALL)
_INCREMENTAL = re.compile(r"\{%-?\s*if\s+is_incremental\(\).*?\{%-?\s*endif\s*-?%\}", re.DOTALL)
_SOURCE = re.compile(r"\{\{\s*source\(\s*['\"](\w+)['\"]\s*,\s*['\"](\w+)['\"]\s*\)\s*\}\}")
_REF = re.compile(r"\{\{\s*ref\(\s*['\"](\w+)['\"]\s*\)\s*\}\}")
_FILE = re.compile(r"(?:#|--)\s*(\S+\.sql)\s*\n")
_SETTINGS = ("materialized", "unique_key", "on_schema_change", "cluster_by")


def read_model(data: dict[str, Any], layer: str, text: str) -> list[str]:
    """Add the model to the tables of its layer; returns what of it has no place there."""
    file = _FILE.search(text)
    if file is None:
        return ["a model without the name of its file"]
    name = PurePosixPath(file[1]).stem
    table: dict[str, Any] = data["layers"][layer].setdefault("tables", {}).setdefault(name, {})
    table["file"] = file[1]
    lost = []
    if config := _CONFIG.search(text):
        settings = _settings(config[1])
        lost = [f"the setting {key!r} of {name}" for key in settings if key not in _SETTINGS]
        table |= {key: value for key, value in settings.items() if key in _SETTINGS}
    bare = _INCREMENTAL.sub("", _CONFIG.sub("", text.replace(file[0], "", 1)))
    sql = _SOURCE.sub(r"\1.\2", _REF.sub(lambda ref: _table_of(data, layer, ref[1]), bare))
    columns = _columns(sql)
    if columns:
        table["columns"] = columns
    return lost if columns else [*lost, f"the SQL of {name}"]


def _table_of(data: dict[str, Any], layer: str, model: str) -> str:
    for name, known in data["layers"].items():
        if model in known.get("tables", {}):
            return f"{name}.{model}"
    return f"{layer}.{model}"


def _settings(call: str) -> dict[str, Any]:
    try:
        tree = ast.parse(f"config{call}", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found = {}
    for keyword in tree.keywords if isinstance(tree, ast.Call) else ():
        try:
            value = ast.literal_eval(keyword.value)
        except ValueError:
            value = None
        found[keyword.arg or "**"] = value
    return found


def _columns(sql: str) -> dict[str, Any]:
    from airflow_lineage_provider.sql import column_lineage

    found = column_lineage(sql, dialect="", schema={})
    columns: dict[str, Any] = {}
    for column in found.columns:
        sources = list(dict.fromkeys(f"{s.table}.{s.column}" for s in column.sources if s.type == "DIRECT"))
        plain = all(source.subtype == "IDENTITY" for source in column.sources) and sources
        alone = plain and len(found.reads) == 1 and sources[0].endswith(f".{column.name}")
        made: dict[str, Any] = {} if alone else {"from": sources}
        if column.expression and not plain:
            made["expression"] = column.expression
        columns[column.name] = made
    return columns
