"""The lineage graph: datasets with their columns, edges between datasets and edges between columns.

All evidence of lineage is read into a `Graph`; the other modules compare and walk it. Names are logical
(`bronze.raw_orders`), whatever the system that holds the table calls it.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

EVERY_COLUMN = "*"
"""The target column of an edge that affects all columns of a dataset: a join key, a filter."""

_MANY = 1_000_000

Node = TypeVar("Node")

Properties: TypeAlias = "tuple[tuple[str, str], ...]"
"""Names and values of what a system states beside lineage, such as the window of a feature."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a dataset, a column or an edge is recorded: a line of a file, or the run that emitted it.

    `kind` is the kind of evidence, as `readers.READERS` names it.
    """

    kind: str
    file: str = ""
    line: int = 0
    job: str = ""
    run_id: str = ""
    at: str = ""
    saved: str = ""
    """When the answer of an outside system was saved that this stands on (ISO 8601); empty of a live one."""

    @property
    def verb(self) -> str:
        """The words before the place: emitted by a run, run by a user, found in a file."""
        return "run by" if self.kind == "query" else "emitted by" if self.run_id else "found in"

    def __str__(self) -> str:
        if self.run_id or self.job:
            run = f" run {self.run_id}" if self.run_id else ""
            return f"{self.job}{run}" + (f", {saved_answer(self.saved)}" if self.saved else "")
        return f"{self.file}:{self.line}" if self.line else self.file or self.kind


def saved_answer(saved: str) -> str:
    """Return what reports call an answer that was saved at an ISO 8601 time."""
    return f"saved answer of {saved[:10]}"


class ColumnRef(NamedTuple):
    """A column of a dataset."""

    dataset: str
    column: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.column}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` is empty where it is unknown.

    `gap` is the reason why it is unknown what the column is made from; empty where that is known.
    """

    name: str
    type: str = ""
    description: str = ""
    provenance: Provenance | None = None
    gap: str = ""
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """A table, topic, file set, dashboard, feature view or model.

    `columns` is complete or empty; edges may name columns of a dataset that lists none.
    """

    name: str
    kind: str = "table"
    system: str = ""
    layer: str = ""
    description: str = ""
    owners: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    properties: Properties = ()
    partial: bool = False
    """Whether it may have more columns than the edges name: those behind a `*` that was not expanded."""


@dataclass(frozen=True, slots=True)
class Transformation:
    """How one column is made from another, in the terms of OpenLineage's ColumnLineageDatasetFacet 1-2-0."""

    type: str = "DIRECT"
    subtype: str = ""
    expression: str = ""
    masking: bool = False
    assumed: bool = False
    """Whether it is a default that a comparison does not demand: a column that is "made from" another."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` is made from `source`."""

    source: str
    target: str
    job: str = ""
    provenance: tuple[Provenance, ...] = ()

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True, slots=True)
class ColumnEdge:
    """The column `target` is made from the column `source`."""

    source: ColumnRef
    target: ColumnRef
    transformations: tuple[Transformation, ...] = ()
    job: str = ""
    provenance: tuple[Provenance, ...] = ()

    @property
    def direct(self) -> bool:
        """Whether the value itself flows; an edge without transformations counts as direct."""
        return not self.transformations or any(t.type != "INDIRECT" for t in self.transformations)

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


