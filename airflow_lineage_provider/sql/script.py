"""Scripts: later statements read what earlier ones made, temporary tables included."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from airflow_lineage_provider.sql.analysis import Analysis, Catalog
from airflow_lineage_provider.sql.compat import drop_targets
from airflow_lineage_provider.sql.kinds import subtypes
from airflow_lineage_provider.sql.model import Lineage, OutputColumn, Problem, Source, Subject, Table
from airflow_lineage_provider.sql.names import Names
from airflow_lineage_provider.sql.outputs import expression, shown_name
from airflow_lineage_provider.sql.parse import SqlError, parse
from airflow_lineage_provider.sql.query import read_cte
from airflow_lineage_provider.sql.relations import Edges, Field, Relation, Rest, merged
from airflow_lineage_provider.sql.schema import Schema
from airflow_lineage_provider.sql.statements import Write, read_statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.sql.analysis import Key

Tables = "Mapping[str, Mapping[str, str] | Iterable[str]]"


@dataclass(slots=True)
class _Target:
    """What all the statements of a script do to one table."""

    table: Table | None
    temporary: bool = False
    reads: dict[Table, None] = field(default_factory=dict)
    fields: list[tuple[Relation, str]] = field(default_factory=list)
    indirect: dict[Source, None] = field(default_factory=dict)
    columns: dict[str, OutputColumn] = field(default_factory=dict)


def script_lineage(
    sql: str,
    *,
    dialect: str,
    schema: Tables,  # type: ignore[valid-type]
    default_database: str | None = None,
    default_schema: str | None = None,
) -> tuple[Lineage, ...]:
    """Return the lineage of each table that a script leaves behind, then of the rows that it returns, if any.

    Never raises for bad SQL: what is not known stands in `problems`.
    """
    try:
        parser = Dialect.get_or_raise(dialect or None)
        statements = parse(sql, parser)
    except (SqlError, ValueError) as error:
        return (Lineage(problems=(Problem(Subject.SYNTAX, str(error)),)),)
    catalog = Catalog(Schema(schema), Names(parser, dialect), default_database, default_schema)
    script = _Script(catalog, dialect)
    for statement in statements:
        script.run(statement)
    return script.result()


def column_lineage(
    sql: str,
    *,
    dialect: str,
    schema: Tables,  # type: ignore[valid-type]
    default_database: str | None = None,
    default_schema: str | None = None,
) -> Lineage:
    """Return the column lineage of one statement, or of the last table that a script writes.

    `dialect` as sqlglot names it ("" for none), `schema` {table: {column: type}} as far as it is known;
    the defaults complete names that are not fully qualified. Never raises for bad SQL: `problems` says
    what could not be resolved and why, beside what could.
    """
    found = script_lineage(
        sql,
        dialect=dialect,
        schema=schema,
        default_database=default_database,
        default_schema=default_schema,
    )
    return found[-1].with_problems(tuple(p for one in found for p in one.problems))


class _Script:
    """Runs statements against a catalog that remembers what they made."""

    def __init__(self, catalog: Catalog, dialect: str) -> None:
        self.catalog = catalog
        self.dialect = dialect
        self.targets: dict[Key, _Target] = {}
        self.problems: dict[Problem, None] = {}

    def run(self, statement: exp.Expr) -> None:
        """Take in one statement."""
        analysis = Analysis(self.catalog, self.dialect)
        try:
            for write in read_statement(statement, analysis):
                self._write(write, analysis)
            self._unused_ctes(analysis)
        except RecursionError:
            analysis.problem(Subject.STATEMENT, "the statement is nested too deeply to be analysed")
        self._definitions(statement)
        self.problems |= analysis.problems

    def result(self) -> tuple[Lineage, ...]:
        """Return what the script leaves behind. What it dropped or made only for itself is left out."""
        kept = [t for t in self.targets.values() if not t.temporary] or list(self.targets.values())
        lineages = [
            Lineage(tuple(t.reads), t.table, tuple(t.columns.values()), tuple(t.indirect)) for t in kept
        ] or [Lineage()]
        return (*lineages[:-1], lineages[-1].with_problems(tuple(self.problems)))

    def _unused_ctes(self, analysis: Analysis) -> None:
        """Return a CTE that nothing refers to is read for its tables; it decides about nothing."""
        before = dict(analysis.indirect)
        for cte in analysis.ctes:
            read_cte(cte)
        analysis.indirect = before

    def _write(self, write: Write, analysis: Analysis) -> None:
        if write.table is not None:
            self._remember(write)
        self._unused_ctes(analysis)
        self._unknown_columns(write, analysis)
        target = self.targets.pop(write.key, None)
        if target is None or write.replaces or write.table is None:
            target = _Target(write.table, write.temporary)
        self.targets[write.key] = target
        target.reads |= analysis.reads
        target.indirect |= dict.fromkeys(analysis.sources())
        for column in self._columns(write.relation.fields):
            known = target.columns.get(column.name)
            target.columns[column.name] = _both(known, column) if known else column

    def _columns(self, fields: list[Field]) -> Iterable[OutputColumn]:
        for position, one in enumerate(fields, start=1):
            name = shown_name(one, position, self.dialect)
            yield OutputColumn(name, _sources(one.edges), expression(one, self.dialect))

    def _unknown_columns(self, write: Write, analysis: Analysis) -> None:
        tables = dict.fromkeys(
            str(t) for branch in write.relation.rest for r in branch for t in r.relation.unknown_tables()
        )
        if tables:
            analysis.problem(
                Subject.STAR,
                f"* takes all columns of {', '.join(tables)}, which are not known: give its schema",
            )

    def _remember(self, write: Write) -> None:
        """Keep where this table's columns come from, for the statements that read it."""
        made = self.catalog.made
        before = made.get(write.key)
        if write.replaces or (write.temporary and before is None):
            made[write.key] = write.relation
            return
        if before is None:
            base = self.catalog.base.get(write.key)
            if base is None or not write.relation.fields:
                return
            kept = [f for f in base.fields if f.key not in write.relation.index]
            made[write.key] = Relation([*write.relation.fields, *kept], ((Rest(base),),) if base.open else ())
            return
        fields = [
            merged([f, *([new] if (new := write.relation.index.get(f.key or "")) else [])])
            for f in before.fields
        ]
        fields += [f for f in write.relation.fields if f.key not in before.index]
        made[write.key] = Relation(fields, before.rest)

    def _definitions(self, statement: exp.Expr) -> None:
        """DROP, TRUNCATE, RENAME, SWAP and USE change what names mean further on."""
        if isinstance(statement, exp.Drop):
            for table in drop_targets(statement):
                self.catalog.made.pop(self.catalog.key(table), None)
                self._forget(self.catalog.key(table))
        elif isinstance(statement, exp.TruncateTable):
            for table in statement.expressions:
                if isinstance(table, exp.Table):
                    self.catalog.made.pop(self.catalog.key(table), None)
        elif isinstance(statement, exp.Alter) and isinstance(statement.this, exp.Table):
            for action in statement.args.get("actions") or ():
                if isinstance(action, (exp.AlterRename, exp.SwapTable)) and isinstance(
                    action.this, exp.Table
                ):
                    self._rename(statement.this, action.this, swap=isinstance(action, exp.SwapTable))
        elif isinstance(statement, exp.Use) and isinstance(statement.this, exp.Table):
            self._use(statement)

    def _forget(self, key: Key) -> None:
        """Return a dropped table is not left behind, unless nothing else is."""
        if len(self.targets) > 1:
            self.targets.pop(key, None)

    def _use(self, statement: exp.Use) -> None:
        parts = [p.name for p in statement.this.parts if p.name]
        kind = (statement.text("kind") or "").upper()
        if kind in {"DATABASE", "CATALOG"}:
            self.catalog.database = parts[-1]
        elif kind in {"", "SCHEMA"}:
            self.catalog.default_schema = parts[-1]
            if len(parts) > 1:
                self.catalog.database = parts[-2]

    def _rename(self, old: exp.Table, new: exp.Table, *, swap: bool) -> None:
        made, source = self.catalog.made, self.catalog.key(old)
        if not new.args.get("db") and old.args.get("db"):
            new = new.copy()
            new.set("db", old.args["db"].copy())
            if old.args.get("catalog"):
                new.set("catalog", old.args["catalog"].copy())
        target = self.catalog.key(new)
        moved, other = made.pop(source, None), made.pop(target, None)
        done, undone = self.targets.pop(source, None), self.targets.pop(target, None)
        if moved is not None:
            made[target] = moved
        if swap and other is not None:
            made[source] = other
        if swap and undone is not None:
            undone.table = self.catalog.dataset(old)
            self.targets[source] = undone
        if done is not None:
            done.table = self.catalog.dataset(new)
            self.targets[target] = done


def _sources(edges: Edges) -> tuple[Source, ...]:
    return tuple(
        Source(origin.table, origin.column, subtype, masking)
        for origin, kinds in edges.items()
        for subtype, masking in subtypes(kinds)
    )


def _both(one: OutputColumn, other: OutputColumn) -> OutputColumn:
    """Return what two statements write to the same column."""
    expressions = {one.expression, other.expression}
    return OutputColumn(
        one.name,
        tuple(dict.fromkeys(one.sources + other.sources)),
        one.expression if len(expressions) == 1 else None,
    )
