"""Table functions: readers of files, and functions whose columns come from their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.edge_kinds import TRANSFORMATION
from airflow_lineage_provider.sql.functions import FUNCTION_COLUMNS, ONE_COLUMN, READERS
from airflow_lineage_provider.sql.rowsets import Edges, Field, Function, Rest, Rowset, add
from airflow_lineage_provider.sql.sources import field_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_lineage_provider.sql.names import Names
    from airflow_lineage_provider.sql.scope import Scope

_UNNESTS = frozenset({"unnest", "explode", "explode_outer", "posexplode", "inline"})
# Dialects where UNNEST of an array of structs has one column for each field of the struct.
_ROWS_EXPAND = frozenset({"bigquery", "postgres", "trino", "presto", "athena"})


def aliased(
    rowset: Rowset, node: exp.Expr, scope: Scope, default: Sequence[str] = ()
) -> tuple[Rowset, tuple[str, ...]]:
    """Return the rowset under its alias and the alias's column list."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return rowset, tuple(default)
    names = scope.analysis.names
    columns = [(names.spelling(c), names.key(c)) for c in identifiers(alias.args.get("columns"))]
    if columns and not isinstance(rowset, Function):
        rowset = rowset.with_names(columns)
    name = alias.this
    return rowset, (names.key(name),) if isinstance(name, exp.Identifier) else tuple(default)


def identifiers(columns: Iterable[exp.Expr] | None) -> list[exp.Identifier]:
    """Return the names of a column list, of a typed one (`t(a int)`) as well."""
    found = [c if isinstance(c, exp.Identifier) else c.this for c in columns or ()]
    return [c for c in found if isinstance(c, exp.Identifier)]


def read_files(paths: Sequence[str], scope: Scope) -> Rowset:
    """Return the rowset of the files that a function reads; of several files, their union."""
    bases = [scope.analysis.catalog.read((path,), (path,)) for path in paths]
    for base in bases:
        scope.analysis.reads[base.table] = None
    if len(bases) == 1:
        return bases[0]
    return Rowset([], tuple((Rest(base),) for base in bases))


def read_function(call: exp.Expr, node: exp.Expr, scope: Scope) -> tuple[Rowset, tuple[str, ...]]:
    """Return the rowset and name of a table function."""
    name = _function_name(call)
    paths = _paths(call) if name in READERS else []
    if paths:
        return aliased(read_files(paths, scope), node, scope)
    names = scope.analysis.names
    alias = node.args.get("alias")
    alias_name = alias.this if isinstance(alias, exp.TableAlias) else None
    listed = identifiers(alias.args.get("columns")) if isinstance(alias, exp.TableAlias) else []
    arguments = [_argument(a, scope) for a in _arguments(call)]
    edges: Edges = {}
    for one in arguments:
        add(edges, one.edges)
    row = _element_row(arguments) if name in _UNNESTS else None
    of_row = row is not None and (
        name == "inline"
        or (scope.analysis.dialect in _ROWS_EXPAND and len(listed) in {0, 1, len(row.fields)})
    )
    if row is not None and of_row:
        fields = row.fields if len(listed) < len(row.fields) else row.with_names(_named(listed, names)).fields
    else:
        fields = _listed_fields(name, listed, names, edges, arguments, row) or _usual_fields(
            name, alias_name, names, edges, row
        )
    fields = [*fields, *_offsets(call, node, names)]
    item = (names.key(alias_name),) if alias_name else ()
    if not item and len(listed) == 1:
        item = (names.key(listed[0]),)
    defined = _defined_columns(call)
    fields += [Field(names.spelling(c), names.key(c), edges) for c in defined]
    closed = bool(listed and item and alias_name) or bool(defined) or of_row
    rowset = Function(fields, edges=edges, closed=closed)
    alias_name = listed[0] if alias_name is None and len(listed) == 1 else alias_name
    if alias_name is not None:  # the alias of a function may also name its only column
        key = names.key(alias_name)
        rowset.index.setdefault(key, Field(names.spelling(alias_name), key, edges, row=row))
    return rowset, item or (names.fold(name),)


