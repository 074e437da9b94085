"""What one statement's analysis gathers on its way: tables read, indirect columns, problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.kinds import COPY, KINDS
from airflow_lineage_provider.sql.model import Problem, Source, Subject, Subtype, Table
from airflow_lineage_provider.sql.relations import BaseTable, Edges, Field, Origin, Relation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlglot import exp

    from airflow_lineage_provider.sql.names import Names
    from airflow_lineage_provider.sql.schema import Schema
    from airflow_lineage_provider.sql.scope import Cte
    from airflow_lineage_provider.sql.writes import Write

# Dialects where an output may be named further on in the same select list.
_LATERAL_ALIASES = frozenset(
    {"snowflake", "duckdb", "redshift", "databricks", "spark", "spark2", "clickhouse", "teradata", "exasol"}
)
Key = tuple[str, ...]


@dataclass(slots=True, eq=False)
class Made:
    """What a script made of a table: its fields, and what else the statements that made it depend on."""

    relation: Relation
    reads: dict[Table, None] = field(default_factory=dict)
    indirect: dict[tuple[Origin, Subtype], bool] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Catalog:
    """Tables by key: those of the schema, and those that a script has made so far."""

    schema: Schema
    names: Names
    database: str | None = None
    default_schema: str | None = None
    made: dict[Key, Made] = field(default_factory=dict)
    base: dict[Key, BaseTable] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    temporary: set[Key] = field(default_factory=set)  # tables that were created so, and not yet written

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
        """Return the base table; there is one object a table, so that what is learned of it is kept."""
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
            fields.append(Field(column, name, {Origin(table, column): COPY}))
        return BaseTable(fields, table=table, key=key)


@dataclass(slots=True, eq=False)
class Analysis:
    """The state of one statement. Everything else is a function of syntax tree and scope."""

    catalog: Catalog
    dialect: str
    has_columns_calls: bool = False
    reads: dict[Table, None] = field(default_factory=dict)
    indirect: dict[tuple[Origin, Subtype], bool] = field(default_factory=dict)
    problems: dict[Problem, None] = field(default_factory=dict)
    resolved: dict[int, Field] = field(default_factory=dict)  # column node -> the field that it means
    ctes: list[Cte] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)  # of statements within this one: WITH x AS (DELETE ...)

    @property
    def names(self) -> Names:
        """Return how this dialect folds names."""
        return self.catalog.names

    @property
    def lateral_aliases(self) -> bool:
        """Tell whether a select list may use its own earlier outputs."""
        return self.dialect in _LATERAL_ALIASES

    def decides(self, edges: Edges, subtype: Subtype) -> None:
        """Note columns that decide about rows, groups or order of the whole statement."""
        for origin, kinds in edges.items():
            masked = not kinds & ((1 << KINDS) - 1)
            self.indirect[origin, subtype] = masked and self.indirect.get((origin, subtype), True)

    def problem(self, subject: Subject, message: str) -> None:
        """Note what is not known."""
        self.problems[Problem(subject, message)] = None

    def unknown_star(self, names: Iterable[str]) -> None:
        """Note tables all of whose columns are taken, while they are not known."""
        tables = ", ".join(dict.fromkeys(names))
        if tables:
            self.problem(
                Subject.STAR, f"* takes all columns of {tables}, which are not known: give its schema"
            )

    def ambiguous(self, key: str) -> None:
        """Note a name that more than one table has."""
        self.problem(Subject.COLUMN, f"column {key!r} is ambiguous: more than one table in FROM has it")

    def unknown(self, what: str, tables: Iterable[str], line: int | None) -> None:
        """Note a column that no table in reach has."""
        where = f"line {line}: " if line else ""
        among = ", ".join(dict.fromkeys(tables))
        reason = f"cannot be told from {among}" if among else "stands where there is no table"
        self.problem(Subject.COLUMN, f"{where}column {what!r} {reason}")

    def sources(self) -> tuple[Source, ...]:
        """Return the indirect columns of the whole statement, in the order in which they were met."""
        return tuple(Source(o.table, o.column, s, m) for (o, s), m in self.indirect.items())
