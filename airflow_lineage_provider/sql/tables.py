"""What stands in FROM: tables, files, subqueries, VALUES, table functions, laterals and joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.functions import FILE_FORMATS
from airflow_lineage_provider.sql.kinds import CONDITIONAL, TRANSFORMATION
from airflow_lineage_provider.sql.model import Subject, Subtype
from airflow_lineage_provider.sql.pivots import pivoted
from airflow_lineage_provider.sql.relations import Edges, Field, Function, Relation, add
from airflow_lineage_provider.sql.scope import Item, Scope
from airflow_lineage_provider.sql.sources import sources
from airflow_lineage_provider.sql.table_functions import aliased, identifiers, read_files, read_function

if TYPE_CHECKING:
    from collections.abc import Callable


def detached(scope: Scope) -> Scope:
    """Where a derived table stands: it sees the CTEs, but not its neighbours in FROM."""
    return Scope(scope.analysis, scope.outer, scope.ctes)


def read_from(query: exp.Expr, scope: Scope) -> None:
    """Put everything in FROM, JOIN and LATERAL VIEW into the scope; note the join columns."""
    source = query.args.get("from_") or query.args.get("from")
    if source is not None:
        add_source(source.this, scope)
    for join in query.args.get("joins") or ():
        add_join(join, scope)
    for lateral in query.args.get("laterals") or ():
        add_source(lateral, scope)


def add_source(node: exp.Expr, scope: Scope) -> list[Item]:
    """Put one FROM item into the scope, with the joins that hang on it."""
    before = len(scope.items)
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not node.alias:
        add_source(node.this, scope)  # FROM (a JOIN b ON ...)
    else:
        relation, name = _source(node, scope)
        relation, name = _with_pivots(node, relation, name, scope)
        scope.add(relation, name)
    for join in node.args.get("joins") or ():
        add_join(join, scope)
    for lateral in node.args.get("laterals") or ():
        add_source(lateral, scope)
    return scope.items[before:]


def _source(node: exp.Expr, scope: Scope) -> tuple[Relation, tuple[str, ...]]:
    if isinstance(node, exp.Final):  # ClickHouse
        node = node.this
    for kinds, read in _SOURCES:
        if isinstance(node, kinds):
            return read(node, scope)
    scope.analysis.problem(Subject.TABLE, f"what a {node.key.upper()} in FROM reads is not known")
    return Function([]), ()


def _derived(node: exp.Expr, scope: Scope) -> Relation:
    from airflow_lineage_provider.sql.query import read_query

    inside = node.this if isinstance(node, exp.Subquery) else node
    if isinstance(inside, exp.Table):
        within = Scope(scope.analysis, scope.outer, scope.ctes)
        add_source(inside, within)
        from airflow_lineage_provider.sql.stars import expand

        fields, rest = expand(exp.Star(), within)
        return Relation(fields, (rest,) if rest else ())
    # DuckDB finds by itself that a subquery is LATERAL.
    return read_query(inside, scope if scope.analysis.dialect == "duckdb" else detached(scope))


def _with_pivots(
    node: exp.Expr, relation: Relation, name: tuple[str, ...], scope: Scope
) -> tuple[Relation, tuple[str, ...]]:
    for pivot in node.args.get("pivots") or ():
        relation = pivoted(pivot, relation, name, scope)
        relation, name = aliased(relation, pivot, scope, name)
    return relation, name


# ---- tables, files, CTEs -------------------------------------------------------------------------


def _table(node: exp.Table, scope: Scope) -> tuple[Relation, tuple[str, ...]]:
    if isinstance(node.this, exp.Func):
        return read_function(node.this, node, scope)
    if node.args.get("rows_from"):
        return _rows_from(node, scope)
    if node.args.get("db"):
        path = _array_path(node, scope)
        if path is not None:
            return path
    relation, name = _named(node, scope)
    return aliased(relation, node, scope, name)


def _rows_from(node: exp.Table, scope: Scope) -> tuple[Relation, tuple[str, ...]]:
    """Read Postgres's ROWS FROM (f(x), g(y)) AS t (a, b): one column of each function."""
    relations = [_source(one, scope)[0] for one in node.args["rows_from"]]
    made = [Field(None, None, one.edges) for one in relations if isinstance(one, Function)]
    return aliased(Relation(made), node, scope)


