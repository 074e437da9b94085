"""The impact of a planned column change, for the operator and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.equality import converts
from airflow_lineage_provider.checks.references import column_reference
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import impact
from airflow_lineage_provider.graph.change import Change, Effect, effects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.graph import ColumnRef, Graph
    from airflow_lineage_provider.graph.impact import Impact


def planned_change(
    graph: Graph, column: str, change: str | None = None, *, hops: int | None = None
) -> tuple[Impact, Mapping[ColumnRef, Effect] | None]:
    """Return what `column` reaches and the effect on each; without a change the effects are None.

    `column` is `dataset.column`, or a dataset for all of its columns; `change` is type, rename or drop.
    Raises InputError for an unknown column or change.
    """
    if change and change not in set(Change):
        raise InputError(f"unknown change {change!r} of a column; use {', '.join(Change)}")
    found = impact(graph, [column_reference(graph, column)], hops=hops)
    return found, effects(graph, found, Change(change), converts("")) if change else None
