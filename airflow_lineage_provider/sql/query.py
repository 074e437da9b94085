"""Queries: each SELECT is read once, bottom up, into a rowset whose fields carry their edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.compat import classes, group_items
from airflow_lineage_provider.sql.ctes import with_ctes
from airflow_lineage_provider.sql.edge_kinds import CONDITIONAL
from airflow_lineage_provider.sql.match_recognize import read_match_recognize
from airflow_lineage_provider.sql.model import Subtype
from airflow_lineage_provider.sql.outputs import output_name
from airflow_lineage_provider.sql.pivots import pivoted
from airflow_lineage_provider.sql.rowsets import Field, Rest, Rowset, combined, merged
from airflow_lineage_provider.sql.scope import Aliases, Scope
from airflow_lineage_provider.sql.sources import field_of, sources
from airflow_lineage_provider.sql.stars import columns_call, expand, for_each_column, is_star
from airflow_lineage_provider.sql.tables import add_source, read_from

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_ALIASES_IN_HAVING = frozenset({"postgres", "tsql", "fabric", "oracle", "trino", "presto", "athena"})
_EXPLODES = classes("Explode", "Inline")


def read_query(node: exp.Expr, around: Scope) -> Rowset:
    """Return the rowset of a query in the scope `around`."""
    around = with_ctes(node, around)
    if isinstance(node, exp.Select):
        return _select(node, around.child())
    if isinstance(node, exp.SetOperation):
        return _set_operation(node, around)
    if isinstance(node, exp.Pivot):
        return _pivot_statement(node, around)
    if isinstance(node, exp.Subquery):
        return _parenthesised(node, around)
    scope = around.child()  # VALUES, TABLE t, FROM t
    add_source(node, scope)
    fields, rest = expand(exp.Star(), scope)
    return Rowset(fields, (rest,) if rest else ())


def _pivot_statement(pivot: exp.Pivot, around: Scope) -> Rowset:
    """DuckDB's `PIVOT t ON ... USING ...` and `UNPIVOT t ON ... INTO ...`."""
    scope = around.detached()
    add_source(pivot.this, scope)
    item = scope.items[0]
    return pivoted(pivot, item.rowset, item.name, around)


def _parenthesised(node: exp.Subquery, around: Scope) -> Rowset:
    scope = around.detached()
    if isinstance(node.this, exp.Table) or node.args.get("pivots") or node.args.get("joins"):
        add_source(node, scope)
        fields, rest = expand(exp.Star(), scope)
        return Rowset(fields, (rest,) if rest else ())
    rowset = around.read(node.this)
    _order_outputs(node, rowset, around)
    return rowset


# ---- set operations ------------------------------------------------------------------------------


def _set_operation(node: exp.SetOperation, around: Scope) -> Rowset:
    """Read a left-deep chain of set operations in a loop: generated SQL has thousands of branches."""
    chain: list[tuple[exp.SetOperation, Scope]] = []
    left: exp.Expr = node
    scope = around
    while isinstance(left, exp.SetOperation):
        scope = with_ctes(left, scope) if left is not node else scope
        chain.append((left, scope))
        left = left.this
    branches = [scope.read(left)]
    compared = {Subtype.FILTER: list(branches), Subtype.GROUP_BY: list(branches)}  # as soon as rows are
    for operation, within in reversed(chain):
        right = within.read(operation.expression)
        _compare_rows(operation, right, compared, within)
        if not isinstance(operation, exp.Except):
            if operation.args.get("by_name"):
                branches = [_by_name(_by_position(branches), right, operation, within)]
            elif not (branches[0].complete and right.complete):
                branches = [combined(_by_position(branches), right)]
            else:
                branches.append(right)
        if operation.args.get("order") is not None:
            branches = [_by_position(branches)]
            _order_outputs(operation, branches[0], within)
    return _by_position(branches)


def _compare_rows(
    operation: exp.SetOperation, right: Rowset, compared: dict[Subtype, list[Rowset]], scope: Scope
) -> None:
    """Note the columns of both sides: they filter in EXCEPT and INTERSECT, and group in UNION DISTINCT."""
    for waiting in compared.values():
        waiting.append(right)
    filters = isinstance(operation, (exp.Except, exp.Intersect))
    if filters or operation.args.get("distinct"):
        subtype = Subtype.FILTER if filters else Subtype.GROUP_BY
        for rowset in compared[subtype]:
            scope.analysis.decides_rows(rowset, subtype)
        compared[subtype].clear()


def _by_position(branches: list[Rowset]) -> Rowset:
    """Combine complete branches in one step. Pairwise merging would be quadratic."""
    if len(branches) == 1:
        return branches[0]
    return Rowset([merged(same) for same in zip(*(one.fields for one in branches), strict=False)])


