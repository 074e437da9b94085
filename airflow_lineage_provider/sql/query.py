"""Queries: each SELECT once, bottom up, into a relation whose fields carry their edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.compat import group_items
from airflow_lineage_provider.sql.kinds import CONDITIONAL
from airflow_lineage_provider.sql.match import read_match
from airflow_lineage_provider.sql.model import Subtype
from airflow_lineage_provider.sql.outputs import output_name
from airflow_lineage_provider.sql.pivots import read_pivot_statement
from airflow_lineage_provider.sql.relations import Field, Relation, Rest, merged
from airflow_lineage_provider.sql.scope import Aliases, Cte, Scope
from airflow_lineage_provider.sql.sources import field_of, sources
from airflow_lineage_provider.sql.stars import columns_call, expand, for_each_column, is_star
from airflow_lineage_provider.sql.tables import add_source, read_from

if TYPE_CHECKING:
    from collections.abc import Iterator

_MANY_CTES = 30
# Dialects where a CTE may read itself without the word RECURSIVE.
_IMPLICITLY_RECURSIVE = frozenset({"tsql", "oracle", "snowflake", "teradata", "fabric"})


def read_query(node: exp.Expr, around: Scope) -> Relation:
    """Return the relation that a query gives. `around` is the scope in which it stands."""
    around = with_ctes(node, around)
    if isinstance(node, exp.Select):
        return _select(node, Scope(around.analysis, around, around.ctes))
    if isinstance(node, exp.SetOperation):
        return _set_operation(node, around)
    if isinstance(node, exp.Pivot):
        return read_pivot_statement(node, around)
    if isinstance(node, exp.Subquery):
        return _parenthesised(node, around)
    if isinstance(node, (exp.Insert, exp.Update, exp.Delete, exp.Merge)):
        from airflow_lineage_provider.sql.statements import read_returning

        return read_returning(node, around)
    scope = Scope(around.analysis, around, around.ctes)  # VALUES, TABLE t, FROM t
    add_source(node, scope)
    fields, rest = expand(exp.Star(), scope)
    return Relation(fields, (rest,) if rest else ())


def _parenthesised(node: exp.Subquery, around: Scope) -> Relation:
    scope = Scope(around.analysis, around.outer, around.ctes)
    if isinstance(node.this, exp.Table) or node.args.get("pivots") or node.args.get("joins"):
        add_source(node, scope)
        fields, rest = expand(exp.Star(), scope)
        return Relation(fields, (rest,) if rest else ())
    relation = read_query(node.this, around)
    _order_outputs(node, relation, around)
    return relation


# ---- common table expressions --------------------------------------------------------------------


def with_ctes(node: exp.Expr, around: Scope) -> Scope:
    """`around`, with the CTEs of the node's WITH, each of which sees those before it."""
    clause = node.args.get("with_") or node.args.get("with")
    if clause is None:
        return around
    scope = Scope(around.analysis, around, dict(around.ctes))
    for cte in clause.expressions:
        name = around.analysis.names.key(cte.args["alias"].this)
        recursive = bool(clause.args.get("recursive")) or around.analysis.dialect in _IMPLICITLY_RECURSIVE
        sees = Scope(scope.analysis, around, dict(scope.ctes))
        scope.ctes[name] = Cte(name, cte, sees, recursive)
        scope.analysis.ctes.append(scope.ctes[name])
    if len(clause.expressions) > _MANY_CTES:
        _read_in_order(node, clause, scope)
    return scope


def _read_in_order(node: exp.Expr, clause: exp.Expr, scope: Scope) -> None:
    """Read the CTEs that the query reaches, first to last: a long chain would be a deep recursion."""
    reached: set[str] = set()
    parts = [part for key, part in node.args.items() if key not in {"with_", "with"}]
    todo = [part for part in parts if isinstance(part, exp.Expr)]
    todo += [one for part in parts if isinstance(part, list) for one in part if isinstance(one, exp.Expr)]
    key = scope.analysis.names.key
    while todo:
        for table in todo.pop().find_all(exp.Table):
            name = key(table.this) if isinstance(table.this, exp.Identifier) else ""
            if name in scope.ctes and name not in reached:
                reached.add(name)
                todo.append(scope.ctes[name].node)
    for cte in clause.expressions:
        name = key(cte.args["alias"].this)
        if name in reached:
            read_cte(scope.ctes[name])


