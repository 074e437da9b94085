"""The columns of a statement that another system runs, by the datasets that it reads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.events.movement import ColumnSource
from airflow_lineage_provider.systems.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from airflow_lineage_provider.events.naming import DatasetName
    from airflow_lineage_provider.sql import Lineage, Source, Table

    TableName = Callable[[str, str, str], DatasetName]

ALIAS = "lineage_input_"
"""How a table is called, with a number, that stands for a dataset in rendered SQL."""


@dataclass(frozen=True, slots=True)
class Made:
    """The columns that a node of a pipeline gives, by their names in small letters.

    The datasets of `rest` have the columns that are not in `columns`, unchanged (a topic, and the table that
    is its history); where there is none, `gap` says why the others are not known. `every` shapes all columns.
    """

    columns: Mapping[str, tuple[ColumnSource, ...]] = field(default_factory=dict)
    rest: tuple[DatasetName, ...] = ()
    every: tuple[ColumnSource, ...] = ()
    gap: str = ""

    def find(self, name: str) -> tuple[ColumnSource, ...] | None:
        """Return what a column is made from; None where that is not known."""
        found = self.columns.get(name.casefold())
        if found is None and self.rest:
            return tuple(ColumnSource(one, name) for one in self.rest)
        return found


def sql_made(
    sql: str,
    dialect: str,
    names: Iterable[str],
    *,
    tables: Mapping[str, tuple[DatasetName, ...]] | None = None,
    columns: Mapping[str, tuple[str, ...]] | None = None,
    table_name: TableName | None = None,
) -> Made:
    """Return the columns of these names that a statement gives.

    `tables` are the datasets that aliases stand for, `columns` those that are known of them; `table_name` is
    the dataset of any other table, by database, schema and name.
    """
    from airflow_lineage_provider.sql import Subject, column_lineage

    schema = {alias: listed for alias, listed in (columns or {}).items() if listed}
    found = column_lineage(sql, dialect=dialect, schema=schema)
    if any(problem.subject is Subject.STAR for problem in found.problems):
        quote = "`" if dialect in {"spark", "bigquery"} else '"'
        wanted = ", ".join(quote + name.replace(quote, quote * 2) + quote for name in names)
        text_of = sql.strip().rstrip(";")
        named = column_lineage(
            f"select {wanted} from (\n{text_of}\n) as made",  # noqa: S608 - it is only parsed
            dialect=dialect,
            schema=schema,
        )
        found = named if not named.error and not named.problems else found
    if found.error:
        return Made(gap=f"its SQL cannot be read: {one_line(found.error)}")
    return _resolved(found, tables or {}, table_name)


def _resolved(
    found: Lineage, tables: Mapping[str, tuple[DatasetName, ...]], table_name: TableName | None
) -> Made:
    gap = one_line("; ".join(map(str, found.problems)))

    def datasets(table: Table) -> tuple[DatasetName, ...]:
        known = tables.get(table.name.casefold(), ())
        if not known and table_name is not None:
            return (table_name(table.database or "", table.schema or "", table.name),)
        return known

    def sources(of: Iterable[Source], expression: str) -> tuple[ColumnSource, ...]:
        return tuple(
            ColumnSource(
                name,
                one.column,
                one.subtype.value,
                one.masking,
                "" if one.subtype.value == "IDENTITY" else _plain(expression),
            )
            for one in of
            for name in datasets(one.table)
        )

    columns = {}
    for column in found.columns:
        made = sources(column.sources, column.expression or "")
        if made or (not column.sources and not gap):
            columns[column.name.casefold()] = made
    return Made(columns, every=sources(found.indirect, ""), gap=gap)


def _plain(expression: str) -> str:
    """Return an expression without the names that stand for inputs."""
    return re.sub(rf"[`\"]?{ALIAS}\d+[`\"]?\.", "", expression, flags=re.IGNORECASE)
