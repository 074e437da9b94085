"""What is known of one step of an impact: whether it is documented, observed, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.model import saved_answer

if TYPE_CHECKING:
    from airflow_lineage_provider.graph.model import ColumnRef, Graph, Provenance

DOCUMENTED = "map"
"""The kind of the provenance of what a map documents."""


@dataclass(frozen=True, slots=True)
class StepEvidence:
    """The sides that know a step, and when the answer was saved that the observed one stands on alone."""

    sides: tuple[str, ...] = ()
    saved: str = ""

    def __bool__(self) -> bool:
        return bool(self.sides)

    def __str__(self) -> str:
        text = " and ".join(self.sides) if len(self.sides) > 1 else f"{''.join(self.sides)} only"
        return f"{text}, {saved_answer(self.saved)}" if self.saved else text


def step_evidence(graph: Graph, source: ColumnRef, target: ColumnRef) -> StepEvidence:
    """Return the evidence of the step from a column to the next, or of the edge of their tables.

    A step to a dataset of which no column is documented is documented by the edge of the tables.
    """
    column_edge = graph.column_edge(source, target)
    edge = graph.edges.get((source.dataset, target.dataset))
    found: tuple[Provenance, ...] = edge.provenance if edge else ()
    if column_edge:
        by_table = () if _documents_columns(graph, target.dataset) else found
        found = (*column_edge.provenance, *(one for one in by_table if one.kind == DOCUMENTED))
    observed = [one for one in found if one.kind != DOCUMENTED]
    sides = (
        *(("documented",) if len(observed) < len(found) else ()),
        *(("observed",) if observed else ()),
    )
    saved = [one.saved for one in observed]
    return StepEvidence(sides, max(saved) if saved and all(saved) else "")


def _documents_columns(graph: Graph, dataset: str) -> bool:
    known = graph.datasets[dataset].columns.values() if dataset in graph.datasets else ()
    return any(column.provenance and column.provenance.kind == DOCUMENTED for column in known)
