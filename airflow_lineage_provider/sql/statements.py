"""Statements: one extractor for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.catalog import CreatedTable, Write
from airflow_lineage_provider.sql.compat import classes
from airflow_lineage_provider.sql.ctes import with_ctes
from airflow_lineage_provider.sql.inserts import insert, insert_many
from airflow_lineage_provider.sql.model import Subject, Table
from airflow_lineage_provider.sql.query import read_outputs, read_query
from airflow_lineage_provider.sql.rowsets import Field, Function, Rest, Rowset
from airflow_lineage_provider.sql.scope import Scope
from airflow_lineage_provider.sql.sources import field_of
from airflow_lineage_provider.sql.tables import add_source
from airflow_lineage_provider.sql.updates import delete, merge, update
from airflow_lineage_provider.sql.writes import (
    by_position,
    held,
    item_name,
    target_of,
    with_columns,
    write_to,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_lineage_provider.sql.scope import Analysis


def read_statement(node: exp.Expr, analysis: Analysis) -> Iterator[Write]:
    """Yield the writes of a statement. The write of a query has no table."""
    scope = Scope(analysis)
    if isinstance(node, exp.Query | exp.Pivot | exp.Table | exp.Values):
        yield from _query(node, scope)
        return
    for kind, extract in _EXTRACTORS:
        if isinstance(node, kind):
            writes = list(extract(node, with_ctes(node, scope)))
            yield from _output_into(node, writes, scope)
            yield from writes
            return
    if isinstance(node, exp.Command):
        if node.name.upper() not in _NO_DATA_COMMANDS:
            analysis.problem(Subject.STATEMENT, f"{_words(node)!r} is a statement that is not analysed")
    elif not isinstance(node, _NO_DATA):
        analysis.problem(Subject.STATEMENT, _not_a_statement(node))


def _not_a_statement(node: exp.Expr) -> str:
    if isinstance(node, (exp.Condition, exp.Alias)):
        return f"{node.sql()[:40]!r} is not a SQL statement"
    return f"{node.key.upper()} is a statement that is not analysed"


def _words(node: exp.Command) -> str:
    return " ".join(f"{node.this} {node.args.get('expression') or ''}".split())[:40]


def _query(node: exp.Expr, scope: Scope) -> Iterator[Write]:
    rowset = scope.read(node)
    into = node.args.get("into")
    if into is not None and isinstance(into.this, exp.Table):
        temporary = bool(into.args.get("temporary"))
        yield write_to(into.this, rowset, scope, temporary=temporary, replaces=True)
    else:
        yield Write(None, (), rowset)


def read_rows(node: exp.Expr, around: Scope) -> Rowset:
    """Return the rows of a query, or those that a statement within one returns.

    This is the `read_query` of an `Analysis`.
    """
    if isinstance(node, (exp.Insert, exp.Update, exp.Delete, exp.Merge)):
        return _returning(node, with_ctes(node, around))
    return read_query(node, around)


def _returning(node: exp.Expr, around: Scope) -> Rowset:
    """Read `WITH gone AS (DELETE ... RETURNING *)`."""
    analysis = around.analysis
    extract = next(extract for kind, extract in _EXTRACTORS if isinstance(node, kind))
    with analysis.apart(analysis.reads, analysis.indirect):
        writes = [analysis.of_this_part(write) for write in extract(node, around)]
    analysis.writes += writes
    returning = node.args.get("returning")
    if returning is None or not writes or writes[0].table is None:
        return Rowset([])
    within = _rows_of(node, writes[0], around)
    for key in ("from_", "from", "using"):
        others = node.args.get(key)
        for other in others if isinstance(others, list) else [others]:
            if isinstance(other, exp.Expr):
                add_source(other.this if isinstance(other, exp.From) else other, within)
    return read_outputs(returning.expressions, within)


def _rows_of(node: exp.Expr, write: Write, around: Scope) -> Scope:
    """Return a scope with the rows of a written table, also as T-SQL's `inserted` and `deleted`."""
    catalog, names = around.analysis.catalog, around.analysis.names
    created = catalog.created.get(write.key)
    before = created.rowset if created else catalog.base.get(write.key, Rowset([]))
    after = _after(write.rowset, before)
    target, _ = target_of(node.this)
    within = around.child()
    within.add(after, item_name(target, around) if target is not None else write.key)
    within.add(after, (names.fold("inserted"),)).hidden = True
    within.add(before, (names.fold("deleted"),)).hidden = True
    return within


def _output_into(node: exp.Expr, writes: list[Write], scope: Scope) -> Iterator[Write]:
    """Read T-SQL's OUTPUT inserted.a, deleted.b INTO t, which writes the rows to a second table."""
    returning = node.args.get("returning")
    if returning is None or not returning.args.get("into") or not writes:
        return
    rows = read_outputs(returning.expressions, _rows_of(node, writes[0], scope))
    table, columns = target_of(returning.args["into"])
    if table is not None:
        named = with_columns(rows, columns, scope) if columns else by_position(table, rows, scope)
        yield write_to(table, named, scope)


def _after(written: Rowset, before: Rowset) -> Rowset:
    """Return a table's columns after a statement wrote some of them."""
    kept = [one for one in before.fields if one.key not in written.index]
    return Rowset([*written.fields, *kept], () if before.complete else ((Rest(before),),))


