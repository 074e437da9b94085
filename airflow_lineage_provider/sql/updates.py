"""UPDATE, MERGE and DELETE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.edge_kinds import CONDITIONAL
from airflow_lineage_provider.sql.model import Subject, Subtype
from airflow_lineage_provider.sql.rowsets import Field, Rowset
from airflow_lineage_provider.sql.scope import Scope
from airflow_lineage_provider.sql.sources import field_of, sources
from airflow_lineage_provider.sql.tables import add_join, add_source, join_by_name, read_from
from airflow_lineage_provider.sql.writes import (
    assignments,
    by_position,
    item_name,
    joined,
    with_columns,
    write_to,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.sql.catalog import Write


def update(node: exp.Update, scope: Scope) -> Iterator[Write]:
    """Read UPDATE, its FROM and its joins."""
    within = scope.child()
    read_from(node, within)
    target = _update_target(node, within)
    if target is None:
        return
    where = node.args.get("where")
    if where is not None:
        scope.analysis.decides(sources(where, within, CONDITIONAL), Subtype.FILTER)
    written = joined(assignments(node.expressions, within))
    write = _through_cte(target, written, scope)
    if write is not None:
        yield write


def _through_cte(table: exp.Table, rowset: Rowset, scope: Scope) -> Write | None:
    """Return the write. T-SQL can update a CTE, which changes the only table that it reads."""
    cte = None if table.args.get("db") else scope.ctes.get(scope.analysis.names.key(table.this))
    if cte is None:
        return write_to(table, rowset, scope)
    tables = [t for t in cte.node.this.find_all(exp.Table) if isinstance(t.this, exp.Identifier)]
    if len(tables) == 1:
        return _through_cte(tables[0], rowset, cte.scope)
    scope.analysis.problem(Subject.TABLE, f"the table that is changed through {cte.name!r} is not known")
    return None


def _update_target(node: exp.Update, within: Scope) -> exp.Table | None:
    """Return the table to update, which T-SQL can name by an alias in FROM."""
    table = node.this
    if not isinstance(table, exp.Table):
        return None
    key = within.analysis.names.key(table.this)
    source = node.args.get("from_") or node.args.get("from")
    if source is not None and not table.args.get("db"):
        candidate: exp.Table
        for candidate in source.find_all(exp.Table):
            if candidate.alias and within.analysis.names.fold(candidate.alias) == key:
                return candidate
    name = item_name(table, within)
    if not any(item.name == name for item in within.items):
        before = list(within.items)
        within.items.clear()
        add_source(table, within)
        within.items.extend(before)
    else:
        for join in table.args.get("joins") or ():
            add_join(join, within)
    return table


def merge(node: exp.Merge, scope: Scope) -> Iterator[Write]:
    """Read MERGE: each written column has the sources of all branches that write it."""
    within = scope.child()
    add_source(node.this, within)
    source = add_source(node.args["using"], within)[0].rowset
    if isinstance(node.args.get("on"), exp.Expr):
        scope.analysis.decides(sources(node.args["on"], within, CONDITIONAL), Subtype.JOIN)
    join_by_name(node.args.get("using_cond"), within.items[:1], within.items[1:], within)
    fields: list[Field] = []
    for when in node.args["whens"].expressions:
        if when.args.get("condition") is not None:
            scope.analysis.decides(sources(when.args["condition"], within, CONDITIONAL), Subtype.FILTER)
        where = when.args["then"].args.get("where")
        if where is not None:
            scope.analysis.decides(sources(where, within, CONDITIONAL), Subtype.FILTER)
        fields += _merged_by(when.args["then"], node.this, source, within)
    yield write_to(node.this, joined(fields), scope)


def _merged_by(then: exp.Expr, table: exp.Table, source: Rowset, scope: Scope) -> Iterator[Field]:
    """Yield the fields that one WHEN branch writes."""
    listed = then.args.get("expressions")
    items = listed if isinstance(listed, list) else [listed]
    star = isinstance(then.this, (exp.Star, exp.Var)) or any(isinstance(e, exp.Star) for e in items)
    if isinstance(then, (exp.Update, exp.Insert)) and star:  # UPDATE SET *, INSERT *, INSERT ROW
        if not source.complete:
            scope.analysis.problem(Subject.STAR, f"MERGE into {table.name} copies columns that are not known")
        yield from source.fields
    elif isinstance(then, exp.Update):
        yield from assignments(then.expressions, scope)
    elif isinstance(then, exp.Insert):
        values = then.expression
        scope = _source_alone(scope)
        fields = [field_of(e, scope) for e in (values.expressions or [values])] if values else []
        if isinstance(then.this, exp.Expr):
            names = then.this.expressions or [then.this]
            columns = [c.this if isinstance(c, exp.Column) else c for c in names]
            yield from with_columns(Rowset(fields), columns, scope).fields
        else:
            yield from by_position(table, Rowset(fields), scope).fields


def _source_alone(scope: Scope) -> Scope:
    """Return the scope of an INSERT branch, in which the target has no row."""
    return Scope(scope.analysis, scope.outer, scope.ctes, scope.items[1:])


def delete(node: exp.Delete, scope: Scope) -> Iterator[Write]:
    """Read DELETE: no columns are written, and its conditions filter."""
    within = scope.child()
    named = node.args.get("tables") or []
    target = node.this or named[0]  # T-SQL's DELETE t WHERE ...
    for source in [target, *(node.args.get("using") or [])]:
        if isinstance(source, exp.Expr):
            add_source(source, within)
    if named:  # DELETE t FROM tgt t JOIN ...
        names = {scope.analysis.names.fold(t.name) for t in named}
        candidates = [
            t for t in node.find_all(exp.Table) if scope.analysis.names.fold(t.alias_or_name) in names
        ]
        target = next((t for t in candidates if t not in named), target)
    if node.args.get("where") is not None:
        scope.analysis.decides(sources(node.args["where"], within, CONDITIONAL), Subtype.FILTER)
    write = _through_cte(target, Rowset([]), scope) if isinstance(target, exp.Table) else None
    if write is not None:
        yield write
