"""The one comparison: what is expected beside what was observed.

Findings are chosen so that one change gives one message. An edge whose end is missing or unexpected
is told with that dataset, and a documented edge that summarises a longer documented path is not
reported again where a hop of that path is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from airflow_lineage_provider.graph.findings import (
    Code,
    Comparison,
    EdgeVerdict,
    Finding,
    Policy,
    Severity,
    Verdict,
)
from airflow_lineage_provider.graph.renames import likely_renames
from airflow_lineage_provider.graph.walk import shortest_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from airflow_lineage_provider.graph.model import Dataset, Graph

    Scope: TypeAlias = Callable[[str], bool]
    SameType: TypeAlias = Callable[[str, str], bool]


def compare(
    expected: Graph,
    observed: Graph,
    *,
    scope: Scope | None = None,
    policy: Policy | None = None,
    same_type: SameType | None = None,
    reasons: Mapping[str, str] | None = None,
) -> Comparison:
    """Return a verdict for every edge and what differs.

    `scope` says of a documented dataset whether this run was to produce it; what lies outside is
    UNOBSERVED and no failure. `reasons` says why a dataset was not produced, where that is known.
    """
    sides = _Sides(expected, observed, scope or (lambda _: True), reasons or {})
    verdicts, edge_findings = _compare_edges(sides)
    findings = [
        *_compare_datasets(sides),
        *edge_findings,
        *_compare_columns(sides, same_type or _same_text),
    ]
    counted, accepted = _weigh(findings, policy or Policy())
    return Comparison(edges=tuple(verdicts), findings=counted, accepted=accepted)


@dataclass(slots=True)
class _Sides:
    """Both graphs, and what the parts of the comparison tell each other."""

    expected: Graph
    observed: Graph
    covered: Scope
    reasons: Mapping[str, str]
    missing: dict[str, Dataset] = field(init=False)
    unexpected: dict[str, Dataset] = field(init=False)
    renamed: Mapping[str, str] = field(init=False)
    passed_through: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        known, seen = self.expected.datasets, self.observed.datasets
        self.missing = {n: d for n, d in known.items() if n not in seen and self.covered(n)}
        self.unexpected = {n: d for n, d in seen.items() if n not in known}
        self.renamed = likely_renames(self.expected, self.observed, self.missing, self.unexpected)


def _compare_datasets(sides: _Sides) -> Iterator[Finding]:
    for name, dataset in sides.missing.items():
        message = f"{name} is documented and was not produced"
        if name in sides.reasons:
            message += f": {sides.reasons[name]}"
        elif name in sides.renamed:
            message += f"; perhaps it was renamed to {sides.renamed[name]}"
        yield Finding(Code.DATASET_MISSING, name, message, documented=dataset.evidence)
    in_between = {name for hop in sides.passed_through for name in hop}
    new_names = set(sides.renamed.values())
    for name, dataset in sides.unexpected.items():
        if name in in_between and name not in new_names:
            continue
        message = f"{name} is not documented{_neighbours(sides.observed, name)}"
        yield Finding(Code.DATASET_UNEXPECTED, name, message, observed=dataset.evidence)


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


def _compare_edges(sides: _Sides) -> tuple[list[EdgeVerdict], list[Finding]]:
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
                Finding(code, str(edge), message, edge.evidence, target.evidence if target else ())
            )
    for pair, edge in sides.observed.edges.items():
        if pair in sides.expected.edges:
            continue
        on_the_way = pair in sides.passed_through
        verdicts.append(EdgeVerdict(edge, Verdict.VERIFIED if on_the_way else Verdict.UNDECLARED))
        if not on_the_way and sides.unexpected.keys().isdisjoint(pair):
            message = f"{edge.target} reads {edge.source}, which the map does not document"
            findings.append(Finding(Code.EDGE_UNEXPECTED, str(edge), message, observed=edge.evidence))
    return verdicts, findings


def _judge(sides: _Sides, pair: tuple[str, str]) -> tuple[Verdict, tuple[str, ...]]:
    if pair in sides.observed.edges:
        return Verdict.VERIFIED, ()
    path = shortest_path(sides.observed.upstream, *pair)
    if path:
        sides.passed_through.update(pairwise(path))
        return Verdict.VERIFIED, path[1:-1]
    return (Verdict.PHANTOM if sides.covered(pair[1]) else Verdict.UNOBSERVED), ()


def _told_elsewhere(sides: _Sides, pair: tuple[str, str]) -> bool:
    """Whether the cause of a missing edge has a finding of its own."""
    if not sides.missing.keys().isdisjoint(pair):
        return True
    path = shortest_path(sides.expected.upstream, *pair, indirect=True)
    return any(hop not in sides.observed.edges for hop in pairwise(path))


def _compare_columns(sides: _Sides, same_type: SameType) -> Iterator[Finding]:
    for name, expected in sides.expected.datasets.items():
        observed = sides.observed.datasets.get(name)
        if observed and expected.columns and observed.columns and sides.covered(name):
            yield from _compare_schemas(expected, observed, same_type)


def _compare_schemas(expected: Dataset, observed: Dataset, same_type: SameType) -> Iterator[Finding]:
    for name, column in expected.columns.items():
        subject = f"{expected.name}.{name}"
        documented = (column.evidence,) if column.evidence else expected.evidence
        produced = observed.columns.get(name)
        if produced is None:
            message = f"{subject} is documented, and {expected.name} has no such column"
            yield Finding(Code.COLUMN_MISSING, subject, message, documented, observed.evidence)
        elif column.type and produced.type and not same_type(column.type, produced.type):
            message = f"{subject} is documented as {column.type} and is {produced.type}"
            yield Finding(Code.TYPE_CHANGED, subject, message, documented, observed.evidence)
    for name in observed.columns:
        if name not in expected.columns:
            subject = f"{expected.name}.{name}"
            message = f"{subject} is not documented; {expected.name} has this column"
            yield Finding(Code.COLUMN_UNEXPECTED, subject, message, expected.evidence, observed.evidence)


def _same_text(first: str, second: str) -> bool:
    return "".join(first.upper().split()) == "".join(second.upper().split())


def _weigh(findings: Iterable[Finding], policy: Policy) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings that count, each with its severity, and those that people accepted."""
    counted, accepted = [], []
    for found in findings:
        severity = policy.severity(found.code)
        if severity is Severity.IGNORE:
            continue
        finding = replace(found, severity=severity)
        acceptance = next((a for a in policy.accepted if a.covers(finding)), None)
        if acceptance is None:
            counted.append(finding)
        elif acceptance.until >= policy.today:
            accepted.append(replace(finding, accepted=f"{acceptance.reason}, until {acceptance.until}"))
        else:
            lapsed = f"{finding.message}; its acceptance ({acceptance.reason}) ended {acceptance.until}"
            counted.append(replace(finding, message=lapsed))
    return _in_order(counted), _in_order(accepted)


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    ranks = {severity: rank for rank, severity in enumerate(Severity)}
    codes = {code: rank for rank, code in enumerate(Code)}
    return tuple(sorted(findings, key=lambda f: (ranks[f.severity], codes[f.code], f.subject)))
