"""One finding for one change of a consumer: what it reads or shows in place of what is documented."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from airflow_lineage_provider.graph.findings import Code, Finding
from airflow_lineage_provider.graph.impact import CONSUMERS
from airflow_lineage_provider.graph.model import ColumnRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.graph.matching import Matching
    from airflow_lineage_provider.graph.model import ColumnEdge

    MadeFrom = Mapping[ColumnRef, tuple[ColumnEdge, ...]]


def one_for_each_change(findings: Iterable[Finding], matching: Matching) -> Iterator[Finding]:
    """Yield the findings; of consumers, a missing part and the part that took its place are one finding."""
    left = list(findings)
    known = {finding.subject: finding for finding in left if finding.code in _CODES}
    gone: set[str] = set()
    merged: dict[str, Finding] = {}
    for missing, instead, message in _replaced(matching, known):
        observed = known[instead].observed or known[missing].observed
        merged[missing] = replace(known[missing], message=message, observed=observed)
        gone.add(instead)
    for finding in left:
        if finding.code in _CODES and finding.subject in gone:
            continue
        yield merged.get(finding.subject, finding) if finding.code in _CODES else finding


_CODES = frozenset(
    {
        *(Code.DATASET_MISSING, Code.DATASET_UNEXPECTED, Code.EDGE_MISSING, Code.EDGE_UNEXPECTED),
        *(Code.COLUMN_MISSING, Code.COLUMN_UNEXPECTED),
        *(Code.COLUMN_EDGE_MISSING, Code.COLUMN_EDGE_UNEXPECTED),
    }
)


Replaced: TypeAlias = "tuple[str, str, str]"
"""The subjects of a missing part and of the part in its place, and what to say of both."""


def _replaced(matching: Matching, known: dict[str, Finding]) -> Iterator[Replaced]:
    for name, dataset in matching.expected.datasets.items():
        if dataset.kind in CONSUMERS:
            renamed = matching.renamed.get(name, "")
            if name in known and renamed in known:
                yield name, renamed, known[name].message
            yield from _other_source(matching, known, name)
            yield from _other_columns(matching, known, name)


def _other_source(matching: Matching, known: dict[str, Finding], name: str) -> Iterator[Replaced]:
    missing = [s for s in matching.expected.parents(name) if f"{s} -> {name}" in known]
    new = [s for s in matching.observed.parents(name) if s not in matching.expected.parents(name)]
    if len(missing) != 1 or len(new) != 1:
        return
    only_reader = list(matching.observed.downstream.get(new[0], ())) == [name]
    subjects = (f"{new[0]} -> {name}", *((new[0],) if only_reader else ()))
    instead = next((one for one in subjects if one in known), None)
    if instead:
        message = f"{name} is documented to read {missing[0]}, and reads {new[0]}"
        yield f"{missing[0]} -> {name}", instead, message


def _other_columns(matching: Matching, known: dict[str, Finding], name: str) -> Iterator[Replaced]:
    expected, observed = matching.expected, matching.observed
    columns = expected.datasets[name].columns
    shown = observed.datasets[name].columns if name in observed.datasets else {}
    by_sources: dict[frozenset[ColumnRef], list[str]] = defaultdict(list)
    for column in shown:
        if f"{name}.{column}" in known:
            by_sources[_sources(observed.made_from, name, column)].append(column)
    for column in columns:
        subject = f"{name}.{column}"
        same = by_sources.get(_sources(expected.made_from, name, column), [])
        if subject in known and len(same) == 1:
            message = f"{subject} is documented, and {name} has no such column; it has {same[0]} instead"
            yield subject, f"{name}.{same[0]}", message
        ref = ColumnRef(name, column)
        lost = [str(edge) for edge in expected.made_from.get(ref, ()) if str(edge) in known]
        new = [edge for edge in observed.made_from.get(ref, ()) if str(edge) in known]
        if len(lost) == 1 and len(new) == 1:
            source = lost[0].removesuffix(f" -> {ref}")
            message = f"{ref} is documented as made from {source}, and is made from {new[0].source}"
            yield lost[0], str(new[0]), message


def _sources(made_from: MadeFrom, name: str, column: str) -> frozenset[ColumnRef]:
    return frozenset(edge.source for edge in made_from.get(ColumnRef(name, column), ()) if edge.direct)
