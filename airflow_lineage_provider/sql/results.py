"""From rowsets to plain data: the lineage of each written table."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.edge_kinds import subtypes
from airflow_lineage_provider.sql.model import Lineage, OutputColumn, Source, Table
from airflow_lineage_provider.sql.outputs import expression, shown_name

if TYPE_CHECKING:
    from collections.abc import Container

    from airflow_lineage_provider.sql.catalog import Write
    from airflow_lineage_provider.sql.rowsets import Edges, Field
    from airflow_lineage_provider.sql.scope import Analysis


@dataclass(slots=True)
class WriteTarget:
    """A written table, or the returned rows, with the lineage of all statements so far."""

    table: Table | None
    temporary: bool = False
    reads: dict[Table, None] = field(default_factory=dict)
    indirect: dict[Source, None] = field(default_factory=dict)
    columns: dict[str, OutputColumn] = field(default_factory=dict)

    def add(self, write: Write, analysis: Analysis) -> None:
        """Add what one statement writes."""
        analysis.unknown_star(write.rowset.unknown())
        self.reads |= write.reads
        for (origin, subtype), masking in write.indirect.items():
            self.indirect[Source(origin.table, origin.column, subtype, masking)] = None
        for key, column in _columns(write.rowset.fields, analysis.dialect).items():
            known = self.columns.get(key)
            self.columns[key] = _both(known, column) if known else column

    def lineage(self) -> Lineage:
        """Return the result as plain data."""
        return Lineage(tuple(self.reads), self.table, tuple(self.columns.values()), tuple(self.indirect))


def _columns(fields: list[Field], dialect: str) -> dict[str, OutputColumn]:
    """Return the outputs by key. DuckDB numbers repeated names; elsewhere they are one column."""
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
    """Return the combined column of two statements, or of two outputs of one name."""
    same = one.expression == other.expression
    sources = tuple(dict.fromkeys(one.sources + other.sources))
    return OutputColumn(one.name, sources, one.expression if same else None)
