"""Which of the documented datasets a run, or a project, is expected to produce."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.readers.documented import read_map

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.lineage_map import LineageMap


def in_scope(
    lineage_map: LineageMap, expected: Graph, scope: Sequence[str] | None, environment: str | None
) -> Callable[[str], bool]:
    """Return a predicate over dataset names: those that `scope` names, else those the environment produces.

    A part of `scope` is a layer, a dataset, or a glob over datasets. Raises InputError for one that fits
    nothing.
    """
    layers = {name: dataset.layer for name, dataset in expected.datasets.items()}
    place = lineage_map.content.environments.get(environment or "")
    wanted = scope or (place.produces if place else ()) or tuple(lineage_map.content.layers)
    chosen: set[str] = set()
    for part in wanted:
        found = {name for name, layer in layers.items() if layer == part or fnmatchcase(name, part)}
        if not found and (scope or part not in lineage_map.content.layers):
            known = ", ".join(sorted(lineage_map.content.layers))
            raise InputError(f"the scope {part!r} fits nothing in the map; its layers are {known}")
        chosen |= found
    return chosen.__contains__


def expected_datasets(
    lineage_map: LineageMap, scope: Sequence[str] | None = None, environment: str | None = None
) -> frozenset[str]:
    """Return the datasets that a run of this scope must produce, which is what to wait for."""
    expected = read_map(lineage_map).graph
    return frozenset(filter(in_scope(lineage_map, expected, scope, environment), expected.datasets))
