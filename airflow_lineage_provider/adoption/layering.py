"""Which layer each table belongs to: by its model's folder, its schema, its name's prefix, or its tag."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_lineage_provider.adoption.seen import Seen
    from airflow_lineage_provider.graph import Graph

_MOST = 12
"""More groups than this are no layers."""
_ENOUGH = 0.8
"""The part of the models that a rule must place."""
_KINDS = {"seed": "seeds", "snapshot": "snapshots"}


@dataclass(frozen=True, slots=True)
class Layering:
    """The rule that was used, and the layer of each table; layers are in the order in which data flows."""

    rule: str
    layers: Mapping[str, str]
    order: tuple[str, ...]


def _folder(seen: Seen) -> str:
    return seen.folder.partition("/")[0]


def _schema(seen: Seen) -> str:
    return seen.schema


def _prefix(seen: Seen) -> str:
    prefix, mark, rest = seen.table.partition("_")
    return prefix.lower() if mark and rest else ""


def _tag(seen: Seen) -> str:
    return seen.tags[0] if seen.tags else ""


RULES: Mapping[str, Callable[[Seen], str]] = {
    "folder": _folder,
    "schema": _schema,
    "prefix": _prefix,
    "tag": _tag,
}


def layering(tables: Mapping[str, Seen], graph: Graph, rule: str = "auto") -> Layering:
    """Return the layer of each table, by `rule` or by the first rule that fits.

    Folders, then schemas, then prefixes fit if they put most models into 2 to 12 groups. Otherwise, and for
    tables that the rule does not place, the schema is the layer. Seeds and snapshots without a folder of
    their own are layers too. Raises InputError for a rule that places no table.
    """
    models = {key: seen for key, seen in tables.items() if seen.kind not in _KINDS}
    if rule == "auto":
        rule = next((name for name in ("folder", "schema", "prefix") if _fits(name, models)), "schema")
    elif not any(map(RULES[rule], models.values())):
        raise InputError(f"no model has a {rule} to make layers of; choose another of {', '.join(RULES)}")
    layers = {key: _cleaned(_layer(rule, seen)) for key, seen in tables.items()}
    return Layering(rule, layers, _order(layers, graph))


def _layer(rule: str, seen: Seen) -> str:
    if seen.kind in _KINDS and rule != "schema":
        return _KINDS[seen.kind]
    return RULES[rule](seen) or seen.schema or "main"


def _fits(rule: str, models: Mapping[str, Seen]) -> bool:
    groups = Counter(map(RULES[rule], models.values()))
    placed = len(models) - groups.pop("", 0)
    if not placed or placed < _ENOUGH * len(models):
        return False
    most = min(_MOST, len(models) // 2)
    return 1 < len(groups) <= most


def _cleaned(layer: str) -> str:
    """Return a name without the characters that separate the parts of a name."""
    return layer.replace(".", "_").replace("/", "_")


def _order(layers: Mapping[str, str], graph: Graph) -> tuple[str, ...]:
    """Return the layers by how far their tables are from the sources, on the average."""
    try:
        keys = tuple(TopologicalSorter(graph.upstream).static_order())
    except CycleError:
        return tuple(dict.fromkeys(layers.values()))
    depths: dict[str, int] = {}
    for key in keys:
        depths[key] = 1 + max((depths[parent] for parent in graph.parents(key)), default=0)
    found: dict[str, list[int]] = {}
    for key, layer in layers.items():
        found.setdefault(layer, []).append(depths.get(key, 0))
    return tuple(sorted(found, key=lambda layer: (sum(found[layer]) / len(found[layer]), layer)))