def _named(node: exp.Table, scope: Scope) -> tuple[Relation, tuple[str, ...]]:
    """Return a CTE, a file by its path, or a table, and its own name."""
    database = node.text("db").lower()
    cte = None if database else scope.ctes.get(scope.analysis.names.key(node.this))
    if cte is not None:
        from airflow_lineage_provider.sql.query import read_cte

        return read_cte(cte), (cte.name,)
    if not node.name or (not database and node.name.lower() == "dual"):
        return Relation([]), ()
    if database in FILE_FORMATS and "/" in node.name:  # parquet.`s3://...`
        return read_files([node.name], scope), ()
    return base_table(node, scope), scope.analysis.catalog.key(node)


def base_table(node: exp.Table, scope: Scope) -> Relation:
    """Return the relation of a table by name: what the script made of it, or the dataset itself."""
    analysis = scope.analysis
    key = analysis.catalog.key(node)
    made = analysis.catalog.made.get(key)
    if made is not None:
        analysis.reads |= made.reads
        analysis.indirect |= made.indirect
        return made.relation
    spelling = analysis.names.spellings(node)
    base = analysis.catalog.read(key, spelling)
    analysis.reads[base.table] = None
    return base


def _array_path(node: exp.Table, scope: Scope) -> tuple[Relation, tuple[str, ...]] | None:
    """BigQuery's `FROM t, t.items`: an array of an earlier item, unnested."""
    path = [p for p in node.parts if isinstance(p, exp.Identifier)]
    name = (scope.analysis.names.key(path[0]),)
    if not any(item.name == name for item in scope.items):
        return None
    edges: Edges = {}
    add(edges, sources(exp.column(*reversed(path)), scope), TRANSFORMATION)
    return aliased(Function([], edges=edges), node, scope, (scope.analysis.names.key(path[-1]),))


def _values(node: exp.Values, scope: Scope) -> Relation:
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
    return Relation(fields)


# ---- functions and laterals ----------------------------------------------------------------------


def _lateral(node: exp.Expr, scope: Scope) -> tuple[Relation, tuple[str, ...]]:
    if isinstance(node, exp.Unnest):
        return read_function(node, node, scope)
    inside = node.this
    if isinstance(inside, exp.Query):
        from airflow_lineage_provider.sql.query import read_query

        return aliased(read_query(inside, scope), node, scope)
    return read_function(inside, node, scope)


_SOURCES: tuple[tuple[tuple[type[exp.Expr], ...], Callable[..., tuple[Relation, tuple[str, ...]]]], ...] = (
    ((exp.Table,), _table),
    ((exp.Unnest, exp.Lateral, exp.TableFromRows), _lateral),
    ((exp.Values,), lambda node, scope: aliased(_values(node, scope), node, scope)),
    ((exp.Query, exp.Pivot), lambda node, scope: aliased(_derived(node, scope), node, scope)),
    ((exp.Func,), lambda node, scope: read_function(node, node, scope)),
)


# ---- joins ---------------------------------------------------------------------------------------


def add_join(join: exp.Join, scope: Scope) -> None:
    """Put a join's right side into the scope and note the columns that decide about it."""
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
    if not all(item.relation.complete for item in (*before, *after)):
        scope.analysis.problem(
            Subject.COLUMN, "NATURAL JOIN needs the columns of both sides, which are not known"
        )
    left = {f.key for item in before for f in item.relation.fields}
    return [(f.key, f.name or "") for item in after for f in item.relation.fields if f.key and f.key in left]


def join_by_name(columns: object, left: list[Item], right: list[Item], scope: Scope) -> None:
    """Note the columns of USING as those that join."""
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
    known = [hit for item in items if (hit := item.relation.known(key))]
    if known:
        return known[:1] if len(known) > 1 else known
    unsure = [item.relation for item in items if not item.relation.complete]
    hit = unsure[0].possible(key) if len(unsure) == 1 else None
    return [hit] if hit else []
