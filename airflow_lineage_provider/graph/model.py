"""The lineage graph: datasets with their columns, and the edges between both.

Everything that knows about lineage is read into a `Graph`; comparing and walking are functions over
it in the modules beside this one. Names are logical (`bronze.raw_orders`), whatever the system that
holds the table calls it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

EVERY_COLUMN = "*"
"""The target column of an edge that shapes a dataset's rows as a whole: a join key, a filter."""

Node = TypeVar("Node")


class Claim(StrEnum):
    """Who says that something is so."""

    DOCUMENTED = "documented"
    MANIFEST = "manifest"
    EVENT = "event"
    QUERY_LOG = "query log"
    CATALOG = "catalog"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a claim stands: a line of a file, or the run of a job that emitted it."""

    claim: Claim
    file: str = ""
    line: int = 0
    job: str = ""
    run_id: str = ""
    at: str = ""

    def __str__(self) -> str:
        if self.run_id or self.job:
            run = f" run {self.run_id}" if self.run_id else ""
            return f"{self.job}{run}"
        return f"{self.file}:{self.line}" if self.line else self.file or str(self.claim)


class ColumnRef(NamedTuple):
    """A column of a dataset."""

    dataset: str
    column: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.column}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column as one side knows it; `type` is empty where that side does not say."""

    name: str
    type: str = ""
    description: str = ""
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A table, topic, file set, dashboard, feature view or model.

    `columns` is a complete list or empty: edges may name columns of a dataset that lists none.
    """

    name: str
    kind: str = "table"
    system: str = ""
    layer: str = ""
    description: str = ""
    owners: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Transformation:
    """How one column becomes another, in OpenLineage's terms (ColumnLineageDatasetFacet 1-2-0)."""

    type: str = "DIRECT"
    subtype: str = ""
    expression: str = ""
    masking: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` is made from `source`."""

    source: str
    target: str
    job: str = ""
    evidence: tuple[Evidence, ...] = ()

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True, slots=True)
class ColumnEdge:
    """The column `target` is made from the column `source`."""

    source: ColumnRef
    target: ColumnRef
    transformations: tuple[Transformation, ...] = ()
    job: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def direct(self) -> bool:
        """Whether the value itself flows; an edge that says nothing about it is taken as direct."""
        return not self.transformations or any(t.type != "INDIRECT" for t in self.transformations)

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


class Graph:
    """Datasets and edges, read-only once built.

    What is given twice is merged: evidence adds up, and what the first left empty the second fills.
    A column edge implies the edge between its datasets, and an edge implies both of its ends.
    """

    __slots__ = ("__dict__", "column_edges", "datasets", "edges")

    def __init__(
        self,
        datasets: Iterable[Dataset] = (),
        edges: Iterable[Edge] = (),
        column_edges: Iterable[ColumnEdge] = (),
    ) -> None:
        self.datasets: dict[str, Dataset] = {}
        self.edges: dict[tuple[str, str], Edge] = {}
        self.column_edges: dict[tuple[ColumnRef, ColumnRef], ColumnEdge] = {}
        for dataset in datasets:
            known = self.datasets.get(dataset.name)
            self.datasets[dataset.name] = _merge_datasets(known, dataset) if known else dataset
        for edge in edges:
            self._add_edge(edge)
        for column_edge in column_edges:
            self._add_column_edge(column_edge)
        for source, target in self.edges:
            self.datasets.setdefault(source, Dataset(source))
            self.datasets.setdefault(target, Dataset(target))

    def _add_edge(self, edge: Edge) -> None:
        key = (edge.source, edge.target)
        known = self.edges.get(key)
        if known is None:
            self.edges[key] = edge
        else:
            evidence = _union(known.evidence, edge.evidence)
            self.edges[key] = replace(known, job=known.job or edge.job, evidence=evidence)

    def _add_column_edge(self, edge: ColumnEdge) -> None:
        key = (edge.source, edge.target)
        known = self.column_edges.get(key)
        if known is not None:
            edge = replace(
                known,
                job=known.job or edge.job,
                transformations=_union(known.transformations, edge.transformations),
                evidence=_union(known.evidence, edge.evidence),
            )
        self.column_edges[key] = edge
        ends = (edge.source.dataset, edge.target.dataset)
        if ends[0] != ends[1] and ends not in self.edges:
            self.edges[ends] = Edge(*ends, job=edge.job, evidence=edge.evidence)

    @cached_property
    def downstream(self) -> Mapping[str, Sequence[str]]:
        """The datasets made from each dataset."""
        return _adjacency(self.edges)

    @cached_property
    def upstream(self) -> Mapping[str, Sequence[str]]:
        """The datasets that each dataset is made from."""
        return _adjacency((target, source) for source, target in self.edges)

    @cached_property
    def column_downstream(self) -> Mapping[ColumnRef, Sequence[ColumnRef]]:
        """The columns made from each column."""
        return _adjacency(self.column_edges)

    @cached_property
    def column_upstream(self) -> Mapping[ColumnRef, Sequence[ColumnRef]]:
        """The columns that each column is made from."""
        return _adjacency((target, source) for source, target in self.column_edges)


def _adjacency(pairs: Iterable[tuple[Node, Node]]) -> Mapping[Node, Sequence[Node]]:
    neighbours: defaultdict[Node, list[Node]] = defaultdict(list)
    for start, end in pairs:
        neighbours[start].append(end)
    return dict(neighbours)


def _union(first: tuple[Node, ...], second: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _merge_datasets(first: Dataset, second: Dataset) -> Dataset:
    return Dataset(
        name=first.name,
        kind=first.kind,
        system=first.system or second.system,
        layer=first.layer or second.layer,
        description=first.description or second.description,
        owners=_union(first.owners, second.owners),
        columns=first.columns or second.columns,
        checks=_union(first.checks, second.checks),
        evidence=_union(first.evidence, second.evidence),
    )
