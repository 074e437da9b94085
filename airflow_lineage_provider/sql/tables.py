"""FROM items: tables, files, subqueries, VALUES, table functions, laterals and joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.compat import classes
from airflow_lineage_provider.sql.ctes import read_cte
from airflow_lineage_provider.sql.edge_kinds import CONDITIONAL, TRANSFORMATION
from airflow_lineage_provider.sql.functions import FILE_FORMATS
from airflow_lineage_provider.sql.model import Subject, Subtype
from airflow_lineage_provider.sql.pivots import pivoted
from airflow_lineage_provider.sql.rowsets import Edges, Field, Function, Rowset, add
from airflow_lineage_provider.sql.scope import Item, Scope
from airflow_lineage_provider.sql.sources import sources
from airflow_lineage_provider.sql.stars import expand
from airflow_lineage_provider.sql.table_functions import aliased, identifiers, read_files, read_function

if TYPE_CHECKING:
    from collections.abc import Callable

_WRAPPERS = classes("Final", "Stream")  # ClickHouse's FINAL, Databricks' STREAM


def read_from(query: exp.Expr, scope: Scope) -> None:
    """Add the items of FROM, JOIN and LATERAL VIEW to the scope, and note the join columns."""
    source = query.args.get("from_") or query.args.get("from")
    if source is not None:
        add_source(source.this, scope)
    for join in query.args.get("joins") or ():
        add_join(join, scope)
    for lateral in query.args.get("laterals") or ():
        add_source(lateral, scope)


def add_source(node: exp.Expr, scope: Scope) -> list[Item]:
    """Add one FROM item and its joins to the scope; return the new items."""
    before = len(scope.items)
    if isinstance(node, exp.Subquery) and not node.alias and _is_from_item(node.this):
        add_source(node.this, scope)  # FROM ((a JOIN b ON ...))
    elif isinstance(node, _WRAPPERS):
        add_source(node.this, scope)
    else:
        rowset, name = _source(node, scope)
        rowset, name = _with_pivots(node, rowset, name, scope)
        scope.add(rowset, name)
    for join in node.args.get("joins") or ():
        add_join(join, scope)
    for lateral in node.args.get("laterals") or ():
        add_source(lateral, scope)
    return scope.items[before:]


def _is_from_item(node: exp.Expr) -> bool:
    """Tell whether parentheses in FROM hold a FROM item, whose names are visible outside, or a query."""
    while isinstance(node, exp.Subquery):
        if any(node.args.get(key) for key in ("alias", "joins", "laterals", "pivots")):
            return True
        node = node.this
    return not isinstance(node, (exp.Query, exp.Pivot, exp.DML))


def _source(node: exp.Expr, scope: Scope) -> tuple[Rowset, tuple[str, ...]]:
    if isinstance(node, exp.Pivot) and isinstance(node.this, (exp.AtIndex, exp.Alias)):
        return _partiql(node, scope)
    for kinds, read in _SOURCES:
        if isinstance(node, kinds):
            return read(node, scope)
    scope.analysis.problem(Subject.TABLE, f"the columns of a {node.key.upper()} in FROM are not known")
    return Function([]), ()


def _partiql(node: exp.Expr, scope: Scope) -> tuple[Rowset, tuple[str, ...]]:
    """Read Redshift's `t.items AS item AT position` and `UNPIVOT t.object AS value AT key`."""
    at = node.this if isinstance(node, exp.Pivot) else node
    value = at.this if isinstance(at, exp.AtIndex) else at
    names = scope.analysis.names
    edges: Edges = {}
    add(edges, sources(value.unalias(), scope), TRANSFORMATION)
    alias = value.args.get("alias")
    name = alias if isinstance(alias, exp.Identifier) else exp.to_identifier(value.alias_or_name)
    fields = [Field(names.spelling(name), names.key(name), edges)]
    if isinstance(at, exp.AtIndex) and isinstance(at.expression, exp.Identifier):
        key = at.expression
        fields.append(Field(names.spelling(key), names.key(key), edges if at is not node else {}))
    return Function(fields, edges=edges), (names.key(name),)


