"""Downstream and upstream walks: by column where column edges are known, else by table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.model import EVERY_COLUMN, ColumnRef, without_collection
from airflow_lineage_provider.graph.walk import shortest_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from airflow_lineage_provider.graph.model import Dataset, Graph

CONSUMERS = frozenset({"dashboard", "feature view", "model", "application", "notebook", "analysis"})
"""The kinds of datasets at the end of lineage, which people and other systems use."""


@dataclass(frozen=True, slots=True)
class Impact:
    """Everything downstream of a change, or upstream of a column, nearest first.

    `nodes` maps each column to its distance and to the column before it on a shortest path. The column `*`
    stands for a whole table: no column edge tells which of its columns are reached.
    """

    starts: tuple[ColumnRef, ...]
    nodes: Mapping[ColumnRef, tuple[int, ColumnRef]]

    def datasets(self) -> dict[str, int]:
        """Return the distance of every dataset reached."""
        found: dict[str, int] = {}
        for ref, (hops, _) in self.nodes.items():
            if hops:
                found.setdefault(ref.dataset, hops)
        for start in self.starts:
            found.pop(start.dataset, None)
        return found


def impact(
    graph: Graph, starts: Iterable[ColumnRef], *, hops: int | None = None, indirect: bool = False
) -> Impact:
    """Return what is made from these columns; the column `*` stands for all columns of a dataset.

    With `indirect` also what they influence as join keys or filters. A dataset that reads a reached dataset
    without a known column edge is reached as a table. `hops` bounds the distance.
    """
    shaped = graph.column_shapes if indirect else {}
    return _walk(_Neighbours(graph, graph.column_downstream, graph.by_table_downstream, shaped), starts, hops)


def trace(graph: Graph, starts: Iterable[ColumnRef], *, hops: int | None = None) -> Impact:
    """Return what these columns are made from, as `impact` in the other direction."""
    return _walk(_Neighbours(graph, graph.column_upstream, graph.by_table_upstream, {}), starts, hops)


def consumers(graph: Graph, found: Impact) -> list[Dataset]:
    """Return the datasets reached whose kind is in `CONSUMERS`, nearest first."""
    reached = (graph.datasets[name] for name in found.datasets())
    return [dataset for dataset in reached if dataset.kind in CONSUMERS]


def select(
    graph: Graph,
    found: Impact,
    *,
    systems: Collection[str] = (),
    layers: Collection[str] = (),
    owners: Collection[str] = (),
    kinds: Collection[str] = (),
) -> list[Dataset]:
    """Return the datasets reached that match each filter; an empty filter matches all."""
    return [
        dataset
        for dataset in (graph.datasets[name] for name in found.datasets())
        if (not systems or dataset.system in systems)
        and (not layers or dataset.layer in layers)
        and (not owners or not set(owners).isdisjoint(dataset.owners))
        and (not kinds or dataset.kind in kinds)
    ]


def narrow(found: Impact, datasets: Iterable[Dataset]) -> Impact:
    """Return the impact on these datasets alone, with the path to each."""
    kept = {dataset.name for dataset in datasets}
    nodes: dict[ColumnRef, tuple[int, ColumnRef]] = {start: found.nodes[start] for start in found.starts}
    for ref in found.nodes:
        if ref.dataset in kept:
            step = ref
            while step not in nodes:
                nodes[step] = found.nodes[step]
                step = found.nodes[step][1]
    return Impact(found.starts, dict(sorted(nodes.items(), key=lambda item: item[1][0])))


class _Neighbours:
    """The neighbours of a column in one direction, other than by a column edge from it."""

    def __init__(
        self,
        graph: Graph,
        columns: Mapping[ColumnRef, Sequence[ColumnRef]],
        by_table: Mapping[str, Sequence[str]],
        shaped: Mapping[ColumnRef, Sequence[ColumnRef]],
    ) -> None:
        self.graph = graph
        self.columns = columns
        self.by_table = by_table
        self.shaped = shaped
        self.downstream = columns is graph.column_downstream
        self.tables: dict[str, list[ColumnRef]] = {}

    def beside_columns(self, node: ColumnRef) -> Iterator[ColumnRef]:
        dataset, column = node
        if column == EVERY_COLUMN:
            for member in self.graph.columns_of.get(dataset, ()):
                yield from self.columns.get(member, ())
        yield from self.shaped.get(node, ())
        if dataset in self.by_table:
            yield from self.whole_tables(dataset)

    def whole_tables(self, dataset: str) -> list[ColumnRef]:
        if dataset not in self.tables:
            self.tables[dataset] = [
                ColumnRef(other, EVERY_COLUMN)
                for other in self.by_table[dataset]
                if not self.shortens(*((dataset, other) if self.downstream else (other, dataset)))
            ]
        return self.tables[dataset]

    def shortens(self, source: str, target: str) -> bool:
        """Whether the edge summarises a longer path whose columns are known."""
        if target not in self.graph.column_made:
            return False
        return bool(shortest_path(self.graph.parents, source, target, indirect=True))


def _walk(neighbours: _Neighbours, starts: Iterable[ColumnRef], hops: int | None) -> Impact:
    level = list(dict.fromkeys(starts))
    nodes = {start: (0, start) for start in level}
    distance = 0
    setdefault = nodes.setdefault
    columns, by_table, shaped = neighbours.columns, neighbours.by_table, neighbours.shaped
    with without_collection():
        while level and (hops is None or distance < hops):
            distance += 1
            following: list[ColumnRef] = []
            for node in level:
                near: Iterable[ColumnRef] = columns.get(node, ())
                if node[0] in by_table or shaped or node[1] == EVERY_COLUMN:
                    near = chain(near, neighbours.beside_columns(node))
                step = (distance, node)
                following += [neighbour for neighbour in near if setdefault(neighbour, step) is step]
            level = following
    return Impact(tuple(start for start, (far, _) in nodes.items() if not far), nodes)