def read_cte(cte: Cte) -> Relation:
    """Return the CTE's relation, read at the first reference to it."""
    if cte.relation is None:
        alias = cte.node.args["alias"]
        names = cte.scope.analysis.names
        columns = [(names.spelling(c), names.key(c)) for c in alias.args.get("columns") or ()]
        body = cte.node.this
        if cte.recursive and isinstance(body, exp.SetOperation) and _reads(body.expression, cte):
            cte.relation = _recursive(cte, body, columns)
        else:
            relation = read_query(body, cte.scope)
            cte.relation = relation.with_names(columns) if columns else relation
    return cte.relation


def _reads(node: exp.Expr, cte: Cte) -> bool:
    names = cte.scope.analysis.names
    return any(
        not table.args.get("db")
        and isinstance(table.this, exp.Identifier)
        and names.key(table.this) == cte.name
        for table in node.find_all(exp.Table)
    )


def _recursive(cte: Cte, body: exp.SetOperation, columns: list[tuple[str, str]]) -> Relation:
    """Return the anchor, then the step on what there is so far until nothing is added."""
    scope = with_ctes(body, cte.scope)
    relation = read_query(body.this, scope)
    relation = relation.with_names(columns) if columns else relation
    for _ in range(len(relation.fields) + 2):
        so_far = Cte(cte.name, cte.node, cte.scope, recursive=False, relation=relation)
        step = read_query(body.expression, Scope(scope.analysis, scope, {**scope.ctes, cte.name: so_far}))
        grown = _combined(relation, step)
        if [f.edges for f in grown.fields] == [f.edges for f in relation.fields]:
            break
        relation = grown
    return relation


# ---- set operations ------------------------------------------------------------------------------


def _set_operation(node: exp.SetOperation, around: Scope) -> Relation:
    """Left-deep chains of UNION are thousands of levels deep in generated SQL: a loop, not a recursion."""
    chain: list[tuple[exp.SetOperation, Scope]] = []
    left: exp.Expr = node
    scope = around
    while isinstance(left, exp.SetOperation):
        scope = with_ctes(left, scope) if left is not node else scope
        chain.append((left, scope))
        left = left.this
    branches = [read_query(left, scope)]
    for operation, within in reversed(chain):
        right = read_query(operation.expression, within)
        if not isinstance(operation, exp.Except):
            if operation.args.get("by_name"):
                branches = [_by_name(_by_position(branches), right, operation, within)]
            elif not (branches[0].complete and right.complete):
                branches = [_combined(_by_position(branches), right)]
            else:
                branches.append(right)
        if operation.args.get("order") is not None:
            branches = [_by_position(branches)]
            _order_outputs(operation, branches[0], within)
    return _by_position(branches)


def _by_position(branches: list[Relation]) -> Relation:
    """Combine branches whose columns are all known, at once: one by one would be quadratic."""
    if len(branches) == 1:
        return branches[0]
    return Relation([merged(same) for same in zip(*(one.fields for one in branches), strict=False)])


def _by_name(left: Relation, right: Relation, operation: exp.SetOperation, scope: Scope) -> Relation:
    """Match columns by name. BigQuery's LEFT keeps the first query's, INNER those of both."""
    fields = [merged([one, *_same(one, right)]) for one in left.fields]
    inner = operation.text("kind").upper() == "INNER"
    if inner and left.complete and right.complete:
        fields = [one for one in fields if one.key in right.index]
    elif not inner and operation.text("side").upper() != "LEFT":
        fields += [one for one in right.fields if one.key is None or one.key not in left.index]
    listed = {scope.analysis.names.key(column.this) for column in operation.args.get("on") or ()}
    return Relation([one for one in fields if not listed or one.key in listed], left.rest + right.rest)


