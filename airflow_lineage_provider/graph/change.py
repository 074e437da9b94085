"""The effect of a planned column change on each downstream column."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph.model import EVERY_COLUMN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_lineage_provider.graph.impact import Impact
    from airflow_lineage_provider.graph.model import ColumnRef, Graph


class Change(StrEnum):
    """A change of a column."""

    TYPE = "type"
    RENAME = "rename"
    DROP = "drop"


class Effect(StrEnum):
    """The effect of a change on a downstream column."""

    BREAKS = "breaks"  # its expression names a column that no longer exists
    UPSTREAM_BREAKS = "fed by what breaks"
    MAY_BREAK = "may break"  # its expression is unknown, or depends on the type
    CHANGES_TYPE = "changes type"
    UNAFFECTED = "holds"


def effects(
    graph: Graph, found: Impact, change: Change, converts: Callable[[str], bool]
) -> Mapping[ColumnRef, Effect]:
    """Return the effect of `change` on every column that the impact `found` reaches.

    A column that reads a renamed or dropped column breaks, and so does everything made from it. A new type
    propagates through plain copies and stops where `converts` says of an expression that it casts its input.
    """
    result: dict[ColumnRef, Effect] = {}
    for ref, (hops, parent) in found.nodes.items():
        if not hops:
            continue
        if change is Change.TYPE:
            result[ref] = _new_type(graph, parent, ref, result.get(parent), converts)
        elif hops > 1:
            uncertain = result[parent] is Effect.MAY_BREAK
            result[ref] = Effect.MAY_BREAK if uncertain else Effect.UPSTREAM_BREAKS
        else:
            result[ref] = Effect.MAY_BREAK if _unknown(graph, parent, ref) else Effect.BREAKS
    return result


def _unknown(graph: Graph, parent: ColumnRef, ref: ColumnRef) -> bool:
    """Whether only the tables are known to be linked, so that the column may not be used at all."""
    whole = ref.column == EVERY_COLUMN and parent.column != EVERY_COLUMN
    return whole and graph.column_edge(parent, ref) is None


def _new_type(
    graph: Graph, parent: ColumnRef, ref: ColumnRef, before: Effect | None, converts: Callable[[str], bool]
) -> Effect:
    if before is Effect.UNAFFECTED:
        return Effect.UNAFFECTED
    edge = graph.column_edge(parent, ref)
    how = [t for t in edge.transformations if t.type != "INDIRECT"] if edge else []
    if any(t.expression and converts(t.expression) for t in how):
        return Effect.UNAFFECTED
    if how and all(t.subtype == "IDENTITY" for t in how):
        return Effect.CHANGES_TYPE
    return Effect.MAY_BREAK
