"""The result of the analysis as frozen dataclasses, without syntax trees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Type(StrEnum):
    """Whether a value flows into the output (DIRECT), or only influences it (INDIRECT)."""

    DIRECT = "DIRECT"
    INDIRECT = "INDIRECT"


class Subtype(StrEnum):
    """The transformation subtypes of OpenLineage's column lineage facet 1-2-0."""

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
    """A dataset that a statement reads or writes: a table, a view, a file (`s3://...`) or a stage."""

    name: str
    schema: str | None = None
    database: str | None = None

    def __str__(self) -> str:
        return ".".join(part for part in (self.database, self.schema, self.name) if part)


@dataclass(frozen=True, slots=True)
class Source:
    """A column that one output, or the whole statement, depends on, and how.

    `masking`: the output has only a digest or a count of the values (hash functions, COUNT).
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
    """A column that the statement returns or writes.

    `expression` is the SQL of its value, in terms of the tables that the statement reads; None where the
    branches of a UNION have different ones.
    """

    name: str
    sources: tuple[Source, ...] = ()
    expression: str | None = None


class Subject(StrEnum):
    """The part of a statement that could not be resolved."""

    SYNTAX = "syntax"
    STATEMENT = "statement"
    TABLE = "table"
    COLUMN = "column"
    STAR = "star"


@dataclass(frozen=True, slots=True)
class Problem:
    """A part of the lineage that is unknown: one line that says what and why."""

    subject: Subject
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lineage of one written table, or of returned rows (`writes` is None).

    `indirect` are the columns that influence the whole result: its rows, groups or order. `problems` lists
    what could not be resolved; the rest of the lineage is valid.
    """

    reads: tuple[Table, ...] = ()
    writes: Table | None = None
    columns: tuple[OutputColumn, ...] = ()
    indirect: tuple[Source, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def error(self) -> str | None:
        """The reason why there is no lineage at all; None where any column resolved."""
        fatal = [p for p in self.problems if p.subject in {Subject.SYNTAX, Subject.STATEMENT}]
        return str(fatal[0]) if fatal and not self.columns else None

    def with_problems(self, problems: tuple[Problem, ...]) -> Lineage:
        """Return the same lineage with these problems in front of its own."""
        return replace(self, problems=tuple(dict.fromkeys(problems + self.problems)))
