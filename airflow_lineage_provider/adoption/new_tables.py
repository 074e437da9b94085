"""The layer of a table that the map does not document yet."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map import bindings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.lineage_map import LineageMap


def place_of(
    lineage_map: LineageMap, name: str, parents: Iterable[str], environment: str | None
) -> str | None:
    """Return the logical name of a new table; None where no layer's binding fits its name.

    `name` is bound already, or an OpenLineage name, perhaps without its database. Where several layers share
    a schema, it is the one with most tables of the new one's prefix, else with most that read what it reads.
    """
    layers = lineage_map.content.layers
    if name.partition(".")[0] in layers:
        return name
    table = name.rpartition(".")[2]
    bindings = bindings_of(lineage_map, environment)
    pattern = f"*.{name}".casefold()
    fitting = [
        layer
        for layer in layers
        if any(
            fnmatchcase(f".{bound}".casefold(), pattern) for bound in bindings.names_of(f"{layer}.{table}")
        )
    ]
    if not fitting:
        return None
    groups = {parent.partition(".")[0] for parent in parents}

    def likeness(layer: str) -> tuple[int, int]:
        tables = layers[layer].tables
        named = sum(_prefix(one) == _prefix(table) for one in tables)
        fed = sum(any(s.partition(".")[0] in groups for s in one.sources) for one in tables.values())
        return named, fed

    return f"{max(fitting, key=likeness)}.{table}"


def _prefix(table: str) -> str:
    return table.partition("_")[0]
