"""What a planned change of a column does to each column that it reaches."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.model import EVERY_COLUMN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_lineage_provider.graph.impact import Impact
    from airflow_lineage_provider.graph.model import ColumnRef, Graph


class Change(StrEnum):
    """What people do to a column."""

    TYPE = "type"
    RENAME = "rename"
    DROP = "drop"


class Effect(StrEnum):
    """What that does to a column downstream."""

    BREAKS = "breaks"  # its expression names a column that is no longer there
    STARVES = "fed by what breaks"
    MAY_BREAK = "may break"  # its expression is not known, or depends on the type
    CHANGES_TYPE = "changes type"
    HOLDS = "holds"


def effects(
    graph: Graph, found: Impact, change: Change, converts: Callable[[str], bool]
) -> Mapping[ColumnRef, Effect]:
    """Return the effect on every column of an impact.

    Who reads a column that is renamed or dropped breaks, and what is made from that is starved. A new
    type is handed on by a plain copy and ends where `converts` says that an expression casts it.
    """
    told: dict[ColumnRef, Effect] = {}
    for ref, (hops, parent) in found.nodes.items():
        if not hops:
            continue
        if change is Change.TYPE:
            told[ref] = _new_type(graph, parent, ref, told.get(parent), converts)
        elif hops > 1:
            told[ref] = Effect.STARVES if told[parent] is not Effect.MAY_BREAK else Effect.MAY_BREAK
        else:
            told[ref] = Effect.MAY_BREAK if _unknown(graph, parent, ref) else Effect.BREAKS
    return told


def _unknown(graph: Graph, parent: ColumnRef, ref: ColumnRef) -> bool:
    """Whether the two are known to be linked only as tables, so that the column may not be used at all."""
    whole = ref.column == EVERY_COLUMN and parent.column != EVERY_COLUMN
    return whole and graph.column_edge(parent, ref) is None


def _new_type(
    graph: Graph, parent: ColumnRef, ref: ColumnRef, before: Effect | None, converts: Callable[[str], bool]
) -> Effect:
    if before is Effect.HOLDS:
        return Effect.HOLDS
    edge = graph.column_edge(parent, ref)
    how = [t for t in edge.transformations if t.type != "INDIRECT"] if edge else []
    if any(t.expression and converts(t.expression) for t in how):
        return Effect.HOLDS
    if how and all(t.subtype == "IDENTITY" for t in how):
        return Effect.CHANGES_TYPE
    return Effect.MAY_BREAK
