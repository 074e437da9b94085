"""What changed between two graphs, and the consumers that each change reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.compare import compare
from airflow_lineage_provider.graph.findings import Code, Policy, Severity
from airflow_lineage_provider.graph.impact import consumers, impact
from airflow_lineage_provider.graph.model import EVERY_COLUMN, ColumnRef

if TYPE_CHECKING:
    from airflow_lineage_provider.graph.findings import Finding
    from airflow_lineage_provider.graph.matching import Same
    from airflow_lineage_provider.graph.model import Graph

_KINDS = {
    Code.DATASET_MISSING: ("removed", "dataset"),
    Code.DATASET_UNEXPECTED: ("added", "dataset"),
    Code.EDGE_MISSING: ("removed", "edge"),
    Code.EDGE_UNEXPECTED: ("added", "edge"),
    Code.SATISFIED_THROUGH: ("rerouted", "edge"),
    Code.COLUMN_MISSING: ("removed", "column"),
    Code.COLUMN_UNEXPECTED: ("added", "column"),
    Code.TYPE_CHANGED: ("changed", "type"),
    Code.COLUMN_EDGE_MISSING: ("removed", "column edge"),
    Code.COLUMN_EDGE_UNEXPECTED: ("added", "column edge"),
    Code.TRANSFORMATION_CHANGED: ("changed", "transformation"),
    Code.EXPRESSION_CHANGED: ("changed", "expression"),
    Code.PROPERTY_CHANGED: ("changed", "property"),
}


@dataclass(frozen=True, slots=True)
class Changed:
    """One change: `action` is added, removed, changed or rerouted; `kind` says of what."""

    action: str
    kind: str
    subject: str
    was: str = ""
    now: str = ""
    consumers: tuple[str, ...] = ()


def diff(
    before: Graph, after: Graph, *, same_type: Same | None = None, same_expression: Same | None = None
) -> tuple[Changed, ...]:
    """Return the changes from one graph to the other; `same_type` and `same_expression` as for `compare`."""
    everything = Policy(dict.fromkeys(_KINDS, Severity.NOTE))
    found = compare(before, after, policy=everything, same_type=same_type, same_expression=same_expression)
    return tuple(_changed(before, after, finding) for finding in found.findings)


def _changed(before: Graph, after: Graph, finding: Finding) -> Changed:
    action, kind = _KINDS[finding.code]
    target = finding.subject.rpartition(" -> ")[2]
    start = ColumnRef(target, EVERY_COLUMN)
    if kind not in {"dataset", "edge"} and target not in before.datasets:
        dataset, _, column = target.rpartition(".")
        start = ColumnRef(dataset, column)
    reached: dict[str, None] = {}
    for graph in (before, after):
        if start.dataset in graph.datasets:
            reached |= dict.fromkeys(d.name for d in consumers(graph, impact(graph, [start])))
    return Changed(action, kind, finding.subject, finding.was, finding.now, tuple(reached))
