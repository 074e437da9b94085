"""The columns of a dataset, the path of a column, and names that contain a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.graph import EVERY_COLUMN, ColumnEdge, ColumnRef, impact, trace
from airflow_lineage_provider.reports.views.graph import label_of
from airflow_lineage_provider.reports.views.models import (
    ColumnEdgeView,
    ColumnName,
    ColumnPath,
    Columns,
    ColumnsAndEdges,
    ColumnView,
    SearchResult,
    SearchResults,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_lineage_provider.graph import Impact
    from airflow_lineage_provider.reports.views.lineage import RunLineage
    from airflow_lineage_provider.reports.views.models import Kind, Known

MAX_PATH = 2_000
"""How many column edges a path has at most in each direction."""
_KINDS: dict[str, Kind] = {
    "IDENTITY": "identity",
    "TRANSFORMATION": "transformation",
    "AGGREGATION": "aggregation",
}


class NotInRunError(LineageError):
    """The run has no dataset, or no column, of this name."""


def require_dataset(lineage: RunLineage, name: str) -> str:
    """Return the name of a dataset. Raises NotInRunError."""
    if name not in lineage.graph.datasets:
        raise NotInRunError(f"This run has no dataset {name[:200]!r}: take an id from the run's graph")
    return name


def columns_view(lineage: RunLineage, dataset: str) -> ColumnsAndEdges:
    """Return the columns of a dataset and the edges of each. Raises NotInRunError."""
    items = column_views(lineage, require_dataset(lineage, dataset))
    refs = {
        *(ColumnRef(dataset, item.name) for item in items),
        *lineage.graph.columns_of.get(dataset, ()),
        ColumnRef(dataset, EVERY_COLUMN),
    }
    edges = {
        str(edge): edge
        for ref in sorted(refs)
        for edge in (*lineage.graph.made_from.get(ref, ()), *lineage.targets.get(ref, ()))
    }
    return ColumnsAndEdges(
        columns=Columns(dataset=dataset, items=items),
        edges=[column_edge_view(lineage, edge) for edge in edges.values()],
    )


def column_views(lineage: RunLineage, dataset: str) -> list[ColumnView]:
    """Return the columns of a dataset: the documented ones, then those that were only observed."""
    documented = lineage.documented.datasets.get(dataset)
    observed = lineage.observed.datasets.get(dataset)
    expected = documented.columns if documented else {}
    seen = observed.columns if observed else {}
    linked = [ref.column for ref in lineage.graph.columns_of.get(dataset, ())]
    return [
        ColumnView(
            name=name,
            type=(seen[name].type or None) if name in seen else None,
            documented_type=(expected[name].type or None) if name in expected else None,
            description=next(
                (
                    side[name].description
                    for side in (expected, seen)
                    if name in side and side[name].description
                ),
                None,
            ),
            lineage=_known(lineage, dataset, name),
            findings=lineage.finding_counts[dataset, name],
        )
        for name in dict.fromkeys((*expected, *seen, *linked))
        if name != EVERY_COLUMN
    ]


def _known(lineage: RunLineage, dataset: str, column: str) -> Known:
    observed = lineage.observed.datasets.get(dataset)
    if observed and column in observed.columns:
        return "unknown" if observed.columns[column].gap else "known"
    made = ColumnRef(dataset, column) in lineage.graph.made_from
    return "known" if made or dataset not in lineage.graph.upstream else "unknown"


def column_edge_view(lineage: RunLineage, edge: ColumnEdge) -> ColumnEdgeView:
    """Return a column edge; what was observed says how the column is made, else what is documented."""
    observed = lineage.observed.column_edge(edge.source, edge.target)
    shown = observed.transformations if observed else edge.transformations
    expressions = [one.expression for one in (*shown, *edge.transformations) if one.expression]
    return ColumnEdgeView(
        source=ColumnName(dataset=edge.source.dataset, column=edge.source.column),
        target=ColumnName(dataset=edge.target.dataset, column=edge.target.column),
        kind=_kind(observed or edge),
        state=lineage.column_state(edge),
        expression=expressions[0] if expressions else None,
    )


def _kind(edge: ColumnEdge) -> Kind:
    if not edge.direct:
        return "indirect"
    known = [_KINDS[one.subtype] for one in edge.transformations if one.subtype in _KINDS]
    return known[0] if known else "unknown"


def column_path(lineage: RunLineage, dataset: str, column: str) -> ColumnPath:
    """Return everything that a column is made from, and that is made from it. Raises NotInRunError.

    The values that flow are followed. Where no column lineage is known the path goes on by table: from there
    on columns are `*`. The keys and filters of the column itself are listed too.
    """
    names = [item.name for item in column_views(lineage, require_dataset(lineage, dataset))]
    if column not in names:
        raise NotInRunError(f"{dataset} has no column {column[:200]!r}: take a name from its columns")
    start = ColumnRef(dataset, column)
    own = [edge for edge in lineage.graph.made_from.get(start, ()) if not edge.direct]
    up = [*_steps(lineage, trace(lineage.graph, [start]), upstream=True), *own]
    down = _steps(lineage, impact(lineage.graph, [start]), upstream=False)
    return ColumnPath(
        upstream=[column_edge_view(lineage, edge) for edge in up[:MAX_PATH]],
        downstream=[column_edge_view(lineage, edge) for edge in down[:MAX_PATH]],
        truncated=max(len(up), len(down)) > MAX_PATH,
    )


def _steps(lineage: RunLineage, found: Impact, *, upstream: bool) -> list[ColumnEdge]:
    """Return the edges of a walk, nearest first; by table where no column edge is known."""
    edges: dict[tuple[ColumnRef, ColumnRef], ColumnEdge] = {}
    for ref, (hops, before) in found.nodes.items():
        near = lineage.graph.made_from.get(ref, ()) if upstream else lineage.targets.get(ref, ())
        for edge in near:
            other = edge.source if upstream else edge.target
            if edge.direct and other in found.nodes:
                edges.setdefault((edge.source, edge.target), edge)
        ends = (ref, before) if upstream else (before, ref)
        if hops and EVERY_COLUMN in {ref.column, before.column}:
            edges.setdefault(ends, ColumnEdge(*ends))
    return list(edges.values())


def search(lineage: RunLineage, text: str, limit: int) -> SearchResults:
    """Return datasets and columns whose name has a text, in any case: equal names first, then beginnings."""
    wanted = text.strip().casefold()
    found = sorted(_matches(lineage, wanted), key=lambda one: (one[0], one[1].label))[:limit]
    return SearchResults(items=[result for _, result in found])


def _matches(lineage: RunLineage, wanted: str) -> Iterator[tuple[int, SearchResult]]:
    if not wanted:
        return
    for dataset in lineage.graph.datasets.values():
        label = label_of(dataset.name, lineage.names.get(dataset.name))
        rank = _rank(label, wanted)
        if rank is not None:
            yield rank, SearchResult(dataset=dataset.name, column=None, label=label)
        for column in _column_names(lineage, dataset.name):
            full = f"{label}.{column}"
            rank = _rank(column, wanted)
            if rank is None and wanted in full.casefold():
                rank = 5
            if rank is not None:
                yield rank + 1, SearchResult(dataset=dataset.name, column=column, label=full)


def _column_names(lineage: RunLineage, dataset: str) -> Iterable[str]:
    sides = (side.datasets.get(dataset) for side in (lineage.documented, lineage.observed))
    names = [name for one in sides if one for name in one.columns]
    linked = (ref.column for ref in lineage.graph.columns_of.get(dataset, ()))
    return dict.fromkeys(name for name in (*names, *linked) if name != EVERY_COLUMN)


def _rank(name: str, wanted: str) -> int | None:
    folded = name.casefold()
    if folded == wanted or folded.rpartition(".")[2] == wanted:
        return 0
    if folded.startswith(wanted) or folded.rpartition(".")[2].startswith(wanted):
        return 2
    return 4 if wanted in folded else None
