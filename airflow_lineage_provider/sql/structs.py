"""The fields of struct types, as far as a schema states them: STRUCT(a INT), ARRAY<STRUCT<...>>, ROW(...)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError

from airflow_lineage_provider.sql.edge_kinds import TRANSFORMATION
from airflow_lineage_provider.sql.rowsets import Edges, Field, Rowset, add

if TYPE_CHECKING:
    from airflow_lineage_provider.sql.names import Names

_STRUCT = re.compile(r"\b(struct|row|record|object|tuple|nested)\s*[(<]", re.IGNORECASE)
_ARRAYS = {exp.DataType.Type.ARRAY, exp.DataType.Type.LIST, exp.DataType.Type.NESTED}


def row_of_type(text: str, edges: Edges, names: Names) -> Rowset | None:
    """Return the fields of a struct type, or of an array of structs; None for other types.

    Each field has the edges of the whole column.
    """
    if _STRUCT.search(text) is None:
        return None
    try:
        kind = exp.DataType.build(text, dialect=names.dialect, udt=True)
    except (SqlglotError, ValueError, AttributeError, RecursionError):
        return None
    parts: Edges = {}
    add(parts, edges, TRANSFORMATION)
    return row_of(kind, parts, names)


def row_of(kind: exp.Expr, edges: Edges, names: Names) -> Rowset | None:
    """Return the fields of a parsed type; `edges` are those of each field."""
    repeated = False
    while isinstance(kind, exp.DataType) and kind.this in _ARRAYS and len(kind.expressions) == 1:
        if not isinstance(kind.expressions[0], exp.DataType):
            break
        kind, repeated = kind.expressions[0], True
    columns = [part for part in kind.expressions if isinstance(part, exp.ColumnDef)]
    if not columns or len(columns) < len(kind.expressions):
        return None
    fields = [
        Field(one.name, names.stored(one.name), edges, row=row_of(one.args["kind"], edges, names))
        for one in columns
    ]
    return Rowset(fields, repeated=repeated)
