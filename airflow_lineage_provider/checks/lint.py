"""Check a map on its own: names that it does not define, cycles, loose ends."""

from __future__ import annotations

import difflib
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.bindings import binding_findings
from airflow_lineage_provider.checks.references import column_reference
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import (
    CONSUMERS,
    Code,
    Comparison,
    Finding,
    consumers,
    impact,
    weigh,
)
from airflow_lineage_provider.graph.walk import shortest_path
from airflow_lineage_provider.lineage_map import MapError, MapProblem, bindings_of
from airflow_lineage_provider.lineage_map.approval import digest_of
from airflow_lineage_provider.readers.documented import read_map, unresolved_columns

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from airflow_lineage_provider.graph import Graph, Provenance
    from airflow_lineage_provider.lineage_map import LineageMap

_MAX_PROBLEMS = 100
_MAX_HINTS = 100


def lint(lineage_map: LineageMap, today: dt.date | None = None) -> Comparison:
    """Return what is wrong with a map on its own, as of a day. Raises MapError for an invalid binding."""
    bindings_of(lineage_map)  # raises for an invalid one
    graph = read_map(lineage_map).graph
    findings = [
        *binding_findings(lineage_map),
        *_undefined(lineage_map, graph),
        *_unknown_columns(graph),
        *_ambiguous_columns(lineage_map),
        *_cycles(graph),
        *_upward(lineage_map, graph),
        *_loose_ends(lineage_map, graph),
        *_shortcuts(graph),
        *_scenarios(lineage_map, graph),
        *_approvals(lineage_map),
    ]
    counted, accepted = weigh(findings, lineage_map.policy(today))
    return Comparison(findings=counted, accepted=accepted)


def require_known_names(lineage_map: LineageMap, graph: Graph) -> None:
    """Raise MapError for a map that names an unknown dataset, such as a misspelt one."""
    unknown = [f for f in _undefined(lineage_map, graph) if f.code is Code.UNKNOWN_DATASET]
    if unknown:
        problems = [MapProblem(*_place(lineage_map, f), 1, f.message) for f in unknown[:_MAX_PROBLEMS]]
        if len(unknown) > _MAX_PROBLEMS:
            more = f"and {len(unknown) - _MAX_PROBLEMS:,} more names that are not documented"
            problems.append(MapProblem(lineage_map.file, 0, 0, more))
        raise MapError(problems)


def _place(lineage_map: LineageMap, finding: Finding) -> tuple[str, int]:
    where = finding.documented[0] if finding.documented else lineage_map.where()
    return where.file, where.line or 1


def _defined(graph: Graph) -> set[str]:
    return {name for name, dataset in graph.datasets.items() if dataset.provenance}


def _undefined(lineage_map: LineageMap, graph: Graph) -> Iterator[Finding]:
    """Yield the names that the map uses and does not define: misspelt ones, and tables left out."""
    defined = _defined(graph)
    for number, name in enumerate(sorted(graph.datasets.keys() - defined)):
        where = _first_use(graph, name)
        layer = name.partition(".")[0]
        # The similarity to every name is slow to compute: many unknown names are not misspelt.
        near = difflib.get_close_matches(name, defined, n=1, cutoff=0.85) if number < _MAX_HINTS else []
        if near or layer not in lineage_map.content.layers:
            hint = f"; did you mean {near[0]}?" if near else ""
            yield Finding(Code.UNKNOWN_DATASET, name, f"{name} is used and not documented{hint}", where)
            continue
        message = f"{name} is documented, and the layer {layer} does not list it"
        if name not in graph.downstream:
            message += "; nothing reads it"
        yield Finding(Code.NOT_LISTED, name, message, where)


def _first_use(graph: Graph, name: str) -> tuple[Provenance, ...]:
    return next((edge.provenance for pair, edge in graph.edges.items() if name in pair), ())


