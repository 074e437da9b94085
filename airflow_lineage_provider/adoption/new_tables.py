"""The place of a table that the map does not document yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map import bindings_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_lineage_provider.lineage_map import Bindings, LineageMap


def place_of(
    lineage_map: LineageMap, name: str, parents: Collection[str], environment: str | None
) -> str | None:
    """Return the logical name of a new table; None where no binding of a layer or a source fits its name.

    `name` is bound already, or what the evidence calls a table that no binding names. A table that is made
    from others is one of a layer where a layer fits. Where several layers share a schema, it is the one with
    most tables of the new one's prefix, else with most that read what it reads.
    """
    content = lineage_map.content
    if name.partition(".")[0] in {*content.layers, *content.sources}:
        return name
    bindings = bindings_of(lineage_map, environment)
    layers = list(_fitting(bindings, content.layers, name))
    sources = list(_fitting(bindings, content.sources, name))
    if sources and not (layers and parents):
        return sources[0]
    groups = {parent.partition(".")[0] for parent in parents}

    def likeness(logical: str) -> tuple[int, int]:
        layer, _, table = logical.partition(".")
        tables = content.layers[layer].tables
        named = sum(_prefix(one) == _prefix(table) for one in tables)
        fed = sum(any(s.partition(".")[0] in groups for s in one.sources) for one in tables.values())
        return named, fed

    return max(layers, key=likeness, default=None)


def _fitting(bindings: Bindings, groups: Collection[str], name: str) -> list[str]:
    """Return what the table would be called in each layer or source to which a binding fits it."""
    last = name.rstrip("/").rpartition("/")[2]
    tables = dict.fromkeys((last.rpartition(".")[2], last.rpartition(".")[2].lower(), last))
    found: dict[str, str] = {}
    for group in groups:
        for table in tables:
            if bindings.may_be(f"{group}.{table}", name):
                found[group] = f"{group}.{table}"
    return list(found.values())


def _prefix(table: str) -> str:
    return table.partition("_")[0]
