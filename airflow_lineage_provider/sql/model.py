"""What column lineage is made of. Plain frozen data: no syntax tree ever leaves this package."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Type(StrEnum):
    """Whether a value flows (DIRECT) or only decides about one (INDIRECT)."""

    DIRECT = "DIRECT"
    INDIRECT = "INDIRECT"


class Subtype(StrEnum):
    """How, in the words of OpenLineage's column lineage facet 1-2-0."""

    IDENTITY = "IDENTITY"
    TRANSFORMATION = "TRANSFORMATION"
    AGGREGATION = "AGGREGATION"
    CONDITIONAL = "CONDITIONAL"
    WINDOW = "WINDOW"
    JOIN = "JOIN"
    FILTER = "FILTER"
    GROUP_BY = "GROUP_BY"
    SORT = "SORT"

    @property
    def type(self) -> Type:
        """DIRECT for the first three, INDIRECT for the rest."""
        return Type.DIRECT if self in _DIRECT else Type.INDIRECT


_DIRECT = frozenset({Subtype.IDENTITY, Subtype.TRANSFORMATION, Subtype.AGGREGATION})


@dataclass(frozen=True, slots=True, order=True)
class Table:
    """Return a dataset that a statement reads or writes: a table, a view, a file (`s3://...`), a stage."""

    name: str
    schema: str | None = None
    database: str | None = None

    def __str__(self) -> str:
        return ".".join(part for part in (self.database, self.schema, self.name) if part)


@dataclass(frozen=True, slots=True)
class Source:
    """Return one column that an output, or the whole statement, depends on, and how.

    `masking`: only a digest or a count of the value gets through (hash functions, COUNT).
    """

    table: Table
    column: str
    subtype: Subtype
    masking: bool = False

    @property
    def type(self) -> Type:
        """DIRECT or INDIRECT, which follows from the subtype."""
        return self.subtype.type


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """Return a column that the statement makes.

    `expression` is the SQL that makes it, in terms of the tables that the statement reads; None where
    there is no single one (the branches of a UNION differ).
    """

    name: str
    sources: tuple[Source, ...] = ()
    expression: str | None = None


class Subject(StrEnum):
    """What could not be resolved."""

    SYNTAX = "syntax"
    STATEMENT = "statement"
    TABLE = "table"
    COLUMN = "column"
    STAR = "star"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not known about the lineage, in one line that says why."""

    subject: Subject
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Lineage:
    """Return what one target gets: the answer of `column_lineage`.

    `writes` is None for a query that only returns rows. `indirect` are the columns that decide which rows,
    groups or order the whole result has. `problems` says what is missing beside what did resolve.
    """

    reads: tuple[Table, ...] = ()
    writes: Table | None = None
    columns: tuple[OutputColumn, ...] = ()
    indirect: tuple[Source, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def error(self) -> str | None:
        """Why there is no lineage at all, if there is none; None where something did resolve."""
        fatal = [p for p in self.problems if p.subject in {Subject.SYNTAX, Subject.STATEMENT}]
        return str(fatal[0]) if fatal and not self.columns else None

    def column(self, name: str) -> OutputColumn:
        """Return the output column of that name, as spelled; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def with_problems(self, problems: tuple[Problem, ...]) -> Lineage:
        """Return the same lineage with these problems in front of its own."""
        return replace(self, problems=tuple(dict.fromkeys(problems + self.problems)))