def _derived(node: exp.Expr, scope: Scope) -> Rowset:
    inside = node.this if isinstance(node, exp.Subquery) else node
    if _is_from_item(inside):
        within = scope.detached()
        add_source(inside, within)
        fields, rest = expand(exp.Star(), within)
        return Rowset(fields, (rest,) if rest else ())
    # In DuckDB a subquery is LATERAL without the keyword.
    return (scope if scope.analysis.dialect == "duckdb" else scope.detached()).read(inside)


def _with_pivots(
    node: exp.Expr, rowset: Rowset, name: tuple[str, ...], scope: Scope
) -> tuple[Rowset, tuple[str, ...]]:
    for pivot in node.args.get("pivots") or ():
        rowset = pivoted(pivot, rowset, name, scope)
        rowset, name = aliased(rowset, pivot, scope, name)
    return rowset, name


# ---- tables, files, CTEs -------------------------------------------------------------------------


def _table(node: exp.Table, scope: Scope) -> tuple[Rowset, tuple[str, ...]]:
    if isinstance(node.this, exp.Func):
        return read_function(node.this, node, scope)
    if node.args.get("rows_from"):
        return _rows_from(node, scope)
    if node.args.get("db"):
        path = _array_path(node, scope)
        if path is not None:
            return path
    rowset, name = _named(node, scope)
    return aliased(rowset, node, scope, name)


def _rows_from(node: exp.Table, scope: Scope) -> tuple[Rowset, tuple[str, ...]]:
    """Read Postgres's ROWS FROM (f(x), g(y)) AS t (a, b): one column of each function."""
    rowsets = [_source(one, scope)[0] for one in node.args["rows_from"]]
    made = [Field(None, None, one.edges) for one in rowsets if isinstance(one, Function)]
    return aliased(Rowset(made), node, scope)


def _named(node: exp.Table, scope: Scope) -> tuple[Rowset, tuple[str, ...]]:
    """Return a CTE, a file by its path, or a table, and its name."""
    database = node.text("db").lower()
    cte = None if database else scope.ctes.get(scope.analysis.names.key(node.this))
    if cte is not None:
        return read_cte(cte), (cte.name,)
    if not node.name or (not database and node.name.lower() == "dual"):
        return Rowset([]), ()
    if database in FILE_FORMATS and "/" in node.name:  # parquet.`s3://...`
        return read_files([node.name], scope), ()
    return scope.analysis.read_table(node), scope.analysis.catalog.key(node)


def _array_path(node: exp.Table, scope: Scope) -> tuple[Rowset, tuple[str, ...]] | None:
    """BigQuery's `FROM t, t.items`: an array of an earlier item, unnested."""
    path = [p for p in node.parts if isinstance(p, exp.Identifier)]
    name = (scope.analysis.names.key(path[0]),)
    if not any(item.name == name for item in scope.items):
        return None
    edges: Edges = {}
    add(edges, sources(exp.column(*reversed(path)), scope), TRANSFORMATION)
    return aliased(Function([], edges=edges), node, scope, (scope.analysis.names.key(path[-1]),))


def _values(node: exp.Values, scope: Scope) -> Rowset:
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
    first = 0 if scope.analysis.dialect == "duckdb" else 1
    stem = "col" if scope.analysis.dialect in {"duckdb", "spark", "databricks"} else "column"
    names = scope.analysis.names
    fields = []
    for i in range(len(rows[0]) if rows else 0):
        edges: Edges = {}
        for row in rows:
            if i < len(row) and not isinstance(row[i], exp.Literal):
                add(edges, sources(row[i], scope))
        name = f"{stem}{i + first}"
        fields.append(Field(name, names.fold(name), edges))
    return Rowset(fields)


# ---- functions and laterals ----------------------------------------------------------------------


def _lateral(node: exp.Expr, scope: Scope) -> tuple[Rowset, tuple[str, ...]]:
    if isinstance(node, exp.Unnest):
        return read_function(node, node, scope)
    inside = node.this
    if isinstance(inside, exp.Query):
        return aliased(scope.read(inside), node, scope)
    return read_function(inside, node, scope)


