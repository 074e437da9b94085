"""Consumers of evidence in the terms of a documented graph.

BI tools put data sources between tables and dashboards, which maps do not document, and know nothing of one
dashboard that "reads" another: both read one data source.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.impact import CONSUMERS
from airflow_lineage_provider.graph.model import ColumnEdge, ColumnRef, Edge, Graph, Transformation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_lineage_provider.graph.model import Dataset, Provenance

DATA_SOURCE = "data source"
"""The kind of a dataset that a BI tool keeps between tables and dashboards."""
_RANKS = ("", "IDENTITY", "TRANSFORMATION", "AGGREGATION")


def as_documented(expected: Graph, observed: Graph) -> Graph:
    """Return the observed graph without what BI tools have between tables and documented consumers.

    An undocumented data source is replaced by what it is made from. Where a consumer is documented to read
    another one and both read one data source, the second reads the first in place of it; where the first is
    gone, what the second reads is not known. Undocumented
    consumers that read nothing documented are left out, with what only they read.
    """
    hubs = {
        name
        for name, dataset in observed.datasets.items()
        if dataset.kind == DATA_SOURCE and name not in expected.datasets
    }
    left_out = _unrelated(expected, observed)
    if not hubs and not left_out:
        return observed
    plain = _Replacement(expected, observed, hubs)
    gone = hubs | left_out
    return Graph(
        (plain.dataset(dataset) for name, dataset in observed.datasets.items() if name not in gone),
        (edge for edge in plain.edges() if gone.isdisjoint((edge.source, edge.target))),
        (e for e in plain.column_edges() if gone.isdisjoint((e.source.dataset, e.target.dataset))),
    )


def _unrelated(expected: Graph, observed: Graph) -> set[str]:
    """Return the undocumented consumers downstream of nothing documented, and what only they read."""
    reached = {name for name in observed.datasets if name in expected.datasets}
    queue = list(reached)
    while queue:
        for name in observed.downstream.get(queue.pop(), ()):
            if name not in reached:
                reached.add(name)
                queue.append(name)
    gone = {
        name for name, found in observed.datasets.items() if found.kind in CONSUMERS and name not in reached
    }
    queue = list(gone)
    while queue:
        for name in observed.upstream.get(queue.pop(), ()):
            if name not in gone and name not in reached and gone.issuperset(observed.downstream[name]):
                gone.add(name)
                queue.append(name)
    return gone


class _Replacement:
    """The edges of the observed graph with data sources replaced by what they are made from."""

    def __init__(self, expected: Graph, observed: Graph, hubs: set[str]) -> None:
        self.observed = observed
        self.hubs = hubs
        self.stands_on = dict(self._shared(expected))

    def _shared(self, expected: Graph) -> Iterator[tuple[tuple[str, str], str]]:
        """Yield (data source, reader) with the documented consumer that reads it too."""
        for first, second in expected.edges:
            kinds = {expected.datasets[name].kind for name in (first, second)}
            if not kinds <= CONSUMERS or (first, second) in self.observed.edges:
                continue
            read = self.hubs.intersection(self.observed.parents(second))
            if first in self.observed.datasets:
                read.intersection_update(self.observed.parents(first))
            for hub in sorted(read):
                yield (hub, second), first

    def dataset(self, dataset: Dataset) -> Dataset:
        """Return a dataset whose columns have a gap where that of the data source behind them has one."""
        if self.hubs.isdisjoint(self.observed.parents(dataset.name)):
            return dataset
        columns = {
            name: replace(column, gap=column.gap or self._gap(ColumnRef(dataset.name, name)))
            for name, column in dataset.columns.items()
        }
        return replace(dataset, columns=columns)

    def _gap(self, ref: ColumnRef, depth: int = 0) -> str:
        for edge in self.observed.made_from.get(ref, ()):
            hub = self.observed.datasets.get(edge.source.dataset)
            if hub is None or hub.name not in self.hubs or depth > len(self.hubs):
                continue
            column = hub.columns.get(edge.source.column)
            if column is None and hub.columns:
                return f"{hub.name} has no {edge.source.column}"
            if found := (column.gap if column else "") or self._gap(edge.source, depth + 1):
                return found
        return ""

    def edges(self) -> Iterator[Edge]:
        for edge in self.observed.edges.values():
            for source, provenance in self._sources(edge.source, edge.target, edge.provenance):
                if source == edge.source:
                    yield edge
                else:
                    yield replace(edge, source=source, provenance=provenance)

    def _sources(
        self, source: str, target: str, provenance: tuple[Provenance, ...], seen: tuple[str, ...] = ()
    ) -> Iterator[tuple[str, tuple[Provenance, ...]]]:
        if source not in self.hubs:
            yield source, provenance
        elif (source, target) in self.stands_on:
            first = self.stands_on[source, target]
            if first in self.observed.datasets:
                yield first, provenance
        elif source not in seen:
            for parent in self.observed.parents(source):
                inner = self.observed.edges[parent, source].provenance
                yield from self._sources(parent, source, (*provenance, *inner), (*seen, source))

    def column_edges(self) -> Iterator[ColumnEdge]:
        return chain.from_iterable(map(self._column_sources, self.observed.column_edges))

    def _column_sources(self, edge: ColumnEdge, seen: tuple[ColumnRef, ...] = ()) -> Iterable[ColumnEdge]:
        source = edge.source
        if source.dataset not in self.hubs:
            return [edge]
        first = self.stands_on.get((source.dataset, edge.target.dataset))
        if first is not None:
            fields = (ref for ref in self.observed.column_downstream.get(source, ()) if ref.dataset == first)
            return [replace(edge, source=ref) for ref in fields]
        if source in seen:
            return []
        inner = (replace(one, target=edge.target) for one in self.observed.made_from.get(source, ()))
        return chain.from_iterable(
            self._column_sources(
                replace(
                    one,
                    transformations=_combined(one.transformations, edge.transformations),
                    job=edge.job,
                    provenance=(*edge.provenance, *one.provenance),
                ),
                (*seen, source),
            )
            for one in inner
        )


def _combined(
    inner: tuple[Transformation, ...], outer: tuple[Transformation, ...]
) -> tuple[Transformation, ...]:
    """Return how a column is made in two steps: the stronger subtype, the later expression."""
    if not inner or not outer:
        return inner or outer
    first, last = inner[0], outer[0]
    subtype = max(first.subtype, last.subtype, key=lambda one: _RANKS.index(one) if one in _RANKS else 0)
    expression = last.expression or first.expression
    return (Transformation(last.type, subtype, expression, first.masking or last.masking),)
