"""From rowsets to plain data: the lineage of each written table."""

from __future__ import annotations

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
    columns: dict[str, list[OutputColumn]] = field(default_factory=dict)

    def add(self, write: Write, analysis: Analysis) -> None:
        """Add what one statement writes."""
        analysis.unknown_star(write.rowset.unknown())
        self.reads |= write.reads
        for (origin, subtype), masking in write.indirect.items():
            self.indirect[Source(origin.table, origin.column, subtype, masking)] = None
        for key, column in _columns(write.rowset.fields, analysis).items():
            self.columns.setdefault(key, []).append(column)

    def lineage(self) -> Lineage:
        """Return the result as plain data."""
        columns = tuple(_combined(same) for same in self.columns.values())
        return Lineage(tuple(self.reads), self.table, columns, tuple(self.indirect))


def _columns(fields: list[Field], analysis: Analysis) -> dict[str, OutputColumn]:
    """Return the outputs by key. DuckDB numbers repeated names; elsewhere they are one column."""
    columns: dict[str, list[OutputColumn]] = {}
    repeats: dict[str, int] = {}
    dialect = analysis.dialect
    for position, one in enumerate(fields, start=1):
        name = shown_name(one, position, dialect)
        key = name if one.key is None else one.key
        if dialect == "duckdb":
            key = name = _numbered(name, columns, repeats)
        column = OutputColumn(
            name, _sources(one.edges), expression(one, dialect, analysis.catalog.expansions)
        )
        columns.setdefault(key, []).append(column)
    return {key: _combined(same) for key, same in columns.items()}


def _numbered(name: str, taken: Container[str], repeats: dict[str, int]) -> str:
    fresh = name
    while fresh in taken:
        repeats[name] = repeats.get(name, 0) + 1
        fresh = f"{name}_{repeats[name]}"
    return fresh


def _sources(edges: Edges) -> tuple[Source, ...]:
    return tuple(
        Source(origin.table, origin.column, subtype, masking)
        for origin, kinds in edges.items()
        for subtype, masking in subtypes(kinds)
    )


def _combined(same: list[OutputColumn]) -> OutputColumn:
    """Return the combined column of several statements, or of several outputs of one name."""
    if len(same) == 1:
        return same[0]
    texts = {one.expression for one in same}
    sources = tuple({source: None for one in same for source in one.sources})
    return OutputColumn(same[0].name, sources, texts.pop() if len(texts) == 1 else None)
