"""A first map from what a project or a run shows: minimal, so that people can read and own it.

What can be derived stays out. Tables are documented with what they are made from; columns only of the tables
that are asked for, and there a column that keeps its name has no value.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.adoption.columns import least_sources
from airflow_lineage_provider.adoption.places import bindings, places
from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import ColumnRef, Severity
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.lineage_map.dump import dump_map
from airflow_lineage_provider.lineage_map.model import Map

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_lineage_provider.adoption.layering import Layering
    from airflow_lineage_provider.adoption.places import Place
    from airflow_lineage_provider.adoption.seen import Sightings

_CONSUMERS = {"model": "ml_models", "ml": "ml_models", "feature view": "feature_views"}


@dataclass(frozen=True, slots=True)
class FirstMap:
    """The text of a map, and a line for each choice that was made."""

    text: str
    choices: tuple[str, ...]


def first_map(
    found: Sightings,
    *,
    rule: str = "auto",
    columns: Sequence[str] = (),
    environment: str = "dev",
    ignore_case: bool = False,
) -> FirstMap:
    """Return a map that documents what was found.

    `rule` says what makes the layers (`adoption.layering`). `columns` are globs of tables, by their names in
    the map, whose columns are documented too. `ignore_case` is for warehouses that fold names, as Snowflake
    does. Raises InputError where nothing was found, or nothing has the columns that are asked for.
    """
    if not found.graph.edges:
        raise InputError("nothing here is made from anything else, so there is no lineage to document")
    layers, chosen = places(found, rule)
    data: dict[str, Any] = {
        "document": {"title": f"{found.title} lineage".strip().capitalize()} if found.title else {},
        "sources": _sources(found, chosen),
        "layers": _layers(found, layers, chosen, columns),
        **_consumers(found, chosen),
        "environments": {environment: {"bindings": bindings(found, chosen, ignore_case=ignore_case)}},
    }
    content = Map.model_validate({key: value for key, value in data.items() if value or key == "document"})
    content, relaxed = _relaxed(content)
    return FirstMap(dump_map(content), (*_choices(layers, chosen, content), *relaxed))


def _sources(found: Sightings, chosen: Mapping[str, Place]) -> dict[str, Any]:
    sources: dict[str, Any] = {}
    for key, place in chosen.items():
        if place.section == "sources":
            seen = found.datasets[key]
            scheme = seen.namespace.partition(":")[0]
            kind = seen.kind if seen.kind in {"files", "topic"} else "table"
            source = sources.setdefault(
                place.group,
                {"type": scheme if scheme not in {"", "*"} else "table", "kind": kind, "datasets": {}},
            )
            # What a table of a layer is made from is said there.
            made = [chosen[k] for k in found.graph.downstream.get(key, ()) if k in chosen]
            to = [one.logical for one in made if one.section == "sources"]
            source["datasets"][place.name] = {"to": to} if to else None
    return sources


def _layers(
    found: Sightings, layers: Layering, chosen: Mapping[str, Place], columns: Sequence[str]
) -> dict[str, Any]:
    documented = _documented_columns(found, chosen, columns)
    out: dict[str, Any] = {layer: {"tables": {}} for layer in layers.order}
    for key in sorted(chosen, key=lambda key: chosen[key]):
        place = chosen[key]
        if place.section == "layers":
            table: dict[str, Any] = {}
            if parents := _names(found.graph.parents(key), chosen):
                table["from"] = parents
            if key in documented:
                table["columns"] = documented[key]
            out[place.group]["tables"][place.name] = table or None
    return {layer: content for layer, content in out.items() if content["tables"]}


def _consumers(found: Sightings, chosen: Mapping[str, Place]) -> dict[str, Any]:
    out: dict[str, dict[str, Any]] = {}
    for name, dataset in found.graph.datasets.items():
        if name not in found.datasets:
            entry: dict[str, Any] = {"from": _names(found.graph.parents(name), chosen)}
            if dataset.owners:
                entry["owners"] = list(dataset.owners)
            out.setdefault(_CONSUMERS.get(dataset.kind, "dashboards"), {})[name] = entry
    return out


def _names(keys: Iterable[str], chosen: Mapping[str, Place]) -> list[str]:
    """Return the map's names, sorted; consumers that are made from consumers keep theirs."""
    return sorted(chosen[key].logical if key in chosen else key for key in keys)


def _documented_columns(
    found: Sightings, chosen: Mapping[str, Place], globs: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return the columns of the tables that the globs name, as the map writes them."""
    wanted = {
        key: found.graph.datasets[key]
        for key, place in chosen.items()
        if place.section == "layers" and any(fnmatchcase(place.logical, glob) for glob in globs)
    }
    known = {key: dataset for key, dataset in wanted.items() if dataset.columns}
    if globs and not known:
        raise InputError(f"no table that fits {', '.join(globs)} has known columns; run `dbt compile` first")
    names = {key: frozenset(dataset.columns) for key, dataset in known.items()}

    def made_from(column: ColumnRef) -> dict[str, Any] | None:
        sources = least_sources(found.graph, column, lambda key: names.get(key, frozenset()))
        if sources is None:
            return None
        return {"from": [f"{chosen[one.dataset].logical}.{one.column}" for one in sources]}

    return {
        key: {name: made_from(ColumnRef(key, name)) for name in dataset.columns}
        for key, dataset in known.items()
    }


def _relaxed(content: Map) -> tuple[Map, list[str]]:
    """Return the map with a policy under which it has no warning of `lint`, and a line for each relaxation.

    A project as it is may skip layers or have tables that nothing reads: people judge that later.
    """
    findings = lint(parse_map(dump_map(content), "the first map")).findings
    loud = Counter(f.code for f in findings if f.severity in {Severity.WARNING, Severity.ERROR})
    first = {finding.code: finding.message for finding in reversed(findings)}
    policy = {**content.policy, **dict.fromkeys(loud, Severity.NOTE)}
    lines = [
        f"policy: {code} is a note: {count:,} here, such as: {first[code]}" for code, count in loud.items()
    ]
    return content.model_copy(update={"policy": policy}), lines


def _choices(layers: Layering, chosen: Mapping[str, Place], content: Map) -> list[str]:
    sizes = Counter(place.group for place in chosen.values() if place.section == "layers")
    named = ", ".join(f"{layer} ({sizes[layer]:,})" for layer in layers.order)
    lines = [f"layers by {layers.rule}: {named}"]
    if content.sources:
        lines.append(
            f"sources: {', '.join(f'{name} ({len(s.datasets):,})' for name, s in content.sources.items())}"
        )
    consumers = [*content.dashboards, *content.feature_views, *content.ml_models]
    if consumers:
        lines.append(f"consumers by exposures: {', '.join(consumers)}")
    documented = sum(bool(t.columns) for layer in content.layers.values() for t in layer.tables.values())
    lines.append(f"columns of {documented:,} of {sum(sizes.values()):,} tables; more with --columns GLOB")
    return lines
