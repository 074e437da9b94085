"""One extractor for each kind of statement: what it writes, and the fields that it writes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.analysis import Made
from airflow_lineage_provider.sql.kinds import CONDITIONAL
from airflow_lineage_provider.sql.model import Subject, Subtype, Table
from airflow_lineage_provider.sql.query import read_query, with_ctes
from airflow_lineage_provider.sql.relations import BaseTable, Field, Relation, Rest, merged
from airflow_lineage_provider.sql.scope import Scope
from airflow_lineage_provider.sql.sources import field_of, sources
from airflow_lineage_provider.sql.tables import add_join, add_source, base_table, read_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from airflow_lineage_provider.sql.analysis import Analysis, Key


@dataclass(slots=True, eq=False)
class Write:
    """What a statement does to one table; `table` is None where rows are only returned."""

    table: Table | None
    key: Key
    relation: Relation
    temporary: bool = False
    replaces: bool = False  # what the table held before is gone


def read_statement(node: exp.Expr, analysis: Analysis) -> Iterator[Write]:
    """Return what the statement writes, table by table. A query writes to no table."""
    scope = Scope(analysis)
    if isinstance(node, exp.Query | exp.Pivot | exp.Table | exp.Values):
        yield from _query(node, scope)
        return
    for kind, extract in _EXTRACTORS:
        if isinstance(node, kind):
            yield from extract(node, with_ctes(node, scope))
            return
    if isinstance(node, exp.Command):
        if node.name.upper() not in _NO_DATA_COMMANDS:
            analysis.problem(Subject.STATEMENT, f"{_words(node)!r} is a statement that is not analysed")
    elif not isinstance(node, _NO_DATA):
        analysis.problem(Subject.STATEMENT, f"{node.sql()[:40]!r} is no SQL statement")


def _words(node: exp.Command) -> str:
    return " ".join(f"{node.this} {node.args.get('expression') or ''}".split())[:40]


def _query(node: exp.Expr, scope: Scope) -> Iterator[Write]:
    relation = read_query(node, scope)
    into = node.args.get("into")
    if into is not None and isinstance(into.this, exp.Table):
        temporary = bool(into.args.get("temporary"))
        yield _write(into.this, relation, scope, temporary=temporary, replaces=True)
    else:
        yield Write(None, (), relation)


def _write(
    table: exp.Table, relation: Relation, scope: Scope, *, temporary: bool = False, replaces: bool = False
) -> Write:
    catalog = scope.analysis.catalog
    temporary = temporary or table.name.startswith("#") or bool(table.this.args.get("temporary"))
    return Write(catalog.dataset(table), catalog.key(table), relation, temporary, replaces)


def _named(relation: Relation, columns: Sequence[exp.Identifier], scope: Scope) -> Relation:
    names = scope.analysis.names
    return relation.with_names([(names.spelling(c), names.key(c)) for c in columns])


def _target(node: exp.Expr) -> tuple[exp.Table | None, list[exp.Identifier]]:
    """Return the table, and the columns that the statement lists for it."""
    columns: list[exp.Identifier] = []
    if isinstance(node, exp.Schema):
        listed = [c if isinstance(c, exp.Identifier) else c.this for c in node.expressions]
        columns = [c for c in listed if isinstance(c, exp.Identifier)]
        node = node.this
    return (node if isinstance(node, exp.Table) else None), columns


# ---- INSERT --------------------------------------------------------------------------------------


def _insert(node: exp.Insert, scope: Scope) -> Iterator[Write]:
    table, columns = _target(node.this)
    body = node.expression
    if isinstance(node.this, exp.Directory):
        path = node.this.name
        yield Write(Table(path), (path,), read_query(body, scope), replaces=True)
        return
    if table is None or body is None:
        return
    relation = read_query(body, scope) if isinstance(body, (exp.Query, exp.Values)) else Relation([])
    if columns:
        relation = _named(relation, columns, scope)
    elif not node.args.get("by_name"):
        relation = _positional(table, relation, scope)
    relation = _with_conflict(node, table, relation, scope)
    yield _write(table, relation, scope, replaces=bool(node.args.get("overwrite")))


def _positional(table: exp.Table, relation: Relation, scope: Scope) -> Relation:
    """Without a column list the values go to the table's columns in order, as far as those are known."""
    if not relation.complete:
        return relation
    fixed = _fixed_partitions(table, scope)
    target = _held(table, scope)
    columns = [(f.name or "", f.key or "") for f in target.fields if f.key not in fixed]
    if target.complete and columns:
        return relation.with_names(columns)
    return relation


