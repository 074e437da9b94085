"""Scopes, in which names are resolved, and the state of the analysis of one statement."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.edge_kinds import KINDS, TRANSFORMATION
from airflow_lineage_provider.sql.functions import is_value
from airflow_lineage_provider.sql.model import Problem, Subject, Subtype, Table
from airflow_lineage_provider.sql.rowsets import (
    BaseTable,
    Edges,
    Field,
    Function,
    Origin,
    Rowset,
    add,
    merged,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlglot import exp

    from airflow_lineage_provider.sql.catalog import TableCatalog, Write
    from airflow_lineage_provider.sql.names import Names

# Dialects where a select item may refer to an earlier one by its alias.
_LATERAL_ALIASES = frozenset(
    {"snowflake", "duckdb", "redshift", "databricks", "spark", "spark2", "clickhouse", "teradata", "exasol"}
)
# Dialects where `a.b` is never the field b of a column a.
_NO_STRUCT_PATHS = frozenset({"postgres", "mysql", "sqlite", "tsql", "fabric", "snowflake", "teradata"})


@dataclass(slots=True, eq=False)
class Analysis:
    """The state of the analysis of one statement: what it reads, indirect columns, problems.

    `read_query` returns the rowset of a query that stands in a scope. It is passed in because expressions,
    tables and queries contain each other, so that no module could import the next.
    """

    catalog: TableCatalog
    dialect: str
    read_query: Callable[[exp.Expr, Scope], Rowset]
    has_columns_calls: bool = False
    reads: dict[Table, None] = field(default_factory=dict)
    indirect: dict[tuple[Origin, Subtype], bool] = field(default_factory=dict)
    problems: dict[Problem, None] = field(default_factory=dict)
    resolved: dict[int, Field] = field(default_factory=dict)  # column node -> the field that it means
    ctes: list[Cte] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)  # of nested statements: WITH x AS (DELETE ...)
    has_nested_writes: bool = False

    @property
    def names(self) -> Names:
        """Return the folding of names in this dialect."""
        return self.catalog.names

    @property
    def lateral_aliases(self) -> bool:
        """Tell whether select items may refer to earlier ones by alias."""
        return self.dialect in _LATERAL_ALIASES

    def decides(self, edges: Edges, subtype: Subtype) -> None:
        """Note columns that influence the whole result: its rows, groups or order."""
        for origin, kinds in edges.items():
            masked = not kinds & ((1 << KINDS) - 1)
            self.indirect[origin, subtype] = masked and self.indirect.get((origin, subtype), True)

    def decides_rows(self, rowset: Rowset, subtype: Subtype) -> None:
        """Note all columns of a rowset: DISTINCT and set operations compare whole rows."""
        for one in rowset.fields:
            self.decides(one.edges, subtype)
        self.unknown_star(rowset.unknown())

    def problem(self, subject: Subject, message: str) -> None:
        """Note a part of the lineage that is not known."""
        self.problems[Problem(subject, message)] = None

    @contextmanager
    def apart(
        self, first_reads: dict[Table, None], first_indirect: dict[tuple[Origin, Subtype], bool]
    ) -> Iterator[None]:
        """Collect reads and indirect columns of a part of the statement, then add them to the rest.

        The arguments are those on which the part depends from the beginning.
        """
        reads, indirect = self.reads, self.indirect
        self.reads, self.indirect = dict(first_reads), dict(first_indirect)
        try:
            yield
        finally:
            self.reads, self.indirect = reads | self.reads, indirect | self.indirect

    def of_this_part(self, write: Write) -> Write:
        """Return the write with the reads and indirect columns of the part that is being read."""
        write.reads, write.indirect, write.apart = self.reads, self.indirect, True
        return write

    def read_table(self, node: exp.Table) -> Rowset:
        """Return the rowset of a table by name: what the script wrote to it, or the dataset itself."""
        key = self.catalog.key(node)
        created = self.catalog.created.get(key)
        if created is not None:
            self.reads |= created.reads
            self.indirect |= created.indirect
            return created.rowset
        base = self.catalog.read(key, self.names.spellings(node))
        self.reads[base.table] = None
        return base

    def unknown_star(self, names: Iterable[str]) -> None:
        """Note a star over tables whose columns are not known."""
        tables = ", ".join(dict.fromkeys(names))
        if tables:
            self.problem(
                Subject.STAR, f"* takes all columns of {tables}, which are not known: give its schema"
            )

    def ambiguous(self, key: str) -> None:
        """Note a column name that more than one table has."""
        self.problem(Subject.COLUMN, f"column {key!r} is ambiguous: more than one table in FROM has it")

    def unknown(self, what: str, tables: Iterable[str], line: int | None) -> None:
        """Note a column that no table in scope has."""
        where = f"line {line}: " if line else ""
        among = ", ".join(dict.fromkeys(tables))
        reason = f"is not a known column of {among}" if among else "is used where there is no table"
        self.problem(Subject.COLUMN, f"{where}column {what!r} {reason}")


class Aliases(IntEnum):
    """When a name in a clause refers to an output of the same SELECT."""

    FIRST = 0  # ORDER BY
    BEFORE_GUESSING = 1  # after known columns, before possible ones
    LAST = 2


@dataclass(slots=True, eq=False)
class Item:
    """A rowset in FROM under its alias. A semi-joined one is hidden from the select list."""

    rowset: Rowset
    name: tuple[str, ...]
    hidden: bool = False


@dataclass(slots=True, eq=False)
class Ctes:
    """The visible CTEs: those of a WITH clause before a position, and those of the scopes around it.

    The CTEs of a clause share one dict: a copy for each would take quadratic memory.
    """

    outer: Ctes | None = None
    own: dict[str, Cte] = field(default_factory=dict)
    before: int | None = None

    def get(self, name: str) -> Cte | None:
        """Return the CTE of that name, or None."""
        layer: Ctes | None = self
        while layer is not None:
            found = layer.own.get(name)
            if found is not None and (layer.before is None or found.position < layer.before):
                return found
            layer = layer.outer
        return None


@dataclass(slots=True, eq=False)
class Scope:
    """One SELECT: its FROM items, USING columns, aliases and named windows, and the scope around it."""

    analysis: Analysis
    outer: Scope | None = None
    ctes: Ctes = field(default_factory=Ctes)
    items: list[Item] = field(default_factory=list)
    using: dict[str, list[Field]] = field(default_factory=dict)
    outputs: dict[str, Field] = field(default_factory=dict)
    windows: dict[str, exp.Window] = field(default_factory=dict)
    aliases: Aliases = Aliases.LAST
    bound: frozenset[str] = frozenset()
    matched: Field | None = None  # the current column of COLUMNS(...)

    def child(self) -> Scope:
        """Return a scope inside this one: it sees the CTEs, and this scope's columns as outer ones."""
        return Scope(self.analysis, self, self.ctes)

    def detached(self) -> Scope:
        """Return the scope of a derived table: it sees the CTEs, but not its neighbours in FROM."""
        return Scope(self.analysis, self.outer, self.ctes)

    def read(self, query: exp.Expr) -> Rowset:
        """Return the rowset of a query that stands in this scope."""
        return self.analysis.read_query(query, self)

    def binding(self, names: frozenset[str]) -> Scope:
        """Return the scope with lambda variables added, which are not columns."""
        return replace(self, bound=self.bound | names)

    def add(self, rowset: Rowset, name: Sequence[str]) -> Item:
        """Put a rowset into FROM."""
        item = Item(rowset, tuple(name))
        self.items.append(item)
        return item

    def chain(self) -> Iterator[Scope]:
        """Return this scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def rowset(self, name: tuple[str, ...]) -> Rowset | None:
        """Return the rowset of that name: an alias, or a table's dotted name."""
        for scope in self.chain():
            for item in scope.items:
                if item.name[-len(name) :] == name:
                    return item.rowset
        return self._by_dataset(name) if len(name) > 1 else None

    def _by_dataset(self, name: tuple[str, ...]) -> Rowset | None:
        """Return the table of `db.t.x` although t has an alias, as some warehouses allow."""
        for item in self.items:
            if isinstance(item.rowset, BaseTable) and item.rowset.key[-len(name) :] == name:
                return item.rowset
        return None

    def resolve(self, parts: list[exp.Identifier]) -> tuple[Field | None, int]:
        """Return the field of a dotted name, and the number of leading parts that name it.

        The other parts are a path into its value. Returns (None, 0) where there is no such field.
        """
        keys = [self.analysis.names.column(part) for part in parts]
        if keys[0] in self.bound:
            return None, len(keys)
        struct = self.analysis.dialect not in _NO_STRUCT_PATHS
        for used in range(min(3, len(keys) - 1), 0, -1):
            rowset = self.rowset(tuple(keys[:used]))
            if rowset is not None:
                found = rowset.known(keys[used]) or rowset.possible(keys[used])
                if found is not None:
                    return found, used + 1
                struct = False
        single = self.unqualified(keys[0], guess=len(keys) == 1 or struct)
        return single, int(single is not None)

    def at_position(self, number: int) -> Field | None:
        """Return the column of DuckDB's `#1`, counted over all FROM items."""
        fields: list[Field] = []
        for item in self.items:
            fields += item.rowset.fields
            if number <= len(fields) or not item.rowset.complete:
                break
        if 0 < number <= len(fields):
            return fields[number - 1]
        self.analysis.unknown(f"#{number}", [".".join(item.name) for item in self.items if item.name], None)
        return None

    def unqualified(self, key: str, *, guess: bool = True) -> Field | None:
        """Return the field of that name in this scope or the nearest around it."""
        for scope in self.chain():
            found = scope.own(key, guess=guess)
            if found is not None:
                return found
        return None

    def own(self, key: str, *, guess: bool = True) -> Field | None:
        """Return the field of that name in this scope alone.

        Without `guess` only known columns count: not a whole row, nor a column of a table of unknown columns.
        """
        alias = self.outputs.get(key)
        if alias is not None and self.aliases is Aliases.FIRST:
            return alias
        shared = self.using.get(key)
        if shared is not None:
            return merged(shared)
        shown = [item.rowset for item in self.items if not item.hidden]
        known = [hit for one in shown if (hit := one.index.get(key))] or [
            hit for one in shown if (hit := one.known(key))
        ]
        if known:
            return known[0] if len(known) == 1 else self._ambiguous(key, known)
        if alias is not None and self.aliases is Aliases.BEFORE_GUESSING:
            return alias
        return ((self._row(key) or self._guess(key)) if guess else None) or alias

    def _row(self, key: str) -> Field | None:
        """Return a whole row: `to_json(o)`.

        For a table of unknown columns, its own name is taken as a column: `SELECT date FROM date`.
        """
        for item in self.items:
            rowset = item.rowset
            its_own_name = isinstance(rowset, BaseTable) and rowset.key[-1:] == (key,)
            if item.name == (key,) and (rowset.complete or not its_own_name):
                edges: Edges = {}
                for one in rowset.fields:
                    add(edges, one.edges, TRANSFORMATION)
                return Field(key, None, edges, row=rowset)
        return None

    def _guess(self, key: str) -> Field | None:
        """Return a column of the only rowset whose columns are not all known."""
        if key in self.analysis.catalog.variables or is_value(key, self.analysis.dialect):
            return None
        unsure = [i.rowset for i in self.items if not i.hidden and not i.rowset.complete]
        tables = [r for r in unsure if not isinstance(r, Function)]
        candidates = tables or unsure
        return candidates[0].possible(key) if len(candidates) == 1 else None

    def _ambiguous(self, key: str, known: list[Field]) -> Field | None:
        first = known[0]
        if all(one.edges == first.edges for one in known):
            return first
        self.analysis.ambiguous(key)
        return merged(known)


@dataclass(slots=True, eq=False)
class Cte:
    """A common table expression; `rowset` is set when it is first read.

    `reads` and `indirect` are set where the statement has several writes, which differ in them.
    """

    name: str
    node: exp.CTE
    scope: Scope
    recursive: bool
    position: int = 0  # in its WITH clause
    rowset: Rowset | None = None
    reads: dict[Table, None] = field(default_factory=dict)
    indirect: dict[tuple[Origin, Subtype], bool] = field(default_factory=dict)
