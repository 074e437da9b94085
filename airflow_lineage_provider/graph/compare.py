"""Compare the expected lineage graph with the observed one.

One change gives one finding. An edge to or from a missing or unexpected dataset is reported with that
dataset, and a documented edge that summarises a longer documented path is not reported where a hop of that
path is.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.compare_columns import compare_column_edges, compare_schemas
from airflow_lineage_provider.graph.compare_properties import compare_properties
from airflow_lineage_provider.graph.findings import (
    Code,
    Comparison,
    EdgeVerdict,
    Finding,
    Policy,
    Verdict,
    weigh,
)
from airflow_lineage_provider.graph.matching import Matching
from airflow_lineage_provider.graph.model import without_collection
from airflow_lineage_provider.graph.replacements import one_for_each_change
from airflow_lineage_provider.graph.walk import shortest_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.graph.matching import Same, Scope
    from airflow_lineage_provider.graph.model import Graph


def compare(  # noqa: PLR0913 - keyword arguments
    expected: Graph,
    observed: Graph,
    *,
    scope: Scope | None = None,
    reported: Scope | None = None,
    policy: Policy | None = None,
    same_type: Same | None = None,
    same_expression: Same | None = None,
    reasons: Mapping[str, str] | None = None,
    also: Iterable[Finding] = (),
) -> Comparison:
    """Return a verdict for every edge, and a finding for every difference.

    `scope` tells whether an expected dataset must have been observed; edges into any other one are
    UNOBSERVED, which is no finding. `reported` tells whether a dataset that is not expected is a finding,
    with the edges into it; by default it is. `same_type` and `same_expression` tell whether two spellings
    mean the same; by default blanks and letter case are ignored. `reasons` tells why datasets are missing.
    `also` are findings of other kinds, which the policy weighs too.
    """
    matching = Matching(expected, observed, scope or _everything, reported or _everything, reasons or {})
    with without_collection():
        verdicts, edge_findings = _compare_edges(matching)
        differences = [
            *_compare_datasets(matching),
            *edge_findings,
            *compare_schemas(matching, same_type or _same_text),
            *compare_column_edges(matching, same_expression or _same_text),
            *compare_properties(matching),
        ]
        findings = [*one_for_each_change(differences, matching), *also]
    counted, accepted = weigh(findings, policy or Policy())
    return Comparison(tuple(verdicts), counted, accepted, dict(matching.column_verdicts))


def _compare_datasets(matching: Matching) -> Iterator[Finding]:
    for name, dataset in matching.missing.items():
        message = f"{name} is documented and was not produced"
        if name in matching.reasons:
            message += f": {matching.reasons[name]}"
        elif name in matching.renamed:
            message += f"; perhaps it was renamed to {matching.renamed[name]}"
        yield Finding(Code.DATASET_MISSING, name, message, documented=dataset.provenance)
    in_between = {name for hop in matching.passed_through for name in hop}
    new_names = set(matching.renamed.values())
    for name, dataset in matching.unexpected.items():
        if name in in_between and name not in new_names:
            continue
        message = f"{name} is not documented{_neighbours(matching.observed, name)}"
        yield Finding(Code.DATASET_UNEXPECTED, name, message, observed=dataset.provenance)


def _neighbours(graph: Graph, name: str) -> str:
    """Return the inputs and the readers of an undocumented dataset, as the end of a sentence."""
    parts = [
        f"{verb} {', '.join(sorted(names)[:3])}{' and others' if len(names) > 3 else ''}"  # noqa: PLR2004
        for verb, names in (
            ("made from", graph.upstream.get(name, ())),
            ("read by", graph.downstream.get(name, ())),
        )
        if names
    ]
    return f": it is {' and '.join(parts)}" if parts else ""


def _compare_edges(matching: Matching) -> tuple[list[EdgeVerdict], list[Finding]]:
    verdicts: list[EdgeVerdict] = []
    findings: list[Finding] = []
    for pair, edge in matching.expected.edges.items():
        verdict, through = _judge(matching, pair)
        path = (pair[0], *through, pair[1]) if verdict is Verdict.VERIFIED else ()
        verdicts.append(EdgeVerdict(edge, verdict, through, _saved(matching, pairwise(path))))
        message, code = "", Code.EDGE_MISSING
        if through:
            code = Code.SATISFIED_THROUGH
            message = f"{edge} is satisfied through {', '.join(through)}"
        elif verdict is Verdict.UNOBSERVED:
            code = Code.NOT_SELECTED
            unknown = matching.made_of_unknown(edge.target)
            why = "not all of its columns have known sources" if unknown else "it is out of scope"
            message = f"{edge} was not observed: of {edge.target}, {why}"
        elif verdict is Verdict.PHANTOM and not _has_other_finding(matching, pair):
            message = f"{edge} is documented, and {edge.target} was made without reading {edge.source}"
        if message:
            target = matching.observed.datasets.get(edge.target)
            findings.append(
                Finding(code, str(edge), message, edge.provenance, target.provenance if target else ())
            )
    for pair, edge in matching.observed.edges.items():
        if pair in matching.expected.edges:
            continue
        in_path = pair in matching.passed_through
        if not in_path and not matching.reported(pair[1]):
            continue
        verdict = Verdict.VERIFIED if in_path else Verdict.UNDECLARED
        verdicts.append(EdgeVerdict(edge, verdict, saved=_saved(matching, [pair])))
        if not in_path and matching.unexpected.keys().isdisjoint(pair):
            message = f"{edge.target} reads {edge.source}, which the map does not document"
            findings.append(Finding(Code.EDGE_UNEXPECTED, str(edge), message, observed=edge.provenance))
    return verdicts, findings


def _judge(matching: Matching, pair: tuple[str, str]) -> tuple[Verdict, tuple[str, ...]]:
    if pair in matching.observed.edges:
        return Verdict.VERIFIED, ()
    path = shortest_path(matching.observed.parents, *pair)
    if path:
        matching.satisfied.add(pair)
        matching.passed_through.update(pairwise(path))
        return Verdict.VERIFIED, path[1:-1]
    known = matching.covered(pair[1]) and not matching.made_of_unknown(pair[1])
    return (Verdict.PHANTOM if known else Verdict.UNOBSERVED), ()


def _saved(matching: Matching, hops: Iterable[tuple[str, str]]) -> str:
    """Return the time of the oldest saved answer that a hop stands on alone; empty where all are live."""
    of_hops = [[one.saved for one in matching.observed.edges[hop].provenance] for hop in hops]
    return min((max(saved) for saved in of_hops if saved and all(saved)), default="")


def _has_other_finding(matching: Matching, pair: tuple[str, str]) -> bool:
    """Whether the cause of a missing edge is reported by another finding."""
    if not matching.missing.keys().isdisjoint(pair):
        return True
    path = shortest_path(matching.expected.parents, *pair, indirect=True)
    return any(hop not in matching.observed.edges for hop in pairwise(path))


def _everything(_: str) -> bool:
    return True


def _same_text(first: str, second: str) -> bool:
    return "".join(first.upper().split()) == "".join(second.upper().split())
