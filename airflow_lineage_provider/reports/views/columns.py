"""The columns of a dataset, the path of a column, and names that contain a text."""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING, NamedTuple

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
    from collections.abc import Iterable

    from airflow_lineage_provider.graph import Impact
    from airflow_lineage_provider.reports.views.lineage import RunLineage
    from airflow_lineage_provider.reports.views.models import ColumnKnown, Kind

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
            gravest=lineage.gravest.get((dataset, name)),
        )
        for name in dict.fromkeys((*expected, *seen, *linked))
        if name != EVERY_COLUMN
    ]


def _known(lineage: RunLineage, dataset: str, column: str) -> ColumnKnown:
    observed = lineage.observed.datasets.get(dataset)
    if observed and column in observed.columns:
        return "unknown" if observed.columns[column].gap else "known"
    if observed and observed.columns and ColumnRef(dataset, column) not in lineage.observed.made_from:
        return "unobserved"
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
    if not wanted:
        return SearchResults(items=[])
    names: list[_SearchName] = lineage.made.get("search names", lambda: _search_names(lineage))
    found = [
        (_rank(name, wanted) + (name.column is not None), name.label, name)
        for name in names
        if wanted in name.folded
    ]
    best = nsmallest(limit, found, key=lambda one: one[:2])
    return SearchResults(
        items=[SearchResult(dataset=n.dataset, column=n.column, label=n.label) for _, _, n in best]
    )


class _SearchName(NamedTuple):
    """A name that can be found; `folded` is the label without case, `last` what is after its last point."""

    folded: str
    last: str
    label: str
    dataset: str
    column: str | None


def _search_names(lineage: RunLineage) -> list[_SearchName]:
    found = []
    for dataset in lineage.graph.datasets:
        label = label_of(dataset, lineage.names.get(dataset))
        folded = label.casefold()
        found.append(_SearchName(folded, folded.rpartition(".")[2], label, dataset, None))
        for column in _column_names(lineage, dataset):
            name = column.casefold()
            found.append(_SearchName(f"{folded}.{name}", name, f"{label}.{column}", dataset, column))
    return found


def _rank(name: _SearchName, wanted: str) -> int:
    if wanted in {name.last, name.folded}:
        return 0
    if name.last.startswith(wanted) or name.folded.startswith(wanted):
        return 2
    return 4 if wanted in name.last else 5


def _column_names(lineage: RunLineage, dataset: str) -> Iterable[str]:
    sides = (side.datasets.get(dataset) for side in (lineage.documented, lineage.observed))
    names = [name for one in sides if one for name in one.columns]
    linked = (ref.column for ref in lineage.graph.columns_of.get(dataset, ()))
    return dict.fromkeys(name for name in (*names, *linked) if name != EVERY_COLUMN)