def _element_row(arguments: list[Field]) -> Rowset | None:
    """Return the fields of the elements of an array of structs."""
    row = arguments[0].row if len(arguments) == 1 else None
    if row is None or not row.complete:
        return None
    parts = []
    for one in row.fields:
        edges: Edges = {}
        add(edges, one.edges, TRANSFORMATION)
        parts.append(Field(one.name, one.key, edges, row=one.row))
    return Rowset(parts)


def _named(listed: list[exp.Identifier], names: Names) -> list[tuple[str, str]]:
    return [(names.spelling(c), names.key(c)) for c in listed]


def _listed_fields(
    name: str,
    listed: list[exp.Identifier],
    names: Names,
    edges: Edges,
    arguments: list[Field],
    row: Rowset | None,
) -> list[Field]:
    """Return the columns of the alias's list. UNNEST of several arrays has one column for each."""
    each = name == "unnest" and len(arguments) == len(listed)
    return [
        Field(shown, key, arguments[i].edges if each else edges, row=row if i == len(listed) - 1 else None)
        for i, (shown, key) in enumerate(_named(listed, names))
    ]


def _usual_fields(
    name: str, alias: exp.Identifier | None, names: Names, edges: Edges, row: Rowset | None
) -> list[Field]:
    """Return the columns that the function is known to return."""
    if alias is not None and name in ONE_COLUMN:
        return [Field(names.spelling(alias), names.key(alias), edges, row=row)]
    return [Field(c, names.fold(c), edges) for c in FUNCTION_COLUMNS.get(name, ())]


def _offsets(call: exp.Expr, node: exp.Expr, names: Names) -> list[Field]:
    """Return the columns of WITH OFFSET and WITH ORDINALITY, which have no source."""
    offset = call.args.get("offset") or node.args.get("offset")
    if isinstance(offset, exp.Identifier):
        return [Field(names.spelling(offset), names.key(offset), {})]
    if offset:
        return [Field(n, names.fold(n), {}) for n in ("offset", "ordinality")]
    return []


def _defined_columns(call: exp.Expr) -> list[exp.Identifier]:
    """Return the columns of OPENJSON(...) WITH (a int), JSON_TABLE(... COLUMNS (a ...)) and XMLTABLE."""
    schema = call.args.get("schema")
    columns = [*call.find_all(exp.OpenJSONColumnDef, exp.JSONColumnDef)]
    if isinstance(schema, exp.Schema):
        columns += list(schema.find_all(exp.ColumnDef))
    return [c.this for c in columns if isinstance(c.this, exp.Identifier)]


def _function_name(call: exp.Expr) -> str:
    if isinstance(call, exp.Anonymous):
        return call.name.lower()
    if isinstance(call, exp.Explode) and call.find(exp.Kwarg) is not None:
        return "flatten"
    return call.sql_name().lower() if isinstance(call, exp.Func) else ""


def _arguments(call: exp.Expr) -> list[exp.Expr]:
    skip = (exp.DataType, exp.Identifier, exp.OpenJSONColumnDef, exp.JSONSchema, exp.Schema, exp.TableAlias)
    return [a for a in call.iter_expressions() if not isinstance(a, skip)]


def _argument(node: exp.Expr, scope: Scope) -> Field:
    edges: Edges = {}
    row = None
    if isinstance(node, exp.Table):  # TABLE(f(TABLE t)): the whole table
        rowset = scope.analysis.read_table(node)
        for one in rowset.fields:
            add(edges, one.edges, TRANSFORMATION)
    else:
        value = field_of(node, scope)
        add(edges, value.edges, TRANSFORMATION)
        row = value.row
    return Field(None, None, edges, row=row)


def _paths(call: exp.Expr) -> list[str]:
    """Return the literal path, or list of paths, of a function that reads files."""
    arguments = [a for a in call.iter_expressions() if not isinstance(a, (exp.Kwarg, exp.PropertyEQ, exp.EQ))]
    if not arguments:
        return []
    first = arguments[0].unnest()
    nodes = first.expressions if isinstance(first, (exp.Array, exp.Tuple)) else [first]
    return [n.name for n in nodes if isinstance(n, exp.Literal) and n.is_string]
