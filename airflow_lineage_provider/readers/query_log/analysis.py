"""The lineage of the shapes of a query log. Each is analysed once, whatever the number of its statements."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot.dialects.dialect import Dialect

from airflow_lineage_provider.events.masking import mask_text
from airflow_lineage_provider.readers.query_log.shapes import prepared, shape_of, shown
from airflow_lineage_provider.sql import Schema, Subject, Table, script_lineage
from airflow_lineage_provider.sql.changes import table_changes
from airflow_lineage_provider.sql.limits import SqlError
from airflow_lineage_provider.sql.parse import statement_tokens
from airflow_lineage_provider.sql.table_change import Action, TableChange

if TYPE_CHECKING:
    from airflow_lineage_provider.readers.query_log.statement import LoggedStatement, QueryLog
    from airflow_lineage_provider.sql import Lineage

MOST_SHAPES = 20_000
MOST_TEXT = 200_000_000
"""Characters of all shapes together."""
LONGEST_CHAIN = 50
"""Statements that a temporary table may be made by."""
_CHANGING = frozenset({"create", "drop", "alter", "rename", "exec", "execute", "truncate"})
_IDLE = frozenset(
    re.findall(
        r"\w+",
        "set show use grant revoke vacuum analyze explain describe desc comment pragma attach detach "
        "checkpoint install list ls put get remove rm fetch deallocate discard close declare move listen "
        "notify unlisten lock savepoint release reset prepare begin start commit end rollback abort",
    )
)
_CODE = frozenset({"call", "do", "exec", "execute"})

Chain = tuple[int, ...]
"""The numbers of shapes: those that made the temporary tables which the last one reads, and the last one."""


@dataclass(slots=True)
class AnalysedShape:
    """A shape, by its first statement. `writes`, and `names` with what it reads, are full names of tables."""

    sql: str
    node: str
    database: str
    schema: str
    text: str
    truncated: bool
    access: tuple[Lineage, ...] = ()
    changes: tuple[TableChange, ...] = ()
    writes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    transaction: str = ""
    """begin, commit or rollback, where it is one of these."""
    parts: tuple[str, ...] = ()
    """Its statements, where it is a script of several."""

    @property
    def redefined(self) -> frozenset[str]:
        """The full names of the tables that it drops, truncates or alters."""
        return frozenset(full_name(c.table) for c in self.changes if c.action is not Action.CREATE)

    @property
    def idle(self) -> bool:
        """Whether it changes nothing, so that its statements need no second look."""
        return not (self.writes or self.changes or self.transaction or self.parts)


@dataclass(slots=True)
class ShapeAnalysis:
    """Analyses shapes, and chains of them, and keeps the results."""

    log: QueryLog
    shapes: list[AnalysedShape] = field(default_factory=list)
    problems: dict[str, None] = field(default_factory=dict)
    """The statements whose tables are not known, and why."""
    gaps: dict[str, None] = field(default_factory=dict)
    """The statements whose columns are not known, and why."""
    statements_left_out: int = 0
    _known: dict[tuple[str, str, str, object], int] = field(default_factory=dict)
    _chains: dict[Chain, tuple[Lineage, ...]] = field(default_factory=dict)
    _columns: Schema | None = None
    _text: int = 0

    def number(self, statement: LoggedStatement) -> tuple[int, str]:
        """Return the number of a statement's shape, and dbt's node; -1 where there are too many shapes."""
        sql = prepared(statement.sql)
        shape = shape_of(sql, self.log.dialect)
        key = (shape.text, statement.database, statement.schema, statement.access)
        number = self._known.get(key)
        if number is None:
            if len(self.shapes) >= MOST_SHAPES or self._text > MOST_TEXT:
                self.statements_left_out += statement.calls
                return -1, shape.node
            number = self._known[key] = len(self.shapes)
            self._text += 2 * len(sql)
            self.shapes.append(self._analysed(statement, sql, shape.text, shape.node))
        return number, shape.node

    def lineage(self, chain: Chain) -> tuple[Lineage, ...]:
        """Return what the last shape of a chain writes, through the temporary tables that the others made."""
        found = self._chains.get(chain)
        if found is None:
            found = self._chains[chain] = self._lineage(chain)
        return found

    def _analysed(self, statement: LoggedStatement, sql: str, text: str, node: str) -> AnalysedShape:
        word = text[:12].split(" ", 1)[0].split("(", 1)[0].lower().rstrip(";")
        found = AnalysedShape(
            sql, node, statement.database, statement.schema, text, statement.truncated, statement.access
        )
        if statement.truncated and not statement.access:
            self._problem(found, "the log cut it off: what it does is not known")
            return found
        if ";" in text.rstrip("; ") and not statement.access:
            found.parts = self._parts(sql)
            if found.parts:
                return found
        found.transaction = _transaction(word, text)
        if word in _CHANGING:
            changes, problems = table_changes(sql, self.log.dialect)
            found.changes = tuple(self._completed(change, found) for change in changes)
            for problem in problems:
                self._problem(found, _reason(problem.subject, str(problem)))
        lineages: tuple[Lineage, ...] = ()
        if statement.access:
            lineages = statement.access
        elif word in _CODE:
            self._problem(found, "what the code that it runs does is not in the log")
        elif word not in _IDLE and not self._only_defines(word, found):
            lineages = self._script(found, [sql])
            self._report(found, lineages)
        written = [one for one in lineages if one.writes is not None]
        found.writes = frozenset(map(full_name, (one.writes for one in written if one.writes)))
        found.names = found.writes | {full_name(table) for one in written for table in one.reads}
        self._chains[(len(self.shapes),)] = tuple(written)
        return found

    def _only_defines(self, word: str, shape: AnalysedShape) -> bool:
        """Whether it is about tables, indexes, roles and the like themselves, so that no rows are written."""
        creates = any(change.action is Action.CREATE for change in shape.changes)
        return word in _CHANGING and not creates

    def _lineage(self, chain: Chain) -> tuple[Lineage, ...]:
        parts = [self.shapes[number] for number in chain]
        last = parts[-1]
        if last.access:
            return _through(self, chain)
        found = self._script(last, [part.sql for part in parts])
        return tuple(one for one in found if one.writes is not None)

    def _script(self, shape: AnalysedShape, statements: list[str]) -> tuple[Lineage, ...]:
        if self._columns is None:
            self._columns = Schema(self.log.columns)
        return script_lineage(
            ";\n".join(statement.rstrip().rstrip(";") for statement in statements),
            dialect=self.log.dialect,
            schema=self._columns,
            default_database=shape.database or self.log.database or None,
            default_schema=shape.schema or self.log.default_schema or None,
        )

    def _parts(self, sql: str) -> tuple[str, ...]:
        """Return the statements of a script; none where it cannot be split."""
        try:
            statements = statement_tokens(sql, Dialect.get_or_raise(self.log.dialect or None))
        except (SqlError, ValueError):
            return ()
        return tuple(sql[tokens[0].start : tokens[-1].end + 1] for tokens in statements)

    def _completed(self, change: TableChange, shape: AnalysedShape) -> TableChange:
        database = shape.database or self.log.database or None
        schema = shape.schema or self.log.default_schema or None

        def full(table: Table) -> Table:
            own = table.schema or schema
            return Table(table.name, own, table.database or (database if own else None))

        renamed = full(change.renamed) if change.renamed else None
        return replace(change, table=full(change.table), renamed=renamed)

    def _report(self, shape: AnalysedShape, lineages: tuple[Lineage, ...]) -> None:
        for lineage in lineages:
            for problem in lineage.problems:
                if problem.subject in {Subject.SYNTAX, Subject.STATEMENT}:
                    self._problem(shape, _reason(problem.subject, str(problem)))
                elif lineage.writes is not None:
                    text = f"{shown(shape.sql, self.log.dialect)}: {problem}"
                    self.gaps[mask_text(text)] = None

    def _problem(self, shape: AnalysedShape, reason: str) -> None:
        self.problems[f"{shown(shape.sql, self.log.dialect)}: {reason}"] = None


def _reason(subject: Subject, message: str) -> str:
    """Return the reason without the text of the statement, which may hold literals."""
    if subject is Subject.SYNTAX:
        return "it could not be parsed"
    return "it is not analysed" if subject is Subject.STATEMENT else message


def _transaction(word: str, text: str) -> str:
    if word in {"begin", "start"}:
        return "begin"
    if word in {"commit", "end"}:
        return "commit"
    return "rollback" if word in {"rollback", "abort"} and " to " not in text.lower() else ""


def full_name(table: Table) -> str:
    """Return a table's name as the key by which sessions know it."""
    return str(table).casefold()


def _through(analysis: ShapeAnalysis, chain: Chain) -> tuple[Lineage, ...]:
    """Return the recorded lineage of the last shape, through the temporary tables of the others."""
    from airflow_lineage_provider.readers.query_log.recorded import through

    made = [one for number in chain[:-1] for one in analysis.shapes[number].access]
    return through(analysis.shapes[chain[-1]].access, made)