def _fixed_partitions(table: exp.Table, scope: Scope) -> set[str]:
    partition = table.args.get("partition")
    expressions = partition.expressions if isinstance(partition, exp.Partition) else ()
    return {scope.analysis.names.fold(e.this.name) for e in expressions if isinstance(e, exp.EQ)}


def _held(table: exp.Table, scope: Scope) -> Relation:
    """Return what is known of the target's columns; looking at them is no read."""
    catalog = scope.analysis.catalog
    key = catalog.key(table)
    made = catalog.made.get(key)
    if made is not None:
        return made.relation
    return catalog.read(key, scope.analysis.names.spellings(table))


def _with_conflict(node: exp.Insert, table: exp.Table, relation: Relation, scope: Scope) -> Relation:
    """ON CONFLICT DO UPDATE: `excluded` is the row that was to be inserted."""
    conflict = node.args.get("conflict")
    if conflict is None or not conflict.expressions:
        return relation
    within = Scope(scope.analysis, scope, scope.ctes)
    within.add(_held(table, scope), _item_name(table, scope))
    within.add(relation, (scope.analysis.names.fold("excluded"),)).hidden = True
    updates = list(_assignments(conflict.expressions, within))
    if conflict.args.get("where") is not None:
        scope.analysis.decides(sources(conflict.args["where"], within, CONDITIONAL), Subtype.FILTER)
    return _joined([*relation.fields, *updates], relation.rest)


def _item_name(table: exp.Table, scope: Scope) -> tuple[str, ...]:
    alias = table.args.get("alias")
    if isinstance(alias, exp.TableAlias) and isinstance(alias.this, exp.Identifier):
        return (scope.analysis.names.key(alias.this),)
    return scope.analysis.catalog.key(table)


def _joined(fields: Iterable[Field], rest: tuple[tuple[Rest, ...], ...] = ()) -> Relation:
    """Return one field a name: what several branches write to a column comes together."""
    by_key: dict[object, list[Field]] = {}
    for one in fields:
        by_key.setdefault(one.key if one.key is not None else id(one), []).append(one)
    return Relation([merged(same) for same in by_key.values()], rest)


# ---- CREATE --------------------------------------------------------------------------------------


def _create(node: exp.Create, scope: Scope) -> Iterator[Write]:
    if (node.kind or "").upper() not in {"TABLE", "VIEW", "MATERIALIZED VIEW", "DYNAMIC TABLE"}:
        if (node.kind or "").upper() in {"FUNCTION", "PROCEDURE", "TRIGGER"}:
            scope.analysis.problem(Subject.STATEMENT, f"the body of a {node.kind} is not analysed")
        return
    table, columns = _target(node.this)
    if table is None:
        return
    properties = node.args.get("properties")
    temporary = properties is not None and properties.find(exp.TemporaryProperty) is not None
    relation = _created(node, columns, scope)
    if relation is None:  # the columns only: nothing flows yet
        names = scope.analysis.names
        empty = [Field(names.spelling(c), names.key(c), {}) for c in columns]
        scope.analysis.catalog.made[scope.analysis.catalog.key(table)] = Made(Relation(empty))
        return
    yield _write(table, relation, scope, temporary=temporary, replaces=True)