def _unknown_columns(graph: Graph) -> Iterator[Finding]:
    reported = set()
    for edge in graph.column_edges:
        for ref in (edge.source, edge.target):
            columns = graph.datasets[ref.dataset].columns
            if columns and ref.column not in columns and ref not in reported:
                reported.add(ref)
                near = difflib.get_close_matches(ref.column, columns, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                message = f"{ref} is used, and {ref.dataset} has no such column{hint}"
                yield Finding(Code.UNKNOWN_COLUMN, str(ref), message, edge.provenance)


def _ambiguous_columns(lineage_map: LineageMap) -> Iterator[Finding]:
    for ref, having, where in unresolved_columns(lineage_map):
        inputs = f"{', '.join(having)} have it" if having else "none of its inputs has it"
        message = f"{ref} keeps its name, and {inputs}; say which with `from`"
        yield Finding(Code.AMBIGUOUS_COLUMN, str(ref), message, (where,))


def _cycles(graph: Graph) -> Iterator[Finding]:
    try:
        TopologicalSorter(graph.upstream).prepare()
    except CycleError as error:
        names = list(reversed(error.args[1]))
        edge = graph.edges[names[0], names[1]]
        yield Finding(Code.CYCLE, names[0], f"a cycle: {' -> '.join(names)}", edge.provenance)


def _upward(lineage_map: LineageMap, graph: Graph) -> Iterator[Finding]:
    ranks = {layer: rank for rank, layer in enumerate(lineage_map.content.layers)}
    for (source, target), edge in graph.edges.items():
        layers = graph.datasets[source].layer, graph.datasets[target].layer
        if all(layer in ranks for layer in layers) and ranks[layers[0]] > ranks[layers[1]]:
            message = f"{target} reads {source}: {layers[1]} is below {layers[0]}"
            yield Finding(Code.READS_UPWARD, str(edge), message, edge.provenance)


def _loose_ends(lineage_map: LineageMap, graph: Graph) -> Iterator[Finding]:
    """Yield tables that nothing feeds, and tables before the last layer that nothing reads."""
    last = next(reversed(lineage_map.content.layers), "")
    for name, dataset in graph.datasets.items():
        if not dataset.provenance:
            continue
        if name not in graph.upstream and (dataset.layer or dataset.kind in CONSUMERS):
            yield Finding(Code.NOT_FED, name, f"nothing feeds {name}; say `from` what", dataset.provenance)
        elif name not in graph.downstream and dataset.layer not in {last, ""}:
            yield Finding(Code.NOT_READ, name, f"nothing reads {name}", dataset.provenance)
        elif name not in graph.downstream and not dataset.layer and dataset.kind not in CONSUMERS:
            message = f"{name} is extracted to nothing; say `to` what"
            yield Finding(Code.NOT_READ, name, message, dataset.provenance)


def _shortcuts(graph: Graph) -> Iterator[Finding]:
    """Yield the edges that summarise a longer documented path."""
    for pair, edge in graph.edges.items():
        path = shortest_path(graph.parents, *pair, indirect=True)
        if path:
            message = f"{edge} skips {', '.join(path[1:-1])}, which the map has in between"
            yield Finding(Code.SKIPS_TABLE, str(edge), message, edge.provenance)


def _scenarios(lineage_map: LineageMap, graph: Graph) -> Iterator[Finding]:
    """Yield the documented scenarios whose consumers differ from those that the map leads to."""
    for number, scenario in enumerate(lineage_map.content.scenarios):
        try:
            start = column_reference(graph, scenario.change)
        except InputError as error:
            yield Finding(
                Code.UNKNOWN_DATASET, scenario.change, str(error), (_scenario(lineage_map, number),)
            )
            continue
        reached = {dataset.name for dataset in consumers(graph, impact(graph, [start]))}
        documented = set(scenario.reaches)
        if documented and documented != reached:
            parts = [
                f"{verb} {', '.join(sorted(names))}"
                for verb, names in (
                    ("also reaches", reached - documented),
                    ("does not reach", documented - reached),
                )
                if names
            ]
            message = f"a change of {start} {' and '.join(parts)}"
            yield Finding(Code.SCENARIO_DIFFERS, str(start), message, (_scenario(lineage_map, number),))


def _scenario(lineage_map: LineageMap, number: int) -> Provenance:
    return lineage_map.where("scenarios", number)


def _approvals(lineage_map: LineageMap) -> Iterator[Finding]:
    """Yield the approvals of another content than the map's."""
    digest = digest_of(lineage_map.content)
    for number, approval in enumerate(lineage_map.content.approvals):
        if approval.digest and approval.digest != digest:
            signed = f"{approval.name or approval.role}{f' on {approval.date}' if approval.date else ''}"
            message = f"the map was changed after its approval by {signed}; review and approve it again"
            where = lineage_map.where("approvals", number)
            yield Finding(Code.CHANGED_SINCE_APPROVAL, approval.role, message, (where,))
