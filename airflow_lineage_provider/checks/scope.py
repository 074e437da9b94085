"""Which of the documented datasets a run, or a project, is expected to produce."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase, translate
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map import MapError, MapProblem
from airflow_lineage_provider.readers.documented import read_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
    _require_fitting_scope(lineage_map, layers)
    chosen: set[str] = set()
    for part in wanted:
        found = {name for name, layer in layers.items() if layer == part or fnmatchcase(name, part)}
        if not found and (scope or part not in lineage_map.content.layers):
            known = ", ".join(sorted(lineage_map.content.layers))
            raise InputError(f"the scope {part!r} fits nothing in the map; its layers are {known}")
        chosen |= found
    return frozenset(filter(in_map_scope(lineage_map), chosen)).__contains__


def in_map_scope(lineage_map: LineageMap) -> Callable[[str], bool]:
    """Return a predicate over dataset names, documented or not: those that the map's own `scope` covers."""
    return _matcher(lineage_map.content.scope) if lineage_map.content.scope else lambda _: True


def reported(lineage_map: LineageMap, scope: Sequence[str] | None) -> Callable[[str], bool]:
    """Return a predicate over dataset names: those that a check of `scope` reports if undocumented."""
    inside = in_map_scope(lineage_map)
    if not scope:
        return inside
    layers = [f"{part}.*" for part in scope if part in lineage_map.content.layers]
    chosen = _matcher([*scope, *layers])
    return lambda name: inside(name) and chosen(name)


def _matcher(globs: Sequence[str]) -> Callable[[str], bool]:
    pattern = re.compile("|".join(f"(?:{translate(glob)})" for glob in globs))
    return lambda name: pattern.match(name) is not None


def _require_fitting_scope(lineage_map: LineageMap, names: Iterable[str]) -> None:
    for number, glob in enumerate(lineage_map.content.scope):
        if not any(fnmatchcase(name, glob) for name in names):
            where = lineage_map.where("scope", number)
            message = f"the scope {glob!r} fits no dataset of the map; write a glob such as silver.*"
            raise MapError([MapProblem(where.file, where.line, 1, message)])


def expected_datasets(
    lineage_map: LineageMap, scope: Sequence[str] | None = None, environment: str | None = None
) -> frozenset[str]:
    """Return the datasets that a run of this scope must produce, which is what to wait for."""
    expected = read_map(lineage_map).graph
    return frozenset(filter(in_scope(lineage_map, expected, scope, environment), expected.datasets))
