"""Compare the columns of two graphs: schemas, column edges and transformations."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.findings import Code, Finding, Verdict
from airflow_lineage_provider.graph.model import EVERY_COLUMN
from airflow_lineage_provider.graph.walk import shortest_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_lineage_provider.graph.matching import Matching, Same
    from airflow_lineage_provider.graph.model import ColumnEdge, ColumnRef, Dataset, Graph


def compare_schemas(matching: Matching, same_type: Same) -> Iterator[Finding]:
    """Yield the columns and types that differ, of the datasets whose columns both graphs list."""
    for name, expected in matching.expected.datasets.items():
        observed = matching.observed.datasets.get(name)
        if observed and expected.columns and observed.columns and matching.covered(name):
            yield from _compare_schema(expected, observed, same_type)


def _compare_schema(expected: Dataset, observed: Dataset, same_type: Same) -> Iterator[Finding]:
    for name, column in expected.columns.items():
        produced = observed.columns.get(name)
        if produced is not None and (not column.type or not produced.type or column.type == produced.type):
            continue
        subject = f"{expected.name}.{name}"
        documented = (column.provenance,) if column.provenance else expected.provenance
        if produced is None:
            message = f"{subject} is documented, and {expected.name} has no such column"
            yield Finding(Code.COLUMN_MISSING, subject, message, documented, observed.provenance)
        elif not same_type(column.type, produced.type):
            message = f"{subject} is documented as {column.type} and is {produced.type}"
            yield Finding(
                Code.TYPE_CHANGED,
                subject,
                message,
                documented,
                observed.provenance,
                was=column.type,
                now=produced.type,
            )
    for name in observed.columns:
        if name not in expected.columns:
            subject = f"{expected.name}.{name}"
            message = f"{subject} is not documented; {expected.name} has this column"
            yield Finding(Code.COLUMN_UNEXPECTED, subject, message, expected.provenance, observed.provenance)


def compare_column_edges(matching: Matching, same_expression: Same) -> Iterator[Finding]:
    """Yield the column edges and the transformations that differ.

    Only datasets with column edges in both graphs are compared: an event without column lineage is no
    evidence about columns. An undocumented indirect edge (join key, filter) is no finding.
    """
    known = matching.expected.column_made & matching.observed.column_made
    found = _difference(matching.expected, matching.observed)
    passed: set[tuple[ColumnRef, ColumnRef]] = set()
    verdicts = matching.column_verdicts
    verdicts[Verdict.VERIFIED] = found.verified
    for edge in found.missing:
        if not _comparable(matching, known, edge) or _unknown(matching, edge.target):
            verdicts[Verdict.UNOBSERVED] += 1
            continue
        finding = _missing(matching, edge, passed)
        through = finding.code is Code.SATISFIED_THROUGH
        verdicts[Verdict.VERIFIED if through else Verdict.PHANTOM] += 1
        yield finding
    for edge in found.unexpected:
        if edge.direct and (edge.source, edge.target) not in passed and _comparable(matching, known, edge):
            verdicts[Verdict.UNDECLARED] += 1
            message = f"{edge.target} is made from {edge.source}, which the map does not document"
            yield Finding(Code.COLUMN_EDGE_UNEXPECTED, str(edge), message, (), edge.provenance)
    changes = (
        (expected.target, change)
        for expected, observed in found.changed
        if (change := _transformation_change(expected, observed, same_expression))
    )
    by_column: dict[ColumnRef, Finding] = {}
    for target, change in changes:
        by_column.setdefault(target, change)
    yield from by_column.values()


@dataclass(slots=True)
class _Difference:
    verified: int = 0
    missing: list[ColumnEdge] = field(default_factory=list)
    unexpected: list[ColumnEdge] = field(default_factory=list)
    changed: list[tuple[ColumnEdge, ColumnEdge]] = field(default_factory=list)


def _difference(expected: Graph, observed: Graph) -> _Difference:
    """Compare column by column. An undocumented edge counts where the map lists its target column."""
    found = _Difference()
    for target, edges in expected.made_from.items():
        others = observed.made_from.get(target, ())
        if edges == others:
            found.verified += len(edges)
            continue
        sources = {edge.source: edge for edge in others}
        for edge in edges:
            other = sources.pop(edge.source, None)
            if other is None:
                found.missing.append(edge)
                continue
            found.verified += 1
            if edge.transformations != other.transformations:
                found.changed.append((edge, other))
        found.unexpected += sources.values()
    for target in observed.made_from.keys() - expected.made_from.keys():
        dataset = expected.datasets.get(target.dataset)
        if dataset and target.column in dataset.columns:
            found.unexpected += observed.made_from[target]
    return found


def _comparable(matching: Matching, known: frozenset[str], edge: ColumnEdge) -> bool:
    """Whether both graphs have both ends of an edge, so that no other finding reports the difference."""
    source, target = edge.source, edge.target
    return (
        target.dataset in known
        and target.column != EVERY_COLUMN
        and matching.covered(target.dataset)
        and matching.in_both((source.dataset, target.dataset))
        and matching.has_column(source)
        and matching.has_column(target)
    )


def _unknown(matching: Matching, target: ColumnRef) -> bool:
    """Whether it is not known what a column is made from, or whether the table has it at all."""
    if matching.observed.datasets[target.dataset].partial and target not in matching.observed.made_from:
        return True
    if not matching.made_of_unknown(target.dataset):
        return False
    column = matching.observed.datasets[target.dataset].columns.get(target.column)
    return column is not None and bool(column.gap)


def _missing(matching: Matching, edge: ColumnEdge, passed: set[tuple[ColumnRef, ColumnRef]]) -> Finding:
    made_from = matching.observed.made_from
    path = shortest_path(
        lambda ref: [e.source for e in made_from.get(ref, ()) if e.direct], edge.source, edge.target
    )
    if path:
        passed.update(pairwise(path))
        through = ", ".join(map(str, path[1:-1]))
        message = f"{edge} is satisfied through {through}"
        return Finding(Code.SATISFIED_THROUGH, str(edge), message, edge.provenance)
    target = matching.observed.datasets[edge.target.dataset]
    message = f"{edge} is documented, and {edge.target} is not made from {edge.source}"
    return Finding(Code.COLUMN_EDGE_MISSING, str(edge), message, edge.provenance, target.provenance)


def _transformation_change(edge: ColumnEdge, other: ColumnEdge, same_expression: Same) -> Finding | None:
    was, now = _expressions(edge), _expressions(other)
    if was and now:
        if any(same_expression(first, second) for first in was for second in now):
            return None
        return _changed(Code.EXPRESSION_CHANGED, edge, other, was[0], now[0])
    kinds, others = _subtypes(edge), _subtypes(other)
    if kinds and others and kinds.isdisjoint(others):
        return _changed(Code.TRANSFORMATION_CHANGED, edge, other, _and(kinds), _and(others))
    return None


def _changed(code: Code, edge: ColumnEdge, other: ColumnEdge, was: str, now: str) -> Finding:
    of = f" of {edge.source}" if code is Code.TRANSFORMATION_CHANGED else ""
    message = f"{edge.target} is documented as {was}{of} and is {now}"
    return Finding(code, str(edge.target), message, edge.provenance, other.provenance, was=was, now=now)


def _expressions(edge: ColumnEdge) -> list[str]:
    return [t.expression for t in edge.transformations if t.type != "INDIRECT" and t.expression]


def _subtypes(edge: ColumnEdge) -> set[str]:
    return {t.subtype for t in edge.transformations if t.type != "INDIRECT" and t.subtype and not t.assumed}


def _and(subtypes: Iterable[str]) -> str:
    return " and ".join(sorted(subtypes))