def _created(node: exp.Create, columns: list[exp.Identifier], scope: Scope) -> Relation | None:
    body = node.expression
    if isinstance(body, (exp.Query, exp.Pivot, exp.Table)):
        relation = read_query(body, scope)
        return _named(relation, columns, scope) if columns else relation
    clone = node.args.get("clone")
    if clone is not None and isinstance(clone.this, exp.Table):
        source = base_table(clone.this, scope)
        return Relation(list(source.fields), () if source.complete else ((Rest(source),),))
    return None


# ---- UPDATE, MERGE, DELETE -----------------------------------------------------------------------


def _update(node: exp.Update, scope: Scope) -> Iterator[Write]:
    within = Scope(scope.analysis, scope, scope.ctes)
    read_from(node, within)
    target = _update_target(node, within)
    if target is None:
        return
    where = node.args.get("where")
    if where is not None:
        scope.analysis.decides(sources(where, within, CONDITIONAL), Subtype.FILTER)
    written = list(_assignments(node.expressions, within))
    yield _write(target, _joined(written), scope)


def _update_target(node: exp.Update, within: Scope) -> exp.Table | None:
    """Return the table to update; in T-SQL it may be named by an alias of its FROM."""
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
    name = _item_name(table, within)
    if not any(item.name == name for item in within.items):
        before = list(within.items)
        within.items.clear()
        add_source(table, within)
        within.items.extend(before)
    else:
        for join in table.args.get("joins") or ():
            add_join(join, within)
    return table


def _assignments(nodes: Iterable[exp.Expr], scope: Scope) -> Iterator[Field]:
    """Read `a = x`, `(a, b) = (SELECT x, y ...)`."""
    names = scope.analysis.names
    for node in nodes:
        left = node.this
        value = node.args.get("expression")
        if not isinstance(node, (exp.EQ, exp.PropertyEQ)) or value is None:
            continue
        if isinstance(left, (exp.Tuple, exp.Paren)):
            targets = left.expressions or [left.this]
            yield from _unpacked(targets, value, scope)
        elif isinstance(left, exp.Column | exp.Identifier | exp.Dot):
            identifier = left.this if isinstance(left, exp.Column) else left
            if isinstance(identifier, exp.Identifier):
                yield field_of(value, scope, names.spelling(identifier), names.key(identifier))


def _unpacked(targets: Sequence[exp.Expr], value: exp.Expr, scope: Scope) -> Iterator[Field]:
    names = scope.analysis.names
    inner = value.this if isinstance(value, exp.Subquery) else value
    if isinstance(inner, exp.Query):
        fields = read_query(inner, scope).fields
    else:
        fields = [field_of(e, scope) for e in (inner.expressions or [inner.this])]
    for target, one in zip(targets, fields, strict=False):
        yield one.renamed(target.name, names.fold(target.name))


def _merge(node: exp.Merge, scope: Scope) -> Iterator[Write]:
    within = Scope(scope.analysis, scope, scope.ctes)
    add_source(node.this, within)
    source = add_source(node.args["using"], within)[0].relation
    if node.args.get("on") is not None:
        scope.analysis.decides(sources(node.args["on"], within, CONDITIONAL), Subtype.JOIN)
    fields: list[Field] = []
    for when in node.args["whens"].expressions:
        if when.args.get("condition") is not None:
            scope.analysis.decides(sources(when.args["condition"], within, CONDITIONAL), Subtype.CONDITIONAL)
        fields += _merged_by(when.args["then"], node.this, source, within)
    yield _write(node.this, _joined(fields), scope)


def _merged_by(then: exp.Expr, table: exp.Table, source: Relation, scope: Scope) -> Iterator[Field]:
    """Return the fields that one WHEN branch writes."""
    star = isinstance(then.this, (exp.Star, exp.Var)) or any(
        isinstance(e, exp.Star) for e in then.args.get("expressions") or ()
    )
    if isinstance(then, (exp.Update, exp.Insert)) and star:  # UPDATE SET *, INSERT *, INSERT ROW
        if not source.complete:
            scope.analysis.problem(Subject.STAR, f"MERGE into {table.name} copies columns that are not known")
        yield from source.fields
    elif isinstance(then, exp.Update):
        yield from _assignments(then.expressions, scope)
    elif isinstance(then, exp.Insert):
        values = then.expression
        fields = [field_of(e, scope) for e in (values.expressions or [values])] if values else []
        listed = then.this
        if isinstance(listed, exp.Expr):
            columns = [c.this if isinstance(c, exp.Column) else c for c in listed.expressions or [listed]]
            yield from _named(Relation(fields), columns, scope).fields
        else:
            yield from _positional(table, Relation(fields), scope).fields


