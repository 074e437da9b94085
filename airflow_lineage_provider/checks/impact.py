"""What a planned change reaches, as the operator and the command line ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.equality import converts
from airflow_lineage_provider.checks.references import column_reference
from airflow_lineage_provider.graph import impact
from airflow_lineage_provider.graph.change import Change, Effect, effects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.graph import ColumnRef, Graph
    from airflow_lineage_provider.graph.impact import Impact


def planned_change(
    graph: Graph, column: str, change: str | None = None, *, hops: int | None = None
) -> tuple[Impact, Mapping[ColumnRef, Effect] | None]:
    """Return what `column` reaches and, for a change of `type`, `rename` or `drop`, its effect on each.

    Raises ValueError for a column or a change that there is not.
    """
    if change and change not in set(Change):
        raise ValueError(f"{change!r} is no change of a column; use {', '.join(Change)}")
    found = impact(graph, [column_reference(graph, column)], hops=hops)
    return found, effects(graph, found, Change(change), converts("")) if change else None
