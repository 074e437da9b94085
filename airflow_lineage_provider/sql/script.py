"""Scripts: later statements read the tables that earlier ones wrote, including temporary tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot.dialects.dialect import Dialect

from airflow_lineage_provider.sql.catalog import CreatedTable, TableCatalog, Write
from airflow_lineage_provider.sql.compat import block_statements
from airflow_lineage_provider.sql.ctes import read_cte
from airflow_lineage_provider.sql.definitions import redefine
from airflow_lineage_provider.sql.limits import SqlError
from airflow_lineage_provider.sql.model import Lineage, Problem, Subject
from airflow_lineage_provider.sql.names import Names
from airflow_lineage_provider.sql.parse import parse
from airflow_lineage_provider.sql.results import WriteTarget
from airflow_lineage_provider.sql.rowsets import Rest, Rowset
from airflow_lineage_provider.sql.schema import Schema
from airflow_lineage_provider.sql.scope import Analysis
from airflow_lineage_provider.sql.statements import read_rows, read_statement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlglot import exp

    from airflow_lineage_provider.sql.catalog import Key, Write


def column_lineage(
    sql: str,
    *,
    dialect: str,
    schema: Schema | Mapping[str, Collection[str]],
    default_database: str | None = None,
    default_schema: str | None = None,
) -> Lineage:
    """Return the column lineage of one statement, or of the last table that a script writes.

    `dialect` is sqlglot's name of the dialect ("" for plain SQL). `schema` is {table: {column: type}} or
    {table: [column]}, as far as it is known; for many statements over one schema create a `Schema` once. The
    defaults complete table names that are not fully qualified.

    Does not raise for invalid SQL: `problems` lists what could not be resolved, and `error` is set where
    nothing could.
    """
    found = script_lineage(
        sql,
        dialect=dialect,
        schema=schema,
        default_database=default_database,
        default_schema=default_schema,
    )
    return last_written(found)


def last_written(lineages: Sequence[Lineage]) -> Lineage:
    """Return the last lineage that writes a table, or else the last one, with the problems of all."""
    written = [one for one in lineages if one.writes is not None]
    return written[-1].with_problems(lineages[-1].problems) if written else lineages[-1]


def script_lineage(
    sql: str,
    *,
    dialect: str,
    schema: Schema | Mapping[str, Collection[str]],
    default_database: str | None = None,
    default_schema: str | None = None,
) -> tuple[Lineage, ...]:
    """Return the lineage of each table that a script writes, in the order of the last writes.

    Returned rows are a lineage whose `writes` is None. There is always at least one lineage; the last one has
    the problems of all. Temporary tables are left out. Arguments as for `column_lineage`.
    """
    tables = schema if isinstance(schema, Schema) else Schema(schema)
    return analyse(sql, dialect, tables, default_database, default_schema)[0]


def analyse(
    sql: str, dialect: str, schema: Schema, default_database: str | None, default_schema: str | None
) -> tuple[tuple[Lineage, ...], tuple[Key, ...]]:
    """Return the lineage of a script, and the keys that it looked up in the schema."""
    try:
        known = Dialect.get_or_raise(dialect or None)
        statements, problems = parse(sql, known)
    except (SqlError, ValueError) as error:
        return (Lineage(problems=(Problem(Subject.SYNTAX, str(error)),)),), ()
    catalog = TableCatalog(schema, Names(known, dialect), default_database, default_schema)
    script = _Script(catalog, dialect, has_columns_calls=dialect == "duckdb" and "columns" in sql.lower())
    script.problems |= dict.fromkeys(problems)
    for statement in statements:
        script.run(statement)
    return script.result(), tuple(catalog.base)


class _Script:
    """Analyses statements in order, against a catalog of the tables that they write."""

    def __init__(self, catalog: TableCatalog, dialect: str, *, has_columns_calls: bool) -> None:
        self.catalog = catalog
        self.dialect = dialect
        self.has_columns_calls = has_columns_calls
        self.targets: dict[Key, WriteTarget] = {}
        self.problems: dict[Problem, None] = {}

    def run(self, statement: exp.Expr) -> None:
        """Analyse one statement, or each statement of a block."""
        inside = list(block_statements(statement))
        if inside:
            for one in inside:
                self.run(one)
            return
        analysis = Analysis(self.catalog, self.dialect, read_rows, self.has_columns_calls)
        try:
            writes = list(read_statement(statement, analysis))
            self._unused_ctes(analysis)
            for write in (*analysis.writes, *writes):
                self._write(write if write.apart else analysis.of_this_part(write), analysis)
        except SqlError as error:
            analysis.problem(Subject.STATEMENT, str(error))
        except RecursionError:
            analysis.problem(Subject.STATEMENT, "the statement is nested too deeply to be analysed")
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            # An unexpected syntax tree: this statement has no lineage, and the caller does not fail.
            message = f"the analysis of this {statement.key.upper()} failed, please report it: {error!r}"
            analysis.problem(Subject.STATEMENT, message)
        redefine(statement, self.catalog, self.targets)
        self.problems |= analysis.problems

    def result(self) -> tuple[Lineage, ...]:
        """Return the lineage of the written tables; of temporary ones only where there are no others."""
        kept = [t for t in self.targets.values() if not t.temporary] or list(self.targets.values())
        lineages = [target.lineage() for target in kept] or [Lineage()]
        return (*lineages[:-1], lineages[-1].with_problems(tuple(self.problems)))

    def _unused_ctes(self, analysis: Analysis) -> None:
        """Read the CTEs without references, for the tables that they read; they have no influence."""
        reads, indirect = dict(analysis.reads), dict(analysis.indirect)
        for cte in analysis.ctes:
            read_cte(cte)
        analysis.reads = reads if analysis.has_nested_writes else analysis.reads
        analysis.indirect = indirect

    def _write(self, write: Write, analysis: Analysis) -> None:
        if write.table is not None:
            self._remember(write)
        target = self.targets.pop(write.key, None)
        if target is None or write.replaces or write.table is None:
            target = WriteTarget(write.table, temporary=write.temporary)
        target.add(write, analysis)
        self.targets[write.key] = target

    def _remember(self, write: Write) -> None:
        """Record the columns of a written table, for the statements that read it."""
        before = self.catalog.created.get(write.key)
        if before is None or write.replaces:
            rowset = write.rowset if write.replaces else self._over_base(write)
            if rowset is not None:
                made = CreatedTable(rowset, dict(write.reads), dict(write.indirect))
                self.catalog.created[write.key] = made
            return
        before.reads |= write.reads
        before.indirect |= write.indirect
        before.later.append(write.rowset)

    def _over_base(self, write: Write) -> Rowset | None:
        """Return the columns of an existing table after a statement wrote some of them."""
        base = self.catalog.base.get(write.key)
        if base is None or not write.rowset.fields:
            return None
        kept = [f for f in base.fields if f.key not in write.rowset.index]
        return Rowset([*write.rowset.fields, *kept], ((Rest(base),),) if base.open else ())
