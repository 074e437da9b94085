"""The contract in a dbt project's YAML: `meta.lineage` of models, seeds, snapshots and columns.

`meta.lineage` of a model holds what a map writes of a table, and `layer`: without it the layer is the folder
of the YAML file below the folder of models. Where a column has `meta.lineage`, the columns that dbt's YAML
lists are all of the table's; their `data_type` is the documented type. `meta` may stand below `config`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.part import MapPart, position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.lineage_map.source import Included
    from airflow_lineage_provider.lineage_map.yaml_text import Path, Positions

_KINDS = ("models", "seeds", "snapshots")


def dbt_part(data: Any, positions: Positions, included: Included) -> MapPart:
    """Return what a dbt project's YAML file says in `meta.lineage`, as a part of a map. Raises MapError."""
    out = MapPart({"layers": {}}, {}, included.file, {})
    source = MapPart(data if isinstance(data, dict) else {}, positions, included.file)
    folders = included.file.removeprefix(f"{included.dbt.rstrip('/')}/").split("/")[1:-1]
    for kind in _KINDS:
        listed = source.data.get(kind)
        for number, node in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(node, dict):
                _add(out, source, (kind, number), node, folders[0] if folders else "")
    return out


def _add(out: MapPart, source: MapPart, at: Path, node: dict[str, Any], folder: str) -> None:
    """Add the table of a node that has `meta.lineage`, or whose columns have."""
    found = _lineage(node, at)
    columns = list(_columns(node, at))
    if found is None and all(lineage is None for *_, lineage in columns):
        return
    path, entry = found or (at, {})
    if not isinstance(entry, dict):
        raise source.problem(path, "meta.lineage of a model is a mapping, such as {from: staging.orders}")
    table = dict(entry)
    layer, name = table.pop("layer", None) or folder, _alias(node) or node.get("name")
    if not layer or not name:
        raise source.problem(path, "meta.lineage needs `layer`: this file is in no folder below the models")
    place: Path = ("layers", str(layer), "tables", str(name))
    tables = out.data["layers"].setdefault(place[1], {"tables": {}})["tables"]
    if place[3] in tables:
        raise source.problem(path, f"{layer}.{name} is documented twice in this file; remove one")
    _place(out, source, place, path)
    if any(lineage is not None for *_, lineage in columns):
        documented = dict(table.get("columns") or {})
        for column, own, made, lineage in columns:
            if column in documented:
                raise source.problem(own, f"{layer}.{name}.{column} is documented twice; remove one")
            documented[column] = made
            _place(
                out, source, (*place, "columns", column), lineage[0] if lineage else (*own, "meta", "lineage")
            )
        table["columns"] = documented
    tables[place[3]] = table or None


def _columns(node: dict[str, Any], at: Path) -> Iterator[tuple[str, Path, Any, tuple[Path, Any] | None]]:
    """Yield each column with its path, its entry in a map, and its `meta.lineage`."""
    listed = node.get("columns")
    for number, column in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(column, dict) and isinstance(column.get("name"), str):
            own: Path = (*at, "columns", number)
            lineage = _lineage(column, own)
            entry = lineage[1] if lineage else None
            data_type = column.get("data_type")
            if data_type and (entry is None or isinstance(entry, str | dict)):
                given = {"from": entry} if isinstance(entry, str) else entry or {}
                entry = {"type": data_type, **given}
            yield column["name"], own, entry, lineage


def _alias(node: dict[str, Any]) -> Any:
    config = node.get("config")
    return config.get("alias") if isinstance(config, dict) else None


def _lineage(node: dict[str, Any], at: Path) -> tuple[Path, Any] | None:
    """Return the path of `meta.lineage` and what it says; None where there is none."""
    for keys in (("meta",), ("config", "meta")):
        value: Any = node
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, dict) and "lineage" in value:
            return (*at, *keys, "lineage"), value["lineage"]
    return None


def _place(out: MapPart, source: MapPart, place: Path, own: Path) -> None:
    """Record where a part of the map stands in dbt's YAML, and the parts below it."""
    out.own_paths[place] = own
    where = position(source.positions, own)
    for length in range(1, len(place)):
        out.positions.setdefault(place[:length], where)
    out.positions[place] = where
    for path, at in source.positions.items():
        if len(path) > len(own) and path[: len(own)] == own and own[-1] == "lineage":
            out.positions[(*place, *path[len(own) :])] = at
