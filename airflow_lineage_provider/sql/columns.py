"""Column references: the field of a dotted name, including a path into a struct."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.compat import classes
from airflow_lineage_provider.sql.edge_kinds import TRANSFORMATION
from airflow_lineage_provider.sql.functions import is_value
from airflow_lineage_provider.sql.rowsets import BaseTable, Edges, Field, add, field_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_lineage_provider.sql.scope import Scope

_EXTRACTS = classes("Dot", "StructExtract")


def value_path(node: exp.Expr) -> tuple[list[exp.Expr], exp.Expr]:
    """Return the path of `x.a`, `x['a']` or STRUCT_EXTRACT(x, 'a') as identifiers and literals, and x."""
    path: list[exp.Expr] = []
    while True:
        parts = [node.expression] if isinstance(node, _EXTRACTS) else node.expressions
        if not isinstance(node, (exp.Dot, exp.Bracket, *_EXTRACTS)) or len(parts) != 1:
            break
        literal = isinstance(parts[0], exp.Literal) and parts[0].is_string
        if not literal and not (isinstance(node, exp.Dot) and isinstance(parts[0], exp.Identifier)):
            break
        path.insert(0, parts[0])
        node = node.this
    return path, node


def column_path(column: exp.Column) -> list[exp.Identifier]:
    """Return the identifiers of a dotted column, outermost first."""
    return [part for part in column.parts if isinstance(part, exp.Identifier)]


def column_field(column: exp.Column, scope: Scope) -> Field | None:
    """Return the field of a column reference, including a path into a struct; None where there is none.

    A path beyond the known fields of a struct gives the whole value, transformed.
    """
    if isinstance(column.this, exp.Parameter):
        return staged_field(column.this, scope)
    path = column_path(column)
    found, used = scope.resolve(path)
    if found is None:
        return None if used else _not_found(path, scope)  # a lambda variable is used, but no field
    if used == len(path):
        scope.analysis.resolved[id(column)] = found
    return field_at(found, path[used:], scope)


def field_at(found: Field, path: Sequence[exp.Expr], scope: Scope) -> Field:
    """Return the part of a field at a path. Unknown structs give the whole value, transformed."""
    for part in path:
        inner = field_in(found.row, scope.analysis.names.key(part))
        edges: Edges = {}
        if inner is None and found.row is not None and found.row.complete:
            scope.analysis.unknown(part.name, ["the row or struct before it"], part.meta.get("line"))
        else:
            add(edges, (inner or found).edges, TRANSFORMATION)
        found = Field(part.name, None, edges, (), inner.row if inner else None)
    return found


def staged_field(parameter: exp.Expr, scope: Scope) -> Field | None:
    """`$1` of a staged file."""
    if not scope.items or not parameter.name.isdigit():
        return None
    rowset = scope.items[0].rowset
    key = f"${parameter.name}"
    return rowset.known(key) or rowset.possible(key)


def _not_found(path: list[exp.Identifier], scope: Scope) -> Field | None:
    """Note a problem for an unknown name that is not a keyword or a variable."""
    name = path[0]
    if len(path) == 1 and not name.quoted and is_value(name.name, scope.analysis.dialect):
        return None
    if scope.analysis.names.key(name) in scope.analysis.catalog.variables:
        return None
    keys = [scope.analysis.names.key(part) for part in path]
    named = next((r for n in range(len(keys) - 1, 0, -1) if (r := scope.rowset(tuple(keys[:n])))), None)
    if isinstance(named, BaseTable):
        tables = [f"{named.table} in the schema"]
    elif named is not None:
        tables = [".".join(p.name for p in path[:-1])]
    else:
        tables = [".".join(item.name) or "a subquery" for s in scope.chain() for item in s.items]
    scope.analysis.unknown(".".join(p.name for p in path), tables, name.meta.get("line"))
    return None
