"""PIVOT and UNPIVOT, after a table in FROM or as DuckDB's statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.compat import pivot_column
from airflow_lineage_provider.sql.edge_kinds import TRANSFORMATION
from airflow_lineage_provider.sql.model import Subtype
from airflow_lineage_provider.sql.rowsets import Edges, Field, Function, Rest, Rowset, add
from airflow_lineage_provider.sql.sources import field_of, sources
from airflow_lineage_provider.sql.stars import columns_call, expand, for_each_column, is_star

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.sql.scope import Scope


def pivoted(pivot: exp.Pivot, rowset: Rowset, name: tuple[str, ...], around: Scope) -> Rowset:
    """Return the rowset of PIVOT or UNPIVOT over another rowset."""
    scope = around.detached()
    scope.add(rowset, name)
    if pivot.args.get("unpivot"):
        return _unpivot(pivot, rowset, scope)
    return _pivot(pivot, rowset, scope)


# ---- PIVOT ---------------------------------------------------------------------------------------


def _pivot(pivot: exp.Pivot, rowset: Rowset, scope: Scope) -> Rowset:
    using = pivot.args.get("using") or []
    simplified = bool(using or not pivot.args.get("fields"))
    aggregates = [field_of(a.unalias(), scope) for a in (using if simplified else pivot.expressions)]
    ons = [e.unalias() for e in (pivot.expressions if simplified else pivot.args["fields"])]
    by = [on.this if isinstance(on, exp.In) else on for on in ons]
    for on in by:
        scope.analysis.decides(sources(on, scope), Subtype.CONDITIONAL)
    for query in [e for on in ons for e in on.expressions if isinstance(e, exp.Query)]:
        scope.analysis.decides(sources(query, scope), Subtype.CONDITIONAL)
    kept, rest = _kept(pivot, rowset, scope, _used(by + (using if simplified else pivot.expressions), scope))
    for one in kept:
        scope.analysis.decides(one.edges, Subtype.GROUP_BY)
    names = _statement_columns(ons, using) if simplified else _clause_columns(pivot)
    made = [
        Field(shown, key, aggregates[i % len(aggregates)].edges if aggregates else {})
        for i, (shown, key) in enumerate(_keyed(names, scope))
    ]
    if not names:
        rest += (Rest(_by_data(aggregates)),)
    return Rowset(kept + made, (rest,) if rest else ())


def _by_data(aggregates: list[Field]) -> Function:
    """Return the columns of a dynamic PIVOT: their names are data, and each is an aggregate."""
    edges: Edges = {}
    for one in aggregates:
        add(edges, one.edges)
    return Function([], edges=edges)


def _used(nodes: Iterable[exp.Expr], scope: Scope) -> set[str]:
    return {scope.analysis.names.key(c.this) for n in nodes for c in n.find_all(exp.Column) if c.name}


def _kept(
    pivot: exp.Pivot, rowset: Rowset, scope: Scope, used: set[str]
) -> tuple[list[Field], tuple[Rest, ...]]:
    """Return the columns that the pivot groups by: those of GROUP BY, or all that it does not use."""
    group = pivot.args.get("group")
    if group is not None:
        names = scope.analysis.names
        fields = []
        for column in group.expressions:
            identifier = column.this if isinstance(column, exp.Column) else None
            shown = names.spelling(identifier) if identifier is not None else column.alias_or_name
            fields.append(field_of(column, scope, shown, names.fold(shown)))
        return fields, ()
    kept = [one for one in rowset.fields if one.key not in used]
    return kept, () if rowset.complete else (Rest(rowset, frozenset(used)),)


def _clause_columns(pivot: exp.Pivot) -> list[exp.Identifier]:
    columns = pivot.args.get("columns") or ()
    if any(isinstance(e, (exp.Query, exp.PivotAny)) for f in pivot.args["fields"] for e in f.expressions):
        return []  # IN (SELECT ...), IN (ANY): names depend on data
    return [
        exp.to_identifier(
            pivot_column(c.name), quoted=bool(c.args.get("quoted")) and pivot_column(c.name) == c.name
        )
        for c in columns
    ]


def _statement_columns(ons: list[exp.Expr], using: list[exp.Expr]) -> list[exp.Identifier]:
    """`PIVOT t ON y IN (2000, 2010) USING sum(p) AS s`: 2000_s, 2010_s. Without IN names are data."""
    if len(ons) != 1 or not isinstance(ons[0], exp.In) or not ons[0].expressions:
        return []
    values = [v.alias_or_name for v in ons[0].expressions]
    suffixes = [a.alias or (a.sql("duckdb") if len(using) > 1 else "") for a in using] or [""]
    return [exp.to_identifier(f"{v}_{s}" if s else v, quoted=True) for v in values for s in suffixes]


def _keyed(columns: Iterable[exp.Identifier], scope: Scope) -> list[tuple[str, str]]:
    names = scope.analysis.names
    return [(names.spelling(c), names.key(c)) for c in columns]


# ---- UNPIVOT -------------------------------------------------------------------------------------


def _unpivot(pivot: exp.Pivot, rowset: Rowset, scope: Scope) -> Rowset:
    into = pivot.args.get("into")
    groups = _groups(pivot, scope)
    if pivot.args.get("fields"):
        names = [i for f in pivot.args["fields"] for i in _names(f.this)]
        values = [i for e in pivot.expressions for i in _names(e)]
    else:
        names = _names(into.this) if into is not None else [exp.to_identifier("name")]
        values = [i for e in into.expressions for i in _names(e)] if into is not None else []
        values = values or [exp.to_identifier("value")]
    used = {one.key for group in groups for one in group if one.key}
    everything: Edges = {}
    for group in groups:
        for one in group:
            add(everything, one.edges, TRANSFORMATION)
    made = [Field(s, k, everything) for s, k in _keyed(names, scope)]
    valued = [
        Field(s, k, _value(groups, i, len(values), everything))
        for i, (s, k) in enumerate(_keyed(values, scope))
    ]
    kept = [one for one in rowset.fields if one.key not in used]
    rest = () if rowset.complete else (Rest(rowset, frozenset(used)),)
    added = valued + made if pivot.args.get("value_columns_first") else made + valued
    return Rowset(kept + added, (rest,) if rest else ())


def _value(groups: list[list[Field]], position: int, width: int, everything: Edges) -> Edges:
    """`UNPIVOT ((a, b) FOR n IN ((q1, q2), (q3, q4)))`: a comes from q1 and q3."""
    if width == 1:
        return everything
    edges: Edges = {}
    for group in groups:
        for one in group[position : position + 1] if len(group) == width else group:
            add(edges, one.edges, TRANSFORMATION)
    return edges


def _groups(pivot: exp.Pivot, scope: Scope) -> list[list[Field]]:
    """Return the IN columns, grouped where there are several value columns."""
    if pivot.args.get("fields"):
        nodes = [e for f in pivot.args["fields"] for e in f.expressions]
    else:
        nodes = pivot.expressions
    groups: list[list[Field]] = []
    for node in nodes:
        inner = node.this if isinstance(node, (exp.PivotAlias, exp.Alias)) else node
        call = columns_call(inner)
        if is_star(inner):
            groups += [[one] for one in expand(inner, scope)[0]]
        elif call is not None:
            groups += [[one] for one in for_each_column(inner, call, scope)]
        else:
            parts = inner.expressions if isinstance(inner, exp.Tuple) else [inner.unnest()]
            groups.append([_in_column(part, scope) for part in parts])
    return groups


def _in_column(node: exp.Expr, scope: Scope) -> Field:
    name = node.name
    quoted = bool((node.this if isinstance(node, exp.Column) else node).args.get("quoted"))
    if isinstance(node, exp.Identifier):
        node = exp.column(node.copy())
    return field_of(node, scope, name, scope.analysis.names.fold(name, quoted=quoted))


def _names(node: exp.Expr) -> list[exp.Identifier]:
    if isinstance(node, (exp.Tuple, exp.Paren)):
        return [i for e in (node.expressions or [node.this]) for i in _names(e)]
    identifier = node.this if isinstance(node, exp.Column) else node
    return [identifier] if isinstance(identifier, exp.Identifier) else [exp.to_identifier(node.name)]
