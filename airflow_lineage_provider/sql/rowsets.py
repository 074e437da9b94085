"""Rowsets: the columns of tables and queries, each with its edges down to base tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from airflow_lineage_provider.sql.edge_kinds import COPY, through

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlglot import exp

    from airflow_lineage_provider.sql.model import Table


@dataclass(slots=True, eq=False)
class Origin:
    """A column of a base table. There is one object per column, so that it hashes by identity."""

    table: Table
    column: str


Edges = dict[Origin, int]
_MOST_DEFINITIONS = 50  # limit for UNION branches whose expressions are compared


class Definition(NamedTuple):
    """The expression that defines a field, and what the columns in it mean: {id(column node): field}."""

    node: exp.Expr
    resolved: Mapping[int, Field]


@dataclass(slots=True, eq=False)
class Field:
    """A column of a rowset. `row` holds the fields of a struct, or of a whole row, where they are known."""

    name: str | None
    key: str | None
    edges: Edges
    definitions: tuple[Definition, ...] = ()
    row: Rowset | None = None
    windowed: bool = False

    def renamed(self, name: str, key: str) -> Field:
        """Return the field under another name."""
        return Field(name, key, self.edges, self.definitions, self.row, self.windowed)


def add(edges: Edges, more: Edges, context: int = 0) -> None:
    """Add `more`, as used in `context`, to `edges`."""
    for origin, kinds in more.items():
        edges[origin] = edges.get(origin, 0) | through(context, kinds)


def merged(fields: Sequence[Field]) -> Field:
    """Return one field with the sources of all: branches of a UNION, both sides of USING."""
    if len(fields) == 1:
        return fields[0]
    edges: Edges = {}
    for one in fields:
        add(edges, one.edges)
    definitions = tuple({id(d.node): d for one in fields for d in one.definitions}.values())
    definitions = definitions if len(definitions) <= _MOST_DEFINITIONS else ()
    windowed = any(one.windowed for one in fields)
    return Field(fields[0].name, fields[0].key, edges, definitions, _same_row(fields), windowed)


def _same_row(fields: Sequence[Field]) -> Rowset | None:
    """Return the struct fields of merged fields by position, where all have the same number."""
    rows = [one.row for one in fields if one.row is not None]
    if len(rows) < len(fields) or any(row.rest or len(row.fields) != len(rows[0].fields) for row in rows):
        return None
    parts = [merged(same) for same in zip(*(row.fields for row in rows), strict=True)]
    return Rowset(parts, repeated=rows[0].repeated)


def field_in(rowset: Rowset | None, key: str) -> Field | None:
    """Return the field that a rowset has or may have."""
    return None if rowset is None else rowset.known(key) or rowset.possible(key)


class Rest(NamedTuple):
    """Unknown further columns: a star over a rowset whose columns are not all known."""

    rowset: Rowset
    hidden: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Rowset:
    """Fields in order. `rest` holds unknown further columns: one tuple of candidates per UNION branch.

    `repeated`: the fields are those of an array's elements.
    """

    fields: list[Field]
    rest: tuple[tuple[Rest, ...], ...] = ()
    index: dict[str, Field] = field(default_factory=dict)
    repeated: bool = False

    def __post_init__(self) -> None:
        for one in self.fields:
            if one.key is not None:
                self.index.setdefault(one.key, one)

    @property
    def complete(self) -> bool:
        """Tell whether `fields` are all columns."""
        return not self.rest

    def known(self, key: str) -> Field | None:
        """Return the field of that name, where the rowset is known to have it."""
        return self.index.get(key)

    def possible(self, key: str) -> Field | None:
        """Return the field of that name, where the rowset may have it, and add it to the known ones."""
        found = [hit for branch in self.rest if (hit := _only(branch, key))]
        if not found:
            return None
        self.index[key] = result = merged(found)
        return result

    def unknown(self) -> Iterable[str]:
        """Return the names of the base tables whose columns are not known."""
        for branch in self.rest:
            for candidate in branch:
                yield from candidate.rowset.unknown()

    def with_names(self, names: Sequence[tuple[str, str]]) -> Rowset:
        """Return the rowset with its first fields renamed to these (name, key) pairs."""
        fresh = [one.renamed(*pair) for one, pair in zip(self.fields, names, strict=False)]
        return Rowset(fresh + self.fields[len(fresh) :], self.rest)


def _only(candidates: tuple[Rest, ...], key: str) -> Field | None:
    """Return the field, if exactly one candidate has it or may have it."""
    open_to = [c.rowset for c in candidates if key not in c.hidden]
    hits = [hit for r in open_to if (hit := r.known(key))]
    if not hits and sum(not r.complete for r in open_to) == 1:
        hits = [hit for r in open_to if (hit := r.possible(key))]
    return hits[0] if len(hits) == 1 else None


def combined(left: Rowset, right: Rowset) -> Rowset:
    """Return what a UNION of two rowsets gives."""
    if not right.complete and len(right.fields) < len(left.fields):
        fields = [merged([one, *_guessed(one, right)]) for one in left.fields]
    else:
        fields = [merged(pair) for pair in zip(left.fields, right.fields, strict=False)]
        if not left.complete:
            fields += right.fields[len(fields) :]
    return Rowset(fields, left.rest + right.rest)


def _guessed(one: Field, rowset: Rowset) -> list[Field]:
    """Return the branch's field of that name; an unknown table under a star is taken to have it."""
    found = (rowset.known(one.key) or rowset.possible(one.key)) if one.key else None
    return [found] if found is not None else []


@dataclass(slots=True, eq=False)
class BaseTable(Rowset):
    """A dataset outside of the statement. `open`: its columns are not known, and any name is accepted."""

    table: Table = None  # type: ignore[assignment]  # always given
    key: tuple[str, ...] = ()
    open: bool = False
    spell: Callable[[str], str] = str

    @property
    def complete(self) -> bool:
        """Tell whether its columns are known."""
        return not self.open

    def known(self, key: str) -> Field | None:
        """Return the column of that key, regardless of case where that is unambiguous."""
        found = self.index.get(key)
        if found is None and not self.open:
            same = [one for one in self.fields if one.key and one.key.casefold() == key.casefold()]
            found = same[0] if len(same) == 1 else None
        return found

    def possible(self, key: str) -> Field | None:
        """Return a new column of a table whose columns are not known."""
        if not self.open:
            return None
        name = self.spell(key)
        self.index[key] = result = Field(name, key, {Origin(self.table, name): COPY})
        return result

    def unknown(self) -> Iterable[str]:
        """Return this table, where its columns are not known."""
        if self.open:
            yield str(self.table)


@dataclass(slots=True, eq=False)
class Function(Rowset):
    """A table function, UNNEST, FLATTEN: all of its columns come from its arguments."""

    edges: Edges = field(default_factory=dict)
    closed: bool = False

    @property
    def complete(self) -> bool:
        """Tell whether the names of its columns are known."""
        return self.closed

    def possible(self, key: str) -> Field | None:
        """Return a new column that comes from the arguments."""
        if self.closed:
            return None
        self.index[key] = result = Field(key, key, self.edges)
        return result

    def unknown(self) -> Iterable[str]:
        """Return a description of the function, where its columns are not known."""
        if not self.closed:
            yield "a function or a record"