def _delete(node: exp.Delete, scope: Scope) -> Iterator[Write]:
    within = Scope(scope.analysis, scope, scope.ctes)
    named = node.args.get("tables") or []
    target = node.this
    for source in [node.this, *(node.args.get("using") or [])]:
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
    if isinstance(target, exp.Table):
        yield _write(target, Relation([]), scope)


# ---- COPY ----------------------------------------------------------------------------------------


def _copy(node: exp.Copy, scope: Scope) -> Iterator[Write]:
    """COPY t FROM file, COPY (query) TO file, Snowflake's COPY INTO either way."""
    catalog = scope.analysis.catalog
    table, columns = _target(node.this)
    files = list(node.args.get("files") or ())
    if not node.args.get("kind"):  # TO
        relation = (
            read_query(node.this, scope) if isinstance(node.this, exp.Query) else _copied(node.this, scope)
        )
        for file in files:
            yield Write(Table(file.name), (file.name,), relation, replaces=True)
        return
    for file in files:
        if table is None:
            return
        if isinstance(file, exp.Query):
            relation = read_query(file, scope)
            relation = _named(relation, columns, scope) if columns else _positional(table, relation, scope)
        elif table.name.startswith("@"):  # COPY INTO @stage FROM t
            relation = _copied(file, scope)
        else:
            name = file.name or file.sql()
            base = catalog.read((name,), (name,))
            scope.analysis.reads[base.table] = None
            relation = Relation([], ((Rest(base),),) if base.open else ())
        yield _write(table, relation, scope)


def _copied(node: exp.Expr, scope: Scope) -> Relation:
    within = Scope(scope.analysis, scope, scope.ctes)
    table, columns = _target(node)
    if table is None:
        return Relation([])
    relation = add_source(table, within)[0].relation
    if columns:
        return Relation(
            [field_of(exp.column(c.copy()), within, c.name, within.analysis.names.key(c)) for c in columns]
        )
    return Relation(list(relation.fields), () if relation.complete else ((Rest(relation),),))


_EXTRACTORS: tuple[tuple[type[exp.Expr], Callable[..., Iterator[Write]]], ...] = (
    (exp.Insert, _insert),
    (exp.Create, _create),
    (exp.Update, _update),
    (exp.Merge, _merge),
    (exp.Delete, _delete),
    (exp.Copy, _copy),
)
_NO_DATA_COMMANDS = frozenset(
    {
        "ALTER",
        "ANALYZE",
        "VACUUM",
        "OPTIMIZE",
        "SHOW",
        "EXPLAIN",
        "GRANT",
        "REVOKE",
        "SET",
        "RESET",
        "CHECKPOINT",
        "INSTALL",
        "LOAD",
        "PUT",
        "GET",
        "LIST",
        "REMOVE",
        "UNSET",
        "PRINT",
        "GO",
        "END",
        "BEGIN",
        "COMMIT",
        "LOCK",
    }
)
_NO_DATA = (
    exp.Drop, exp.Alter, exp.TruncateTable, exp.Use, exp.Set, exp.Transaction, exp.Commit, exp.Rollback,
    exp.Comment, exp.Grant, exp.Analyze, exp.Pragma, exp.Describe, exp.Show, exp.Semicolon, exp.Declare,
    exp.Cache, exp.Uncache, exp.Refresh, exp.Attach, exp.Detach, exp.Revoke, exp.Kill, exp.Literal,
)  # fmt: skip
__all__ = ["BaseTable", "Write", "read_statement"]
