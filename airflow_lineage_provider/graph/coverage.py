"""How much of a graph is known, and the union of several graphs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.model import Graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_MOST = 4


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many columns of a dataset have a known origin, and why the others have none."""

    dataset: str
    columns: int
    gaps: Mapping[str, str]

    @property
    def resolved(self) -> int:
        """The number of columns with a known origin, columns made from no other column included."""
        return self.columns - len(self.gaps)

    def __str__(self) -> str:
        text = f"{self.dataset}: {self.resolved} of {self.columns} columns resolved"
        reasons: dict[str, list[str]] = {}
        for column, reason in self.gaps.items():
            reasons.setdefault(reason, []).append(column)
        if not self.resolved and len(reasons) == 1:
            return f"{text}: {next(iter(reasons))}"
        return "; ".join([text, *(f"{_few(names)}: {reason}" for reason, names in reasons.items())])


def _few(names: list[str]) -> str:
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} others" if len(names) > _MOST else "")


def coverage(graph: Graph) -> Iterator[Coverage]:
    """Yield the coverage of each dataset that has inputs and lists its columns."""
    for name, dataset in graph.datasets.items():
        if name in graph.upstream and dataset.columns:
            gaps = {column.name: column.gap for column in dataset.columns.values() if column.gap}
            yield Coverage(name, len(dataset.columns), gaps)


def combine(*graphs: Graph) -> Graph:
    """Return the union of several graphs; an edge of more than one has the provenance of each."""
    return Graph(
        chain.from_iterable(graph.datasets.values() for graph in graphs),
        chain.from_iterable(graph.edges.values() for graph in graphs),
        chain.from_iterable(graph.column_edges for graph in graphs),
    )
