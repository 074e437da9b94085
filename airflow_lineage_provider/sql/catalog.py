"""Tables by name: those of the schema, those that a script has created, and writes to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.edge_kinds import COPY
from airflow_lineage_provider.sql.limits import MOST_EXPANSIONS
from airflow_lineage_provider.sql.model import Table
from airflow_lineage_provider.sql.rowsets import BaseTable, Field, Origin, Rowset, merged
from airflow_lineage_provider.sql.structs import row_of_type

if TYPE_CHECKING:
    from sqlglot import exp

    from airflow_lineage_provider.sql.model import Subtype
    from airflow_lineage_provider.sql.names import Names
    from airflow_lineage_provider.sql.schema import Schema

Key = tuple[str, ...]


@dataclass(slots=True, eq=False)
class CreatedTable:
    """A table that the script wrote: its fields, and what else the statements that wrote it depend on."""

    first: Rowset
    reads: dict[Table, None] = field(default_factory=dict)
    indirect: dict[tuple[Origin, Subtype], bool] = field(default_factory=dict)
    later: list[Rowset] = field(default_factory=list)  # of further writes, merged when the table is read

    @property
    def rowset(self) -> Rowset:
        """Return the columns, each with the sources of all writes to it."""
        if self.later:
            by_key: dict[object, list[Field]] = {}
            for written in (self.first, *self.later):
                for one in (*written.index.values(), *(f for f in written.fields if f.key is None)):
                    by_key.setdefault(one.key or id(one), []).append(one)
            self.first = Rowset([merged(same) for same in by_key.values()], self.first.rest)
            self.later = []
        return self.first


@dataclass(slots=True, eq=False)
class Write:
    """The effect of a statement on one table; `table` is None where rows are only returned."""

    table: Table | None
    key: Key
    rowset: Rowset
    temporary: bool = False
    replaces: bool = False  # earlier rows of the table are gone
    reads: dict[Table, None] = field(default_factory=dict)
    indirect: dict[tuple[Origin, Subtype], bool] = field(default_factory=dict)
    apart: bool = False  # the two above are set, and not those of the whole statement


@dataclass(slots=True, eq=False)
class Expansions:
    """How many columns can still be replaced by their definitions, in the expressions of a script."""

    left: int


@dataclass(slots=True, eq=False)
class TableCatalog:
    """Tables by key: those of the schema, and those that the script has written so far."""

    schema: Schema
    names: Names
    database: str | None = None
    default_schema: str | None = None
    created: dict[Key, CreatedTable] = field(default_factory=dict)
    base: dict[Key, BaseTable] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    star_columns: int = 0  # of all stars so far
    expansions: Expansions = field(default_factory=lambda: Expansions(MOST_EXPANSIONS))
    temporary: set[Key] = field(default_factory=set)  # declared as temporary, not yet written

    def key(self, table: exp.Table) -> Key:
        """Return the table's dotted key, completed with the defaults."""
        parts = self.names.keys(table)
        if len(parts) == 1 and self.default_schema:
            parts.insert(0, self.names.fold(self.default_schema))
        if len(parts) == 2 and self.database:  # noqa: PLR2004  # schema.name
            parts.insert(0, self.names.fold(self.database))
        return tuple(parts)

    def dataset(self, table: exp.Table) -> Table:
        """Return the table's name as its catalog would show it."""
        return self.read(self.key(table), self.names.spellings(table)).table

    def read(self, key: Key, spelling: tuple[str, ...]) -> BaseTable:
        """Return the base table. There is one object per table, so that columns found later are kept."""
        found = self.base.get(key)
        if found is None:
            found = self.base[key] = self._base(key, spelling)
        return found

    def _base(self, key: Key, spelling: tuple[str, ...]) -> BaseTable:
        entry = self.schema.find(key)
        parts = key[: len(key) - len(spelling)] + spelling
        if entry is not None:
            shown = entry[0][-len(parts) :]
            parts = parts[: len(parts) - len(shown)] + shown
        table = Table(*reversed(parts[-3:]))
        if entry is None:
            return BaseTable([], table=table, key=key, open=True, spell=self.names.shown)
        stored = self.names.stored
        exact = set(entry[1])
        fields = []
        for column in entry[1]:
            folded = stored(column)
            name = column if folded != column and folded in exact else folded
            edges = {Origin(table, column): COPY}
            kind = entry[1][column] if isinstance(entry[1], Mapping) else ""
            fields.append(Field(column, name, edges, row=row_of_type(kind, edges, self.names)))
        return BaseTable(fields, table=table, key=key)