_SOURCES: tuple[tuple[tuple[type[exp.Expr], ...], Callable[..., tuple[Rowset, tuple[str, ...]]]], ...] = (
    ((exp.Table,), _table),
    ((exp.Unnest, exp.Lateral, exp.TableFromRows), _lateral),
    ((exp.AtIndex, exp.Alias), _partiql),
    ((exp.Values,), lambda node, scope: aliased(_values(node, scope), node, scope)),
    ((exp.Query, exp.Pivot), lambda node, scope: aliased(_derived(node, scope), node, scope)),
    ((exp.Func,), lambda node, scope: read_function(node, node, scope)),
)


# ---- joins ---------------------------------------------------------------------------------------


def add_join(join: exp.Join, scope: Scope) -> None:
    """Add the right side of a join to the scope, and note the columns of its condition."""
    if (join.kind or "").upper() == "ARRAY":
        _array_join(join, scope)
        return
    before = list(scope.items)
    after = add_source(join.this, scope)
    semi = (join.kind or "").upper() in {"SEMI", "ANTI"}
    subtype = Subtype.FILTER if semi else Subtype.JOIN
    keys = _join_keys(join, before, after, scope)
    for key, name in keys:
        _use(key, name, before, after, scope, subtype)
    for condition in (join.args.get("on"), join.args.get("match_condition")):
        if condition is not None:
            scope.analysis.decides(sources(condition, scope, CONDITIONAL), subtype)
    if semi:
        for item in after:
            item.hidden = True


def _array_join(join: exp.Join, scope: Scope) -> None:
    """Read ClickHouse's ARRAY JOIN tags AS tag: each is a column of one element."""
    names = scope.analysis.names
    fields = []
    for node in (join.this, *join.expressions):
        edges: Edges = {}
        add(edges, sources(node.unalias(), scope), TRANSFORMATION)
        fields.append(Field(node.alias_or_name, names.fold(node.alias_or_name), edges))
    scope.items.insert(0, Item(Function(fields, edges={}, closed=True), ()))


def _join_keys(join: exp.Join, before: list[Item], after: list[Item], scope: Scope) -> list[tuple[str, str]]:
    names = scope.analysis.names
    using = [(names.key(c), names.spelling(c)) for c in identifiers(join.args.get("using"))]
    if (join.args.get("method") or "").upper() != "NATURAL":
        return using
    if not all(item.rowset.complete for item in (*before, *after)):
        scope.analysis.problem(
            Subject.COLUMN, "NATURAL JOIN needs the columns of both sides, which are not known"
        )
    left = {f.key for item in before for f in item.rowset.fields}
    return [(f.key, f.name or "") for item in after for f in item.rowset.fields if f.key and f.key in left]


def join_by_name(columns: object, left: list[Item], right: list[Item], scope: Scope) -> None:
    """Note the columns of USING as join columns."""
    for column in identifiers(columns if isinstance(columns, list) else None):
        key, name = scope.analysis.names.key(column), scope.analysis.names.spelling(column)
        _use(key, name, left, right, scope, Subtype.JOIN)


def _use(key: str, name: str, before: list[Item], after: list[Item], scope: Scope, subtype: Subtype) -> None:
    left = scope.using.get(key) or _having(key, before)
    right = _having(key, after)
    for one in (*left, *right):
        scope.analysis.decides(one.edges, subtype)
    if not left or not right:
        scope.analysis.unknown(name, ["both sides of the join"], None)
    if subtype is Subtype.JOIN:
        scope.using[key] = [*left, *right]


def _having(key: str, items: list[Item]) -> list[Field]:
    known = [hit for item in items if (hit := item.rowset.known(key))]
    if known:
        return known[:1] if len(known) > 1 else known
    unsure = [item.rowset for item in items if not item.rowset.complete]
    hit = unsure[0].possible(key) if len(unsure) == 1 else None
    return [hit] if hit else []
