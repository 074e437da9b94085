"""Lineage that a server recorded itself: temporary tables replaced by what they are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_lineage_provider.sql import OutputColumn, Source, Subtype

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_lineage_provider.sql import Lineage


def through(lineages: Iterable[Lineage], made: Sequence[Lineage]) -> tuple[Lineage, ...]:
    """Return lineages in which each table that `made` writes is replaced by its own sources."""
    by_table: dict[str, Lineage] = {}
    for one in made:
        if one.writes is not None:
            (resolved,) = _resolved([one], by_table)
            by_table[str(one.writes)] = resolved
    return tuple(_resolved(lineages, by_table))


def _resolved(lineages: Iterable[Lineage], by_table: dict[str, Lineage]) -> Iterator[Lineage]:
    for one in lineages:
        reads = dict.fromkeys(
            table
            for read in one.reads
            for table in (by_table[str(read)].reads if str(read) in by_table else (read,))
        )
        columns = tuple(
            OutputColumn(column.name, tuple(dict.fromkeys(_sources(column, by_table))))
            for column in one.columns
        )
        yield replace(one, reads=tuple(reads), columns=columns)


def _sources(column: OutputColumn, by_table: dict[str, Lineage]) -> Iterator[Source]:
    for source in column.sources:
        lineage = by_table.get(str(source.table))
        if lineage is None:
            yield source
            continue
        inner = next((c for c in lineage.columns if c.name == source.column), None)
        for origin in inner.sources if inner else ():
            # The record has no kinds: what goes through a table is derived at least once.
            yield Source(origin.table, origin.column, Subtype.TRANSFORMATION)