def _combined(left: Relation, right: Relation) -> Relation:
    if not right.complete and len(right.fields) < len(left.fields):
        fields = [merged([one, *_guessed(one, right)]) for one in left.fields]
    else:
        fields = [_branches(*pair) for pair in zip(left.fields, right.fields, strict=False)]
        if not left.complete:
            fields += right.fields[len(fields) :]
    return Relation(fields, left.rest + right.rest)


def _branches(left: Field, right: Field) -> Field:
    return merged([left, right])


def _same(one: Field, relation: Relation) -> list[Field]:
    found = relation.index.get(one.key) if one.key else None
    return [found] if found is not None else []


def _guessed(one: Field, relation: Relation) -> list[Field]:
    """Return the branch's field of that name; an unknown table under a star is taken to have it."""
    found = (relation.known(one.key) or relation.possible(one.key)) if one.key else None
    return [found] if found is not None else []


def _order_outputs(node: exp.Expr, relation: Relation, around: Scope) -> None:
    """ORDER BY after a set operation or parentheses names the outputs."""
    order = node.args.get("order")
    if order is not None:
        scope = Scope(around.analysis, around.outer, around.ctes)
        scope.add(relation, ())
        _sort(order, relation.fields, scope)


# ---- SELECT --------------------------------------------------------------------------------------


def _select(select: exp.Select, scope: Scope) -> Relation:
    read_from(select, scope)
    if select.args.get("match") is not None:
        read_match(select.args["match"], scope)
    names = scope.analysis.names
    for window in select.args.get("windows") or ():
        scope.windows[names.key(window.this)] = window
    scope.aliases = Aliases.BEFORE_GUESSING if scope.analysis.lateral_aliases else Aliases.LAST
    if select.args.get("connect") is not None:  # CONNECT BY counts its steps
        level = names.fold("level")
        scope.outputs[level] = Field(level, level, {})
    fields, rest = _projections(select, scope)
    _where(select, scope)
    scope.aliases = Aliases.BEFORE_GUESSING
    _group(select, fields, scope)
    for clause in ("having", "prewhere", "connect"):
        _decides(select.args.get(clause), scope, Subtype.FILTER)
    _qualify(select, scope)
    _sorted(select, fields, scope)
    return Relation(fields, (rest,) if rest else ())


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
    """Return the field, or fields, of one select item."""
    call = columns_call(item) if scope.analysis.has_columns_calls else None
    if call is not None:
        yield from for_each_column(item.unalias(), call, scope)
    elif isinstance(item, exp.Aliases):  # explode(m) AS (k, v)
        made = field_of(item.this, scope)
        names = scope.analysis.names
        for alias in item.expressions:
            yield made.renamed(names.spelling(alias), names.key(alias))
    else:
        name, key = output_name(item, scope.analysis)
        made = field_of(item.this if isinstance(item, exp.Alias) else item, scope, name, key)
        if isinstance(item, exp.Column) and scope.analysis.dialect == "duckdb":  # as the table spells it
            found = scope.analysis.resolved.get(id(item))
            made.name = found.name if found is not None and found.key == key else name
        yield made


def _where(select: exp.Select, scope: Scope) -> None:
    _decides(select.args.get("where"), scope, Subtype.FILTER)
    for clause in ("limit", "offset"):
        node = select.args.get(clause)
        if node is not None and node.find(exp.Column) is not None:
            _decides(node, scope, Subtype.FILTER)


def _decides(node: exp.Expr | None, scope: Scope, subtype: Subtype) -> None:
    if node is not None:
        scope.analysis.decides(sources(node, scope, CONDITIONAL), subtype)


def _group(select: exp.Select, fields: list[Field], scope: Scope) -> None:
    distinct = select.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        _decides(distinct.args["on"], scope, Subtype.GROUP_BY)
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
    """Note what QUALIFY decides by: WINDOW where a window computes it, FILTER for a plain condition."""
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
        position = _position(inner, fields)
        if position is not None:
            scope.analysis.decides(position.edges, Subtype.SORT)
        elif isinstance(inner, exp.Var) and inner.name.upper() == "ALL":
            for one in fields:
                scope.analysis.decides(one.edges, Subtype.SORT)
        else:
            _decides(inner, scope, Subtype.SORT)
