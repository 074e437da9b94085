"""The one comparison: what is expected beside what was observed.

Findings are chosen so that one change gives one message. An edge whose end is missing or unexpected
is told with that dataset, and a documented edge that summarises a longer documented path is not
reported again where a hop of that path is.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.compare_columns import compare_column_edges, compare_schemas
from airflow_lineage_provider.graph.findings import (
    Code,
    Comparison,
    EdgeVerdict,
    Finding,
    Policy,
    Verdict,
    weigh,
)
from airflow_lineage_provider.graph.model import without_collection
from airflow_lineage_provider.graph.sides import Sides
from airflow_lineage_provider.graph.walk import shortest_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_lineage_provider.graph.model import Graph
    from airflow_lineage_provider.graph.sides import Same, Scope


def compare(
    expected: Graph,
    observed: Graph,
    *,
    scope: Scope | None = None,
    policy: Policy | None = None,
    same_type: Same | None = None,
    same_expression: Same | None = None,
    reasons: Mapping[str, str] | None = None,
) -> Comparison:
    """Return a verdict for every edge and what differs.

    `scope` says of a documented dataset whether this run was to produce it; what lies outside is
    UNOBSERVED and no failure. `same_type` and `same_expression` say whether two spellings mean the same;
    without them only blanks and capitals are forgiven. `reasons` says why a dataset was not produced,
    where that is known.
    """
    sides = Sides(expected, observed, scope or (lambda _: True), reasons or {})
    with without_collection():
        verdicts, edge_findings = _compare_edges(sides)
        findings = [
            *_compare_datasets(sides),
            *edge_findings,
            *compare_schemas(sides, same_type or _same_text),
            *compare_column_edges(sides, same_expression or _same_text),
        ]
    counted, accepted = weigh(findings, policy or Policy())
    return Comparison(tuple(verdicts), counted, accepted, dict(sides.column_verdicts))


def _compare_datasets(sides: Sides) -> Iterator[Finding]:
    for name, dataset in sides.missing.items():
        message = f"{name} is documented and was not produced"
        if name in sides.reasons:
            message += f": {sides.reasons[name]}"
        elif name in sides.renamed:
            message += f"; perhaps it was renamed to {sides.renamed[name]}"
        yield Finding(Code.DATASET_MISSING, name, message, documented=dataset.provenance)
    in_between = {name for hop in sides.passed_through for name in hop}
    new_names = set(sides.renamed.values())
    for name, dataset in sides.unexpected.items():
        if name in in_between and name not in new_names:
            continue
        message = f"{name} is not documented{_neighbours(sides.observed, name)}"
        yield Finding(Code.DATASET_UNEXPECTED, name, message, observed=dataset.provenance)


def _neighbours(graph: Graph, name: str) -> str:
    """Say what an undocumented dataset is made from and who reads it."""
    parts = [
        f"{verb} {', '.join(sorted(names)[:3])}{' and others' if len(names) > 3 else ''}"  # noqa: PLR2004
        for verb, names in (
            ("made from", graph.upstream.get(name, ())),
            ("read by", graph.downstream.get(name, ())),
        )
        if names
    ]
    return f": it is {' and '.join(parts)}" if parts else ""


def _compare_edges(sides: Sides) -> tuple[list[EdgeVerdict], list[Finding]]:
    verdicts: list[EdgeVerdict] = []
    findings: list[Finding] = []
    for pair, edge in sides.expected.edges.items():
        verdict, through = _judge(sides, pair)
        verdicts.append(EdgeVerdict(edge, verdict, through))
        message, code = "", Code.EDGE_MISSING
        if through:
            code = Code.SATISFIED_THROUGH
            message = f"{edge} is satisfied through {', '.join(through)}"
        elif verdict is Verdict.UNOBSERVED:
            code = Code.NOT_SELECTED
            message = f"{edge} was not observed: this run was not to produce {edge.target}"
        elif verdict is Verdict.PHANTOM and not _told_elsewhere(sides, pair):
            message = f"{edge} is documented, and {edge.target} was made without reading {edge.source}"
        if message:
            target = sides.observed.datasets.get(edge.target)
            findings.append(
                Finding(code, str(edge), message, edge.provenance, target.provenance if target else ())
            )
    for pair, edge in sides.observed.edges.items():
        if pair in sides.expected.edges:
            continue
        on_the_way = pair in sides.passed_through
        verdicts.append(EdgeVerdict(edge, Verdict.VERIFIED if on_the_way else Verdict.UNDECLARED))
        if not on_the_way and sides.unexpected.keys().isdisjoint(pair):
            message = f"{edge.target} reads {edge.source}, which the map does not document"
            findings.append(Finding(Code.EDGE_UNEXPECTED, str(edge), message, observed=edge.provenance))
    return verdicts, findings


def _judge(sides: Sides, pair: tuple[str, str]) -> tuple[Verdict, tuple[str, ...]]:
    if pair in sides.observed.edges:
        return Verdict.VERIFIED, ()
    path = shortest_path(sides.observed.parents, *pair)
    if path:
        sides.satisfied.add(pair)
        sides.passed_through.update(pairwise(path))
        return Verdict.VERIFIED, path[1:-1]
    return (Verdict.PHANTOM if sides.covered(pair[1]) else Verdict.UNOBSERVED), ()


def _told_elsewhere(sides: Sides, pair: tuple[str, str]) -> bool:
    """Whether the cause of a missing edge has a finding of its own."""
    if not sides.missing.keys().isdisjoint(pair):
        return True
    path = shortest_path(sides.expected.parents, *pair, indirect=True)
    return any(hop not in sides.observed.edges for hop in pairwise(path))


def _same_text(first: str, second: str) -> bool:
    return "".join(first.upper().split()) == "".join(second.upper().split())
