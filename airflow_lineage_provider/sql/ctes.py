"""WITH: common table expressions, each read at the first reference to it, recursive ones to a fixed point."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.limits import MOST_RECURSIVE_EDGES, SqlError
from airflow_lineage_provider.sql.model import Subtype
from airflow_lineage_provider.sql.rowsets import combined
from airflow_lineage_provider.sql.scope import Cte, Ctes, Scope

if TYPE_CHECKING:
    from airflow_lineage_provider.sql.rowsets import Rowset

_MANY_CTES = 30
# Dialects where a CTE may read itself without the word RECURSIVE.
_IMPLICITLY_RECURSIVE = frozenset({"tsql", "oracle", "snowflake", "teradata", "fabric"})


def with_ctes(node: exp.Expr, around: Scope) -> Scope:
    """`around`, with the CTEs of the node's WITH, each of which sees those before it."""
    clause = node.args.get("with_") or node.args.get("with")
    if clause is None:
        return around
    own: dict[str, Cte] = {}
    scope = Scope(around.analysis, around, Ctes(around.ctes, own))
    for position, cte in enumerate(clause.expressions):
        name = around.analysis.names.key(cte.args["alias"].this)
        recursive = bool(clause.args.get("recursive")) or around.analysis.dialect in _IMPLICITLY_RECURSIVE
        sees = Scope(scope.analysis, around, Ctes(around.ctes, own, position))
        own[name] = Cte(name, cte, sees, recursive, position)
        scope.analysis.ctes.append(own[name])
        scope.analysis.has_nested_writes |= isinstance(cte.this, exp.DML)
    if len(clause.expressions) > _MANY_CTES:
        _read_in_order(node, own, scope)
    return scope


def _read_in_order(node: exp.Expr, own: dict[str, Cte], scope: Scope) -> None:
    """Read the CTEs that the query reaches, first to last: a long chain would be a deep recursion."""
    reached: set[str] = set()
    parts = [part for key, part in node.args.items() if key not in {"with_", "with"}]
    todo = [part for part in parts if isinstance(part, exp.Expr)]
    todo += [one for part in parts if isinstance(part, list) for one in part if isinstance(one, exp.Expr)]
    key = scope.analysis.names.key
    while todo:
        for table in todo.pop().find_all(exp.Table):
            name = key(table.this) if isinstance(table.this, exp.Identifier) else ""
            if name in own and name not in reached:
                reached.add(name)
                todo.append(own[name].node)
    for name, cte in own.items():
        if name in reached:
            read_cte(cte)


def read_cte(cte: Cte) -> Rowset:
    """Return the CTE's rowset, read at the first reference to it."""
    analysis = cte.scope.analysis
    if cte.rowset is None and analysis.has_nested_writes:
        with analysis.apart({}, {}):
            cte.rowset = _body(cte)
            cte.reads, cte.indirect = analysis.reads, analysis.indirect
    elif cte.rowset is None:
        cte.rowset = _body(cte)
    else:
        analysis.reads |= cte.reads
        analysis.indirect |= cte.indirect
    return cte.rowset


def _body(cte: Cte) -> Rowset:
    names = cte.scope.analysis.names
    columns = [(names.spelling(c), names.key(c)) for c in cte.node.args["alias"].args.get("columns") or ()]
    body = cte.node.this
    if cte.recursive and isinstance(body, exp.SetOperation) and _reads(body.expression, cte):
        return _recursive(cte, body, columns)
    rowset = cte.scope.read(body)
    return rowset.with_names(columns) if columns else rowset


def _reads(node: exp.Expr, cte: Cte) -> bool:
    names = cte.scope.analysis.names
    return any(
        not table.args.get("db")
        and isinstance(table.this, exp.Identifier)
        and names.key(table.this) == cte.name
        for table in node.find_all(exp.Table)
    )


def _recursive(cte: Cte, body: exp.SetOperation, columns: list[tuple[str, str]]) -> Rowset:
    """Return the anchor, then the step on what there is so far until nothing is added."""
    scope = with_ctes(body, cte.scope)
    rowset = scope.read(body.this)
    rowset = rowset.with_names(columns) if columns else rowset
    edges = 0
    for _ in range(len(rowset.fields) + 2):
        edges += sum(len(one.edges) for one in rowset.fields)
        if edges > MOST_RECURSIVE_EDGES:
            raise SqlError(f"the recursive query {cte.name!r} is too wide to be analysed")
        so_far = Cte(cte.name, cte.node, cte.scope, recursive=False, rowset=rowset)
        step = Scope(scope.analysis, scope, Ctes(scope.ctes, {cte.name: so_far})).read(body.expression)
        grown = combined(rowset, step)
        if [f.edges for f in grown.fields] == [f.edges for f in rowset.fields]:
            break
        rowset = grown
    if body.args.get("distinct"):
        scope.analysis.decides_rows(rowset, Subtype.GROUP_BY)
    return rowset
