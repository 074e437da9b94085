"""The least that a map says of what a column is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from airflow_lineage_provider.graph import ColumnRef, Graph


def least_sources(
    graph: Graph, column: ColumnRef, documented: Callable[[str], Collection[str]]
) -> list[ColumnRef] | None:
    """Return the columns that a column is made from; None where its name says it, or nothing is known.

    `documented` returns the columns that the map lists of a dataset: a column that keeps its name comes from
    the one input that lists it, or from the only input that lists none.
    """
    sources = [edge.source for edge in graph.made_from.get(column, ()) if edge.direct]
    seen = graph.datasets[column.dataset].columns.get(column.column)
    if not sources and (seen is None or seen.gap):
        return None
    if len(sources) == 1 and sources[0].column == column.column:
        parents = graph.parents(column.dataset)
        having = [parent for parent in parents if column.column in documented(parent)]
        silent = [parent for parent in parents if not documented(parent)]
        if (having or silent) == [sources[0].dataset]:
            return None
    return sorted(sources)
