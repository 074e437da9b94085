"""INSERT: single table, INSERT ALL, multi-insert, and ON CONFLICT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.catalog import Write
from airflow_lineage_provider.sql.edge_kinds import CONDITIONAL
from airflow_lineage_provider.sql.model import Subtype, Table
from airflow_lineage_provider.sql.rowsets import Edges, Field, Function, Rest, Rowset
from airflow_lineage_provider.sql.sources import field_of, sources
from airflow_lineage_provider.sql.tables import add_source
from airflow_lineage_provider.sql.writes import (
    assignments,
    by_position,
    held,
    item_name,
    joined,
    target_of,
    with_columns,
    write_to,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.sql.scope import Scope


def insert_many(node: exp.Expr, scope: Scope) -> Iterator[Write]:
    """Read Oracle's and Snowflake's INSERT ALL, and Hive's FROM ... INSERT ... INSERT."""
    within = scope.child()
    add_source(node.args["source"], within)
    reads, indirect = dict(scope.analysis.reads), dict(scope.analysis.indirect)
    conditions: list[Edges] = []
    for branch in node.expressions:
        one = branch.this if isinstance(branch, exp.ConditionalInsert) else branch
        first = node.text("kind").upper() == "FIRST" or branch.args.get("else_")
        earlier = conditions if first else []
        condition = branch.expression if branch is not one else None
        own = [sources(condition, within, CONDITIONAL)] if condition is not None else []
        with scope.analysis.apart(reads, indirect):
            for edges in (*earlier, *own):
                scope.analysis.decides(edges, Subtype.FILTER)
            table, columns = target_of(one.this)
            if table is not None:
                rowset = _branch(one.expression, within)
                rowset = (
                    with_columns(rowset, columns, scope) if columns else by_position(table, rowset, scope)
                )
                write = write_to(table, rowset, scope, replaces=bool(one.args.get("overwrite")))
                yield scope.analysis.of_this_part(write)
        conditions += own


def _branch(body: exp.Expr | None, within: Scope) -> Rowset:
    """Return the rows of one branch: its VALUES, its SELECT without FROM, or all columns of the source."""
    if isinstance(body, exp.Values):
        return Rowset([field_of(value, within) for value in body.expressions[0].expressions])
    if isinstance(body, exp.Select):
        return within.read(body)
    return within.items[0].rowset


def insert(node: exp.Insert, scope: Scope) -> Iterator[Write]:
    """Read INSERT, with or without a column list, and its ON CONFLICT clause."""
    table, columns = target_of(node.this)
    body = node.expression
    if isinstance(node.this, exp.Directory):
        path = node.this.name
        yield Write(Table(path), (path,), scope.read(body), replaces=True)
        return
    if table is None or body is None:
        return
    rowset = scope.read(body) if isinstance(body, (exp.Query, exp.Values)) else Rowset([])
    if columns:
        rowset = with_columns(rowset, columns, scope)
    elif not node.args.get("by_name"):
        rowset = by_position(table, rowset, scope)
    rowset = _with_conflict(node, table, rowset, scope)
    yield write_to(table, rowset, scope, replaces=bool(node.args.get("overwrite")))


def _proposed(inserted: Rowset, target: Rowset) -> Rowset:
    """Return the row `excluded`: columns that are not inserted have their default, and so no source."""
    if not inserted.complete:
        return inserted
    others = [Field(one.name, one.key, {}) for one in target.fields if one.key not in inserted.index]
    rest = () if target.complete else ((Rest(Function([])),),)
    return Rowset([*inserted.fields, *others], rest)


def _with_conflict(node: exp.Insert, table: exp.Table, rowset: Rowset, scope: Scope) -> Rowset:
    """Add the assignments of ON CONFLICT DO UPDATE, where `excluded` is the row proposed for insertion."""
    conflict = node.args.get("conflict")
    if conflict is None or not conflict.expressions:
        return rowset
    within = scope.child()
    within.add(held(table, scope), item_name(table, scope))
    proposed = _proposed(rowset, held(table, scope))
    names = ["excluded", node.expression.alias]  # MySQL: VALUES (...) AS new ON DUPLICATE KEY UPDATE
    for name in filter(None, names):
        within.add(proposed, (scope.analysis.names.fold(name),)).hidden = True
    for call in conflict.find_all(exp.Anonymous):  # MySQL's VALUES(b) is excluded.b
        if call.name.upper() == "VALUES" and call.expressions:
            call.replace(exp.column(call.expressions[0].name, table="excluded"))
    updates = list(assignments(conflict.expressions, within))
    if conflict.args.get("where") is not None:
        scope.analysis.decides(sources(conflict.args["where"], within, CONDITIONAL), Subtype.FILTER)
    return joined([*rowset.fields, *updates], rowset.rest)