class Graph:
    """Datasets and edges, read-only once built.

    Duplicates are merged: their provenance is joined, and the second fills what the first leaves empty.
    A column edge implies the edge between its datasets, and an edge implies both of its datasets.
    `column_downstream` maps each column to the columns that its value flows into, and `by_table_downstream`
    each dataset to those of its readers that no column edge from it leads to.
    """

    def __init__(
        self,
        datasets: Iterable[Dataset] = (),
        edges: Iterable[Edge] = (),
        column_edges: Iterable[ColumnEdge] = (),
    ) -> None:
        self.datasets: dict[str, Dataset] = {}
        self.edges: dict[tuple[str, str], Edge] = {}
        self.made_from: dict[ColumnRef, tuple[ColumnEdge, ...]] = {}
        self._column_linked: set[tuple[str, str]] = set()
        with without_collection():
            for dataset in datasets:
                first = self.datasets.setdefault(dataset.name, dataset)
                if first is not dataset:
                    self.datasets[dataset.name] = _merge_datasets(first, dataset)
            for edge in edges:
                self._add_edge(edge)
            self._add_column_edges(column_edges)
            self.column_downstream = self._flows()
            self.by_table_downstream = _adjacency(p for p in self.edges if p not in self._column_linked)
            for pair in self.edges:
                for name in pair:
                    if name not in self.datasets:
                        self.datasets[name] = Dataset(name)

    def _add_column_edges(self, column_edges: Iterable[ColumnEdge]) -> None:
        made_from, linked = self.made_from, self._column_linked
        for edge in column_edges:
            source, target = edge.source, edge.target
            known = made_from.get(target)
            made_from[target] = (edge,) if known is None else _with(known, edge)
            ends = (source[0], target[0])
            if ends not in linked:
                linked.add(ends)
                if ends not in self.edges and ends[0] != ends[1]:
                    self.edges[ends] = Edge(*ends, job=edge.job, provenance=edge.provenance)

    def _flows(self) -> dict[ColumnRef, list[ColumnRef]]:
        """Return the columns that each column's value flows into."""
        flows: dict[ColumnRef, list[ColumnRef]] = {}
        for target, edges in self.made_from.items():
            for edge in edges:
                if edge.direct:
                    known = flows.get(edge.source)
                    if known is None:
                        flows[edge.source] = [target]
                    else:
                        known.append(target)
        return flows

    @property
    def column_edges(self) -> Iterator[ColumnEdge]:
        """Every column edge, grouped by target column."""
        return chain.from_iterable(self.made_from.values())

    def column_edge(self, source: ColumnRef, target: ColumnRef) -> ColumnEdge | None:
        """Return the edge between two columns, or None."""
        return next((edge for edge in self.made_from.get(target, ()) if edge.source == source), None)

    def _add_edge(self, edge: Edge) -> None:
        key = (edge.source, edge.target)
        known = self.edges.setdefault(key, edge)
        if known is not edge:
            provenance = _union(known.provenance, edge.provenance)
            self.edges[key] = replace(known, job=known.job or edge.job, provenance=provenance)

    @cached_property
    def downstream(self) -> Mapping[str, Sequence[str]]:
        """The datasets made from each dataset."""
        return _adjacency(self.edges)

    @cached_property
    def upstream(self) -> Mapping[str, Sequence[str]]:
        """The datasets that each dataset is made from."""
        return _adjacency((target, source) for source, target in self.edges)

    def parents(self, name: str) -> Sequence[str]:
        """Return the datasets that a dataset is made from."""
        return self.upstream.get(name, ())

    @cached_property
    def column_upstream(self) -> Mapping[ColumnRef, Sequence[ColumnRef]]:
        """The columns whose values flow into each column."""
        return _adjacency((edge.target, edge.source) for edge in self.column_edges if edge.direct)

    @cached_property
    def column_shapes(self) -> Mapping[ColumnRef, Sequence[ColumnRef]]:
        """The columns that each column influences without flowing into them: as a join key or a filter."""
        return _adjacency((edge.source, edge.target) for edge in self.column_edges if not edge.direct)

    @cached_property
    def columns_of(self) -> Mapping[str, Sequence[ColumnRef]]:
        """The columns of each dataset that are on a column edge."""
        refs = dict.fromkeys(ref for edge in self.column_edges for ref in (edge.source, edge.target))
        members: defaultdict[str, list[ColumnRef]] = defaultdict(list)
        for ref in refs:
            members[ref.dataset].append(ref)
        return dict(members)

    @cached_property
    def column_made(self) -> frozenset[str]:
        """The datasets with an incoming column edge."""
        return frozenset(target.dataset for target in self.made_from)

    @cached_property
    def by_table_upstream(self) -> Mapping[str, Sequence[str]]:
        """The inputs of each dataset without a column edge from that input."""
        return _adjacency((pair[1], pair[0]) for pair in self.edges if pair not in self._column_linked)


def _adjacency(pairs: Iterable[tuple[Node, Node]]) -> Mapping[Node, Sequence[Node]]:
    neighbours: defaultdict[Node, list[Node]] = defaultdict(list)
    with without_collection():
        for start, end in pairs:
            neighbours[start].append(end)
    return dict(neighbours)


def _union(first: tuple[Node, ...], second: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _with(known: tuple[ColumnEdge, ...], edge: ColumnEdge) -> tuple[ColumnEdge, ...]:
    """Return the edges of a column with one more, merged with an edge from the same source."""
    for number, first in enumerate(known):
        if first.source == edge.source:
            both = replace(
                first,
                job=first.job or edge.job,
                transformations=_union(first.transformations, edge.transformations),
                provenance=_union(first.provenance, edge.provenance),
            )
            return (*known[:number], both, *known[number + 1 :])
    return (*known, edge)


@contextmanager
def without_collection() -> Iterator[None]:
    """Disable the garbage collector while a graph is built or walked.

    A graph is millions of live objects, and scanning them again and again takes longer than creating them.
    They are scanned once at the end, so that the next allocation elsewhere does not pay for it.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
            if gc.get_count()[0] > _MANY:
                gc.collect()


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
        provenance=_union(first.provenance, second.provenance),
        properties=tuple((dict(second.properties) | dict(first.properties)).items()),
    )
