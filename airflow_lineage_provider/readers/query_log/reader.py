"""A query log as evidence: who wrote what from what, and the graph of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from airflow_lineage_provider.events.naming import file_name
from airflow_lineage_provider.events.sql_tables import as_relation
from airflow_lineage_provider.graph import (
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Provenance,
    Transformation,
)
from airflow_lineage_provider.readers.evidence import Evidence
from airflow_lineage_provider.readers.query_log.analysis import ShapeAnalysis
from airflow_lineage_provider.readers.query_log.sessions import MOST_USES, Sessions
from airflow_lineage_provider.readers.query_log.shapes import shown
from airflow_lineage_provider.sql.table_change import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_lineage_provider.lineage_map import Bindings
    from airflow_lineage_provider.readers.query_log.sessions import Actor, Times
    from airflow_lineage_provider.readers.query_log.statement import QueryLog
    from airflow_lineage_provider.sql import Lineage, Table

_SYSTEM = frozenset({"information_schema", "pg_catalog", "pg_temp", "account_usage"})
_NO_FILES = frozenset({"stdin", "stdout"})
_MOST_PROBLEMS = 100
_NO_DEFINITIONS = frozenset({Action.CREATE, Action.DROP_SCHEMA})


@dataclass(frozen=True, slots=True)
class LoggedWrite:
    """What one user, or one dbt node, wrote into one dataset by equal statements.

    `sources` and `column_edges` are by logical names. `first` and `last` are as the log gives them.
    `statement` is its start, without literals. `columns_known` is False where a part of its columns could not
    be resolved.
    """

    target: str
    sources: tuple[str, ...]
    column_edges: tuple[ColumnEdge, ...]
    user: str
    node: str
    calls: int
    first: str
    last: str
    statement: str
    columns_known: bool = True
    is_definition: bool = False
    """Whether the table is dropped, truncated or altered, and not written."""

    @property
    def provenance(self) -> Provenance:
        """Where the write is recorded: the node or the user that the log names."""
        return Provenance("query", job=self.node or self.user or "a statement", at=self.last)


@dataclass(frozen=True, slots=True)
class LoggedWrites:
    """All writes of a log; `definitions` are what statements did to tables themselves.

    `problems` are the reasons why writes may be missing; without one it is complete. `gaps` are those why
    columns are.
    """

    writes: tuple[LoggedWrite, ...]
    statements: int
    shapes: int
    dialect: str
    problems: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    definitions: tuple[LoggedWrite, ...] = ()

    def evidence(self, chosen: Callable[[LoggedWrite], bool] = lambda _: True) -> Evidence:
        """Return the graph of the writes that are chosen, by default all."""
        writes = [write for write in self.writes if chosen(write)]
        datasets = [Dataset(write.target, provenance=(write.provenance,)) for write in writes]
        edges = [
            Edge(source, write.target, job=write.provenance.job, provenance=(write.provenance,))
            for write in writes
            for source in write.sources
        ]
        column_edges = [
            replace(edge, job=write.provenance.job, provenance=(write.provenance,))
            for write in writes
            for edge in write.column_edges
        ]
        graph = Graph(datasets, edges, column_edges)
        return Evidence(graph, dialect=self.dialect, problems=self.gaps, incomplete=self.problems)


def read_query_log(log: QueryLog, bindings: Bindings) -> Evidence:
    """Return the lineage of the statements of a log, by logical names where the bindings have one."""
    return read_writes(log, bindings).evidence()


def read_writes(log: QueryLog, bindings: Bindings) -> LoggedWrites:
    """Return what the statements of a log wrote from what, and who ran them.

    Statements that differ in their literals only are analysed once. Temporary tables are replaced by what
    they were made from, over the statements of their session. What was rolled back, or dropped by the same
    session, is left out. Never raises for the text of a statement.
    """
    analysis = ShapeAnalysis(log)
    sessions = Sessions(analysis, ordered=log.ordered)
    for statement in log.statements:
        sessions.add(statement)
    names, uses = _Names(log, bindings), list(sessions.uses.items())
    writes, definitions = (
        [one for use, times in uses for one in read(analysis, use.chain, use.actor, times, names)]
        for read in (_writes, _definitions)
    )
    return LoggedWrites(
        tuple(_merged(writes)),
        sessions.statements,
        len(analysis.shapes),
        log.dialect,
        tuple(_problems(log, analysis, sessions)),
        (*log.notes, *list(analysis.gaps)[:_MOST_PROBLEMS]),
        tuple(_merged(definitions)),
    )


def _problems(log: QueryLog, analysis: ShapeAnalysis, sessions: Sessions) -> Iterator[str]:
    yield from dict.fromkeys(log.problems)
    if analysis.statements_left_out:
        yield (
            f"{analysis.statements_left_out:,} statements were not analysed: there are more than "
            f"{len(analysis.shapes):,} different ones"
        )
    if sessions.forgotten:
        yield f"{sessions.forgotten:,} sessions with temporary tables were forgotten: too many at once"
    if sessions.without_session:
        yield (
            f"{sessions.without_session:,} statements make temporary tables, and the log names no session: "
            "what was made from these tables is not known"
        )
    if sessions.not_counted:
        yield f"{sessions.not_counted:,} statements were not counted: more than {MOST_USES:,} users and nodes"
    found = list(analysis.problems)
    yield from found[:_MOST_PROBLEMS]
    if len(found) > _MOST_PROBLEMS:
        yield f"and {len(found) - _MOST_PROBLEMS:,} more statements that could not be read in full"


def _writes(
    analysis: ShapeAnalysis, chain: tuple[int, ...], actor: Actor, times: Times, names: _Names
) -> Iterator[LoggedWrite]:
    last = analysis.shapes[chain[-1]]
    for lineage in analysis.lineage(chain):
        if lineage.writes is None or (lineage.writes.schema or "").casefold() in _SYSTEM:
            continue
        target = names.logical(lineage.writes)
        sources = dict.fromkeys(names.logical(t) for t in lineage.reads if t.name.casefold() not in _NO_FILES)
        sources.pop(target, None)
        edges = tuple(names.column_edges(lineage, target, recorded=bool(last.access)))
        text = shown(last.sql, analysis.log.dialect)
        known = not lineage.problems
        yield LoggedWrite(
            target,
            tuple(sources),
            edges,
            *actor,
            calls=times.calls,
            first=times.first,
            last=times.last,
            statement=text,
            columns_known=known,
        )


def _definitions(
    analysis: ShapeAnalysis, chain: tuple[int, ...], actor: Actor, times: Times, names: _Names
) -> Iterator[LoggedWrite]:
    """Yield what a statement does to tables themselves; of a table that its session made it is no news."""
    last = analysis.shapes[chain[-1]]
    if len(chain) > 1 or last.writes:
        return
    tables = dict.fromkeys(c.table for c in last.changes if c.action not in _NO_DEFINITIONS)
    for table in tables:
        if (table.schema or "").casefold() not in _SYSTEM:
            text = shown(last.sql, analysis.log.dialect)
            yield LoggedWrite(
                names.logical(table),
                (),
                (),
                *actor,
                calls=times.calls,
                first=times.first,
                last=times.last,
                statement=text,
                is_definition=True,
            )


def _merged(writes: Iterable[LoggedWrite]) -> Iterator[LoggedWrite]:
    """Yield one write for equal ones, such as those of two shapes that differ in a constant column."""
    found: dict[tuple[object, ...], LoggedWrite] = {}
    for write in writes:
        key = (write.target, write.sources, write.column_edges, write.user, write.node, write.statement)
        before = found.get(key)
        found[key] = (
            write
            if before is None
            else replace(
                before,
                calls=before.calls + write.calls,
                first=min(before.first, write.first),
                last=max(before.last, write.last),
            )
        )
    yield from found.values()


class _Names:
    """Logical names of tables and columns."""

    def __init__(self, log: QueryLog, bindings: Bindings) -> None:
        self.log = log
        self.bindings = bindings
        self.known: dict[Table, tuple[str, bool]] = {}

    def logical(self, table: Table) -> str:
        return self._find(table)[0]

    def column_edges(self, lineage: Lineage, target: str, *, recorded: bool) -> Iterator[ColumnEdge]:
        """Yield the edges of a write's columns; a server's own record has no transformations."""
        if lineage.writes is None:
            return
        for column in lineage.columns:
            to = ColumnRef(target, self._column(lineage.writes, column.name))
            # An expression with a literal may hold personal data: it is not kept, and so not compared.
            text = column.expression or ""
            expression = text if text and not _has_literal(text, self.log.dialect) else ""
            for source in column.sources:
                start = ColumnRef(self.logical(source.table), self._column(source.table, source.column))
                if start.dataset != target:
                    how = Transformation(source.type, source.subtype, expression, source.masking)
                    yield ColumnEdge(start, to, () if recorded else (how,))

    def _column(self, table: Table, name: str) -> str:
        return name.lower() if self._find(table)[1] else name

    def _find(self, table: Table) -> tuple[str, bool]:
        found = self.known.get(table)
        if found is None:
            found = self.known[table] = self._named(table)
        return found

    def _named(self, table: Table) -> tuple[str, bool]:
        relation = as_relation(table)
        if relation.location:
            file = file_name(relation.location)
            physical = f"{file.namespace.rstrip('/')}/{file.name.lstrip('/')}"
            return self.bindings.logical(file.namespace, file.name) or physical, False
        name = str(table)
        if self.log.namespace:
            logical = self.bindings.logical(self.log.namespace, name)
            folds = self.bindings.folds(self.log.namespace, name)
        else:
            logical, folds = self.bindings.logical_of_name(name), self.bindings.folds_name(name)
        return logical or ".".join(filter(None, (table.schema, table.name))), folds


def _has_literal(expression: str, dialect: str) -> bool:
    from airflow_lineage_provider.events.masking import literals_of

    return bool(literals_of(expression, dialect))