def _by_name(left: Rowset, right: Rowset, operation: exp.SetOperation, scope: Scope) -> Rowset:
    """Match columns by name. BigQuery's LEFT keeps the columns of the left query, INNER those of both."""
    fields = [merged([one, *_same(one, right)]) for one in left.fields]
    inner = operation.text("kind").upper() == "INNER"
    if inner and left.complete and right.complete:
        fields = [one for one in fields if one.key in right.index]
    elif not inner and operation.text("side").upper() != "LEFT":
        fields += [one for one in right.fields if one.key is None or one.key not in left.index]
    listed = {scope.analysis.names.key(column.this) for column in operation.args.get("on") or ()}
    return Rowset([one for one in fields if not listed or one.key in listed], left.rest + right.rest)


def _same(one: Field, rowset: Rowset) -> list[Field]:
    found = rowset.index.get(one.key) if one.key else None
    return [found] if found is not None else []


def _order_outputs(node: exp.Expr, rowset: Rowset, around: Scope) -> None:
    """Read an ORDER BY after a set operation or parentheses, which refers to the outputs."""
    order = node.args.get("order")
    if order is not None:
        scope = around.detached()
        scope.add(rowset, ())
        _sort(order, rowset.fields, scope)


# ---- SELECT --------------------------------------------------------------------------------------


def _select(select: exp.Select, scope: Scope) -> Rowset:
    read_from(select, scope)
    if select.args.get("match") is not None:
        read_match_recognize(select.args["match"], scope)
    names = scope.analysis.names
    for window in select.args.get("windows") or ():
        scope.windows[names.key(window.this)] = window
    scope.aliases = Aliases.BEFORE_GUESSING if scope.analysis.lateral_aliases else Aliases.LAST
    if select.args.get("connect") is not None:  # CONNECT BY defines LEVEL
        level = names.fold("level")
        scope.outputs[level] = Field(level, level, {})
    fields, rest = _projections(select, scope)
    _where(select, scope)
    scope.aliases = Aliases.BEFORE_GUESSING
    _distinct(select, Rowset(fields, (rest,) if rest else ()), scope)
    _group(select, fields, scope)
    _having(select, scope)
    for clause in ("prewhere", "connect"):
        _decides(select.args.get(clause), scope, Subtype.FILTER)
    _qualify(select, scope)
    _sorted(select, fields, scope)
    return Rowset(fields, (rest,) if rest else ())


def read_outputs(expressions: list[exp.Expr], scope: Scope) -> Rowset:
    """Return the rowset of a select list, such as that of RETURNING, in a scope with its tables."""
    fields, rest = _projections(exp.Select(expressions=expressions), scope)
    return Rowset(fields, (rest,) if rest else ())


def _projections(select: exp.Select, scope: Scope) -> tuple[list[Field], tuple[Rest, ...]]:
    fields: list[Field] = []
    rest: tuple[Rest, ...] = ()
    for item in select.expressions:
        if is_star(item):
            more, open_to = expand(item, scope)
            fields += more
            rest += open_to
        else:
            for one in _outputs(item, scope):
                fields.append(one)
                if one.key is not None:
                    scope.outputs.setdefault(one.key, one)
    return fields, rest


def _outputs(item: exp.Expr, scope: Scope) -> Iterator[Field]:
    """Yield the fields of one select item."""
    call = columns_call(item) if scope.analysis.has_columns_calls else None
    if call is not None:
        yield from for_each_column(item.unalias(), call, scope)
    elif isinstance(item, exp.Aliases):  # explode(m) AS (k, v)
        made = field_of(item.this, scope)
        names = scope.analysis.names
        for alias in item.expressions:
            yield made.renamed(names.spelling(alias), names.key(alias))
    elif isinstance(item.unalias(), _EXPLODES) and (parts := _exploded(item.unalias(), scope)):
        yield from parts
    elif isinstance(item, exp.PositionalColumn):
        yield scope.at_position(int(item.name)) or Field(None, None, {})
    else:
        name, key = output_name(item, scope.analysis)
        made = field_of(item.this if isinstance(item, exp.Alias) else item, scope, name, key)
        if isinstance(item, exp.Column) and scope.analysis.dialect == "duckdb":  # as the table spells it
            found = scope.analysis.resolved.get(id(item))
            made.name = found.name if found is not None and found.key == key else name
        yield made


def _exploded(call: exp.Expr, scope: Scope) -> list[Field]:
    """Return the columns of DuckDB's `unnest(struct)` and Spark's `inline(structs)` in a select list."""
    duckdb = scope.analysis.dialect == "duckdb"
    row = field_of(call.this, scope).row if duckdb or isinstance(call, exp.Inline) else None
    if row is None or row.rest:
        return []
    recursive = bool(call.expressions)  # recursive := true, max_depth := 2
    if row.repeated and duckdb and not recursive:
        return []
    return _flat(row) if recursive else row.fields


def _flat(row: Rowset) -> list[Field]:
    nested = [[one] if one.row is None or one.row.repeated else _flat(one.row) for one in row.fields]
    return [one for fields in nested for one in fields]


