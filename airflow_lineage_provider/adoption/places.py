"""Where a first map puts each dataset, and the bindings that say so."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from airflow_lineage_provider.adoption.layering import layering
from airflow_lineage_provider.lineage_map.model import Binding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.adoption.layering import Layering
    from airflow_lineage_provider.adoption.seen import Seen, Sightings

_PLAIN_SCHEMAS = frozenset({"", "public", "main", "dbo", "default"})
"""Schemas whose names say nothing about a system."""
_ONE_PART = re.compile(r"[^./\n]+")
"""What a placeholder of a binding stands for."""


class Place(NamedTuple):
    """A dataset's place: in `sources` or `layers`, the source or layer, and the dataset's own name there."""

    section: str
    group: str
    name: str

    @property
    def logical(self) -> str:
        """What the map calls the dataset."""
        return f"{self.group}.{self.name}"


def places(found: Sightings, rule: str) -> tuple[Layering, Mapping[str, Place]]:
    """Return the layers, and the place of each dataset.

    Tables that are made are in layers, everything else is in sources. Raises InputError as `layering` does.
    """
    made = {key: seen for key, seen in found.datasets.items() if _is_made(key, seen, found)}
    layers = layering(made, found.graph, rule)
    out: dict[str, Place] = {}
    taken: set[str] = set()
    for key, seen in found.datasets.items():
        section = "layers" if key in made else "sources"
        group = layers.layers[key] if key in made else _source(seen, set(layers.order))
        place = next(p for p in _candidates(section, group, seen) if p.logical not in taken)
        taken.add(place.logical)
        out[key] = place
    return layers, out


def bindings(found: Sightings, chosen: Mapping[str, Place], *, ignore_case: bool) -> tuple[Binding, ...]:
    """Return the least bindings that give each dataset its place: special ones, then one for each schema."""
    special: list[Binding] = []
    general: dict[tuple[str, str, str], None] = {}
    for key, place in chosen.items():
        seen = _anywhere(found.datasets[key])
        before, _, table = seen.name.rpartition("/" if seen.kind == "files" else ".")
        mark = seen.name[len(before) : len(seen.name) - len(table)]
        if place.name == table and _ONE_PART.fullmatch(table):
            general[place.group, seen.namespace, before + mark] = None
        else:
            special.append(_binding(place.logical, seen.namespace, seen.name, ignore_case=ignore_case))
    return (*special, *_by_schema(general, ignore_case=ignore_case))


def _by_schema(general: Iterable[tuple[str, str, str]], *, ignore_case: bool) -> Iterator[Binding]:
    """Yield a binding for each group; those whose name is that of their schema share one."""
    shared: dict[tuple[str, str], list[str]] = {}
    for group, namespace, before in general:
        if before.endswith(f".{group}."):
            shared.setdefault((namespace, before.removesuffix(f"{group}.")), []).append(group)
    for group, namespace, before in general:
        database = before.removesuffix(f"{group}.")
        if group not in shared.get((namespace, database), ()) or len(shared[namespace, database]) == 1:
            name = f"{before}{{table}}"
            yield _binding(f"{group}.{{table}}", namespace, name, ignore_case=ignore_case)
    for (namespace, database), groups in shared.items():
        if len(groups) > 1:
            name = f"{database}{{layer}}.{{table}}"
            yield _binding("{layer}.{table}", namespace, name, ignore_case=ignore_case)


def _binding(dataset: str, namespace: str, name: str, *, ignore_case: bool) -> Binding:
    return Binding(dataset=dataset, namespace=namespace, name=name, ignore_case=ignore_case)


def _anywhere(seen: Seen) -> Seen:
    """Return a dataset whose name holds on other machines: of a local file only the last folder counts."""
    namespace, name = seen.namespace, seen.name
    if namespace.startswith("duckdb:///"):
        namespace = f"duckdb://*/{namespace.rpartition('/')[2]}"
    if namespace == "file":
        name = "/".join(["*", *name.strip("/").split("/")[-2:]])
    return replace(seen, namespace=namespace, name=name)


def _is_made(key: str, seen: Seen, found: Sightings) -> bool:
    if seen.kind in {"files", "topic", "source"}:
        return False
    return seen.kind != "table" or key in found.graph.upstream


def _source(seen: Seen, layers: set[str]) -> str:
    """Return the name of the source system that a dataset belongs to; never that of a layer."""
    scheme = seen.namespace.partition(":")[0].strip("*") or "files"
    schema = seen.database if seen.schema in _PLAIN_SCHEMAS else seen.schema
    name = (seen.source or schema or scheme).replace(".", "_").replace("/", "_")
    return f"{name}_source" if name in layers else name


def _candidates(section: str, group: str, seen: Seen) -> Iterator[Place]:
    """Yield names for a dataset, the plain one first."""
    table = seen.table or seen.name
    yield Place(section, group, table)
    if seen.schema:
        yield Place(section, group, f"{seen.schema}_{table}")
    number = 2
    while True:
        yield Place(section, group, f"{table}_{number}")
        number += 1
