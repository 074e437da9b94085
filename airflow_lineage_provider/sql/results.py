"""From rowsets to the answer: what the statements do to one table, as plain data."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.edge_kinds import subtypes
from airflow_lineage_provider.sql.model import Lineage, OutputColumn, Source, Table
from airflow_lineage_provider.sql.outputs import expression, shown_name

if TYPE_CHECKING:
    from collections.abc import Container

    from airflow_lineage_provider.sql.rowsets import Edges, Field, Rowset
    from airflow_lineage_provider.sql.scope import Analysis


@dataclass(slots=True)
class WriteTarget:
    """One table, or the rows that are returned, with what the statements so far did to it."""

    table: Table | None
    temporary: bool = False
    reads: dict[Table, None] = field(default_factory=dict)
    indirect: dict[Source, None] = field(default_factory=dict)
    columns: dict[str, OutputColumn] = field(default_factory=dict)

    def add(self, rowset: Rowset, analysis: Analysis) -> None:
        """Take in what one statement writes."""
        analysis.unknown_star(rowset.unknown())
        self.reads |= analysis.reads
        self.indirect |= dict.fromkeys(analysis.sources())
        for key, column in _columns(rowset.fields, analysis.dialect).items():
            known = self.columns.get(key)
            self.columns[key] = _both(known, column) if known else column

    def lineage(self) -> Lineage:
        """Return the answer."""
        return Lineage(tuple(self.reads), self.table, tuple(self.columns.values()), tuple(self.indirect))


def _columns(fields: list[Field], dialect: str) -> dict[str, OutputColumn]:
    """Return the outputs by key. DuckDB numbers a name that comes again; elsewhere it is one column."""
    columns: dict[str, OutputColumn] = {}
    for position, one in enumerate(fields, start=1):
        name = shown_name(one, position, dialect)
        key = name if one.key is None else one.key
        if dialect == "duckdb":
            key = name = _numbered(name, columns)
        column = OutputColumn(name, _sources(one.edges), expression(one, dialect))
        columns[key] = _both(columns[key], column) if key in columns else column
    return columns


def _numbered(name: str, taken: Container[str]) -> str:
    numbers = itertools.count(1)
    fresh = name
    while fresh in taken:
        fresh = f"{name}_{next(numbers)}"
    return fresh


def _sources(edges: Edges) -> tuple[Source, ...]:
    return tuple(
        Source(origin.table, origin.column, subtype, masking)
        for origin, kinds in edges.items()
        for subtype, masking in subtypes(kinds)
    )


def _both(one: OutputColumn, other: OutputColumn) -> OutputColumn:
    """Return what two statements, or two columns of a name, write to the same column."""
    same = one.expression == other.expression
    sources = tuple(dict.fromkeys(one.sources + other.sources))
    return OutputColumn(one.name, sources, one.expression if same else None)