def _where(select: exp.Select, scope: Scope) -> None:
    _decides(select.args.get("where"), scope, Subtype.FILTER)
    for clause in ("limit", "offset"):
        node = select.args.get(clause)
        if node is not None and node.find(exp.Column) is not None:
            _decides(node, scope, Subtype.FILTER)


def _decides(node: exp.Expr | None, scope: Scope, subtype: Subtype) -> None:
    if node is not None:
        scope.analysis.decides(sources(node, scope, CONDITIONAL), subtype)


def _distinct(select: exp.Select, rowset: Rowset, scope: Scope) -> None:
    distinct = select.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        _decides(distinct.args["on"], scope, Subtype.GROUP_BY)
    elif distinct is not None:
        scope.analysis.decides_rows(rowset, Subtype.GROUP_BY)


def _group(select: exp.Select, fields: list[Field], scope: Scope) -> None:
    group = select.args.get("group")
    if group is None:
        return
    if group.args.get("all"):
        for item, one in zip(select.expressions, fields, strict=False):
            if not _aggregates(item):
                scope.analysis.decides(one.edges, Subtype.GROUP_BY)
    for item in group_items(group):
        if isinstance(item, exp.Var) and item.name.upper() == "ALL":
            continue
        position = _position(item, fields)
        if position is not None:
            scope.analysis.decides(position.edges, Subtype.GROUP_BY)
        else:
            _decides(item, scope, Subtype.GROUP_BY)


def _having(select: exp.Select, scope: Scope) -> None:
    """Note the columns of HAVING.

    There a name that is both an output and a column means the output, unless it is grouped or aggregated.
    """
    having: exp.Expr | None = select.args.get("having")
    if having is None:
        return
    if scope.analysis.dialect in _NO_ALIASES_IN_HAVING:
        _decides(having, scope, Subtype.FILTER)
        return
    names = scope.analysis.names
    group = select.args.get("group")
    grouped = {names.key(c.this) for c in group.find_all(exp.Column)} if group is not None else set()
    outputs: dict[int, Field] = {}
    for column in having.find_all(exp.Column):
        found = scope.outputs.get(names.key(column.this)) if not column.table else None
        outside = column.find_ancestor(exp.AggFunc, exp.Query) is select
        if found is not None and found.key not in grouped and outside:
            outputs[id(column)] = found
    for one in outputs.values():
        scope.analysis.decides(one.edges, Subtype.FILTER)
    edges = sources(having, scope, CONDITIONAL, frozenset(outputs))
    scope.analysis.decides(edges, Subtype.FILTER)


def _aggregates(item: exp.Expr) -> bool:
    """Tell whether a select item computes an aggregate, outside of windows and subqueries."""
    stack = [item]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.AggFunc):
            return True
        if not isinstance(node, (exp.Window, exp.Query)):
            stack.extend(node.iter_expressions())
    return False


def _position(item: exp.Expr, fields: list[Field]) -> Field | None:
    """`GROUP BY 1`, `ORDER BY 2`."""
    if isinstance(item, exp.Literal) and not item.is_string and item.name.isdigit():
        number = int(item.name)
        return fields[number - 1] if 0 < number <= len(fields) else None
    return None


def _qualify(select: exp.Select, scope: Scope) -> None:
    """Note the columns of QUALIFY: WINDOW for a condition on a window function, FILTER otherwise."""
    qualify = select.args.get("qualify")
    if qualify is None:
        return
    conditions = list(qualify.this.flatten()) if isinstance(qualify.this, exp.And) else [qualify.this]
    for condition in conditions:
        computed = field_of(condition, scope).windowed or any(
            found is not None and found.windowed
            for column in condition.find_all(exp.Column)
            if isinstance(column.this, exp.Identifier)
            for found in [scope.resolve([p for p in column.parts if isinstance(p, exp.Identifier)])[0]]
        )
        _decides(condition, scope, Subtype.WINDOW if computed else Subtype.FILTER)


def _sorted(select: exp.Select, fields: list[Field], scope: Scope) -> None:
    scope.aliases = Aliases.FIRST
    for clause in ("order", "sort", "cluster", "distribute"):
        if select.args.get(clause) is not None:
            _sort(select.args[clause], fields, scope)


def _sort(order: exp.Expr, fields: list[Field], scope: Scope) -> None:
    for item in order.expressions:
        inner = item.this if isinstance(item, exp.Ordered) else item
        inner = inner.this if isinstance(inner, exp.PositionalColumn) else inner
        position = _position(inner, fields)
        if position is not None:
            scope.analysis.decides(position.edges, Subtype.SORT)
        elif isinstance(inner, exp.Var) and inner.name.upper() == "ALL":
            for one in fields:
                scope.analysis.decides(one.edges, Subtype.SORT)
        else:
            _decides(inner, scope, Subtype.SORT)
