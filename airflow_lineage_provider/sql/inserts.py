"""INSERT, in all its forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.kinds import CONDITIONAL
from airflow_lineage_provider.sql.model import Subtype, Table
from airflow_lineage_provider.sql.query import read_query
from airflow_lineage_provider.sql.relations import Relation
from airflow_lineage_provider.sql.scope import Scope
from airflow_lineage_provider.sql.sources import field_of, sources
from airflow_lineage_provider.sql.tables import add_source
from airflow_lineage_provider.sql.writes import (
    Write,
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


def insert_many(node: exp.Expr, scope: Scope) -> Iterator[Write]:
    """Read Oracle's and Snowflake's INSERT ALL, and Hive's FROM ... INSERT ... INSERT."""
    within = Scope(scope.analysis, scope, scope.ctes)
    add_source(node.args["source"], within)
    for branch in node.expressions:
        one = branch.this if isinstance(branch, exp.ConditionalInsert) else branch
        if branch is not one and branch.expression is not None:
            scope.analysis.decides(sources(branch.expression, within, CONDITIONAL), Subtype.FILTER)
        table, columns = target_of(one.this)
        if table is not None:
            relation = _branch(one.expression, within)
            relation = (
                with_columns(relation, columns, scope) if columns else by_position(table, relation, scope)
            )
            yield write_to(table, relation, scope, replaces=bool(one.args.get("overwrite")))


def _branch(body: exp.Expr | None, within: Scope) -> Relation:
    """Return what one branch inserts: its VALUES, its SELECT without FROM, or all of the source."""
    if isinstance(body, exp.Values):
        return Relation([field_of(value, within) for value in body.expressions[0].expressions])
    if isinstance(body, exp.Select):
        return read_query(body, within)
    return within.items[0].relation


def insert(node: exp.Insert, scope: Scope) -> Iterator[Write]:
    """Read INSERT, with or without a column list, and what it does on conflict."""
    table, columns = target_of(node.this)
    body = node.expression
    if isinstance(node.this, exp.Directory):
        path = node.this.name
        yield Write(Table(path), (path,), read_query(body, scope), replaces=True)
        return
    if table is None or body is None:
        return
    relation = read_query(body, scope) if isinstance(body, (exp.Query, exp.Values)) else Relation([])
    if columns:
        relation = with_columns(relation, columns, scope)
    elif not node.args.get("by_name"):
        relation = by_position(table, relation, scope)
    relation = _with_conflict(node, table, relation, scope)
    yield write_to(table, relation, scope, replaces=bool(node.args.get("overwrite")))


def _with_conflict(node: exp.Insert, table: exp.Table, relation: Relation, scope: Scope) -> Relation:
    """ON CONFLICT DO UPDATE: `excluded` is the row that was to be inserted."""
    conflict = node.args.get("conflict")
    if conflict is None or not conflict.expressions:
        return relation
    within = Scope(scope.analysis, scope, scope.ctes)
    within.add(held(table, scope), item_name(table, scope))
    within.add(relation, (scope.analysis.names.fold("excluded"),)).hidden = True
    for call in conflict.find_all(exp.Anonymous):  # MySQL's VALUES(b) is excluded.b
        if call.name.upper() == "VALUES" and call.expressions:
            call.replace(exp.column(call.expressions[0].name, table="excluded"))
    updates = list(assignments(conflict.expressions, within))
    if conflict.args.get("where") is not None:
        scope.analysis.decides(sources(conflict.args["where"], within, CONDITIONAL), Subtype.FILTER)
    return joined([*relation.fields, *updates], relation.rest)
