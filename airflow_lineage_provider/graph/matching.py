"""The two graphs of a comparison, their datasets matched by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from airflow_lineage_provider.graph.impact import CONSUMERS
from airflow_lineage_provider.graph.renames import likely_renames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_lineage_provider.graph.findings import Verdict
    from airflow_lineage_provider.graph.model import ColumnRef, Dataset, Graph

    Scope: TypeAlias = Callable[[str], bool]
    Same: TypeAlias = Callable[[str, str], bool]


@dataclass(slots=True)
class Matching:
    """The graphs, the datasets that only one of them has, and the edges satisfied through longer paths.

    The parts of a comparison share it so that one difference is reported once.
    """

    expected: Graph
    observed: Graph
    covered: Scope
    reported: Scope
    reasons: Mapping[str, str]
    missing: dict[str, Dataset] = field(init=False)
    unexpected: dict[str, Dataset] = field(init=False)
    renamed: Mapping[str, str] = field(init=False)
    satisfied: set[tuple[str, str]] = field(default_factory=set)
    """The expected edges that the observed graph has as a longer path."""
    passed_through: set[tuple[str, str]] = field(default_factory=set)
    """The observed edges on those paths."""
    column_verdicts: Counter[Verdict] = field(default_factory=Counter)
    """The number of column edges by verdict."""

    def __post_init__(self) -> None:
        known, seen = self.expected.datasets, self.observed.datasets
        self.missing = {n: d for n, d in known.items() if self.is_missing(n)}
        self.unexpected = {
            name: dataset
            for name, dataset in seen.items()
            if name not in known
            and (self.reported(name) or any(map(self.reported, self.observed.downstream.get(name, ()))))
        }
        self.renamed = likely_renames(self.expected, self.observed, self.missing, self.unexpected)

    def is_missing(self, name: str) -> bool:
        """Whether an expected dataset was not made; one whose job failed may still have been read."""
        unmade = name in self.reasons and name not in self.observed.upstream
        return (name not in self.observed.datasets or unmade) and self.covered(name)

    def in_both(self, pair: tuple[str, str]) -> bool:
        """Whether both graphs have the edge between two datasets, as an edge or as part of a path."""
        if not self.unexpected.keys().isdisjoint(pair) or not self.missing.keys().isdisjoint(pair):
            return False
        return pair in self.passed_through or (
            pair in self.expected.edges and (pair in self.observed.edges or pair in self.satisfied)
        )

    def made_of_unknown(self, name: str) -> bool:
        """Whether a consumer has a column of unknown sources, so that it may read more than is seen."""
        consumer = name in self.expected.datasets and self.expected.datasets[name].kind in CONSUMERS
        observed = self.observed.datasets.get(name)
        return consumer and observed is not None and any(column.gap for column in observed.columns.values())

    def has_column(self, ref: ColumnRef) -> bool:
        """Whether no graph lists the columns of that dataset without this one."""
        return all(
            dataset is None or not dataset.columns or ref.column in dataset.columns
            for dataset in (
                self.expected.datasets.get(ref.dataset),
                self.observed.datasets.get(ref.dataset),
            )
        )