def _create(node: exp.Create, scope: Scope) -> Iterator[Write]:
    if (node.kind or "").upper() not in {"TABLE", "VIEW", "MATERIALIZED VIEW", "DYNAMIC TABLE"}:
        if (node.kind or "").upper() in {"FUNCTION", "PROCEDURE", "TRIGGER"}:
            scope.analysis.problem(Subject.STATEMENT, f"the body of a {node.kind} is not analysed")
        return
    table, columns = target_of(node.this)
    if table is None:
        return
    properties = node.args.get("properties")
    temporary = properties is not None and properties.find(exp.TemporaryProperty) is not None
    rowset = _created(node, columns, scope)
    if rowset is None:
        _declare(node, table, columns, scope, temporary=temporary)
    else:
        yield write_to(table, rowset, scope, temporary=temporary, replaces=True)


def _declare(
    node: exp.Create, table: exp.Table, columns: list[exp.Identifier], scope: Scope, *, temporary: bool
) -> None:
    """Register an empty table with its declared columns and those of LIKE."""
    catalog, names = scope.analysis.catalog, scope.analysis.names
    key = catalog.key(table)
    empty = [Field(names.spelling(c), names.key(c), {}) for c in columns]
    rest: tuple[tuple[Rest, ...], ...] = ()
    for like in node.find_all(exp.LikeProperty):
        model = held(like.this, scope)
        empty += [Field(one.name, one.key, {}) for one in model.fields]
        rest += () if model.complete else ((Rest(Function([])),),)
    catalog.created[key] = CreatedTable(Rowset(empty, rest))
    (catalog.temporary.add if temporary else catalog.temporary.discard)(key)


def _created(node: exp.Create, columns: list[exp.Identifier], scope: Scope) -> Rowset | None:
    body = node.expression
    if isinstance(body, (exp.Query, exp.Pivot, exp.Table)):
        rowset = scope.read(body)
        return with_columns(rowset, columns, scope) if columns else rowset
    clone = node.args.get("clone")
    if clone is not None and isinstance(clone.this, exp.Table):
        source = scope.analysis.read_table(clone.this)
        return Rowset(list(source.fields), () if source.complete else ((Rest(source),),))
    return None


def _cache(node: exp.Cache, scope: Scope) -> Iterator[Write]:
    """Read Spark's CACHE TABLE x AS SELECT: a temporary view."""
    if isinstance(node.this, exp.Table) and isinstance(node.expression, exp.Query):
        yield write_to(node.this, scope.read(node.expression), scope, temporary=True, replaces=True)


def _copy(node: exp.Copy, scope: Scope) -> Iterator[Write]:
    """Read COPY t FROM file, COPY (query) TO file, and Snowflake's COPY INTO in both directions."""
    catalog = scope.analysis.catalog
    table, columns = target_of(node.this)
    files = list(node.args.get("files") or ())
    if not node.args.get("kind"):  # TO
        rowset = scope.read(node.this) if isinstance(node.this, exp.Query) else _copied(node.this, scope)
        for file in files:
            yield Write(Table(file.name), (file.name,), rowset, replaces=True)
        return
    for file in files:
        if table is None:
            return
        if isinstance(file, exp.Query):
            rowset = scope.read(file)
            rowset = with_columns(rowset, columns, scope) if columns else by_position(table, rowset, scope)
        elif table.name.startswith("@"):  # COPY INTO @stage FROM t
            rowset = _copied(file, scope)
        else:
            name = file.name or file.sql()
            base = catalog.read((name,), (name,))
            scope.analysis.reads[base.table] = None
            rowset = Rowset([], ((Rest(base),),) if base.open else ())
        yield write_to(table, rowset, scope)


def _copied(node: exp.Expr, scope: Scope) -> Rowset:
    within = scope.child()
    table, columns = target_of(node)
    if table is None:
        return Rowset([])
    rowset = add_source(table, within)[0].rowset
    if columns:
        return Rowset(
            [field_of(exp.column(c.copy()), within, c.name, within.analysis.names.key(c)) for c in columns]
        )
    return Rowset(list(rowset.fields), () if rowset.complete else ((Rest(rowset),),))


_EXTRACTORS: tuple[tuple[type[exp.Expr], Callable[..., Iterator[Write]]], ...] = (
    (exp.Insert, insert),
    (exp.Create, _create),
    (exp.Update, update),
    (exp.Merge, merge),
    (exp.Delete, delete),
    (exp.Copy, _copy),
    (exp.MultitableInserts, insert_many),
    (exp.Cache, _cache),
)
# Statements that move no data: by first word where sqlglot has no class for them, and by class.
_NO_DATA_COMMANDS = frozenset(
    (
        *(
            "ALTER",
            "ANALYZE",
            "BEGIN",
            "CHECKPOINT",
            "COMMIT",
            "END",
            "EXPLAIN",
            "GET",
            "GO",
            "GRANT",
            "INSTALL",
        ),
        *("LIST", "LOAD", "LOCK", "OPTIMIZE", "PRINT", "PUT", "REMOVE", "RESET", "REVOKE", "SET", "SHOW"),
        *("UNSET", "VACUUM"),
    )
)
_NO_DATA = classes(
    *(
        "Alter",
        "Analyze",
        "Attach",
        "Commit",
        "Comment",
        "Declare",
        "Describe",
        "Detach",
        "Drop",
        "EndStatement",
        "Grant",
    ),
    *("Kill", "Literal", "Pragma", "Refresh", "Revoke", "Rollback", "Semicolon", "Set", "Show", "Summarize"),
    *("Transaction", "TruncateTable", "Uncache", "Use"),
)
