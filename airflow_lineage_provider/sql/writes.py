"""Writes to tables: what INSERT, CREATE, UPDATE, MERGE and COPY have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.catalog import Write
from airflow_lineage_provider.sql.model import Subject
from airflow_lineage_provider.sql.rowsets import Field, Rest, Rowset, merged
from airflow_lineage_provider.sql.sources import field_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_lineage_provider.sql.scope import Scope


def write_to(
    table: exp.Table, rowset: Rowset, scope: Scope, *, temporary: bool = False, replaces: bool = False
) -> Write:
    """Return the write of a rowset to a table."""
    catalog = scope.analysis.catalog
    its_own = isinstance(table.this, exp.Parameter) or bool(table.this.args.get("temporary"))
    key = catalog.key(table)
    temporary = temporary or its_own or table.name.startswith("#") or key in catalog.temporary
    return Write(catalog.dataset(table), key, rowset, temporary, replaces)


def with_columns(rowset: Rowset, columns: Sequence[exp.Identifier], scope: Scope) -> Rowset:
    """Return the rowset renamed to the listed columns."""
    names = scope.analysis.names
    return rowset.with_names([(names.spelling(c), names.key(c)) for c in columns])


def target_of(node: exp.Expr) -> tuple[exp.Table | None, list[exp.Identifier]]:
    """Return the target table and its column list."""
    columns: list[exp.Identifier] = []
    if isinstance(node, exp.Schema):
        listed = [c if isinstance(c, exp.Identifier) else c.this for c in node.expressions]
        columns = [c for c in listed if isinstance(c, exp.Identifier)]
        node = node.this
    return (node if isinstance(node, exp.Table) else None), columns


def by_position(table: exp.Table, rowset: Rowset, scope: Scope) -> Rowset:
    """Return the rowset renamed to the table's columns in order, where those are known."""
    if not rowset.complete:
        return rowset
    fixed = _fixed_partitions(table, scope)
    target = held(table, scope)
    columns = [(f.name or "", f.key or "") for f in target.fields if f.key not in fixed]
    if target.complete and columns:
        return rowset.with_names(columns)
    scope.analysis.problem(
        Subject.TABLE, f"the columns of {table.name} are not known: the names of the query are used"
    )
    return rowset


def _fixed_partitions(table: exp.Table, scope: Scope) -> set[str]:
    partition = table.args.get("partition")
    expressions = partition.expressions if isinstance(partition, exp.Partition) else ()
    return {scope.analysis.names.fold(e.this.name) for e in expressions if isinstance(e, exp.EQ)}


def held(table: exp.Table, scope: Scope) -> Rowset:
    """Return the known columns of a target table. It does not count as read."""
    catalog = scope.analysis.catalog
    key = catalog.key(table)
    made = catalog.created.get(key)
    if made is not None:
        return made.rowset
    return catalog.read(key, scope.analysis.names.spellings(table))


def item_name(table: exp.Table, scope: Scope) -> tuple[str, ...]:
    """Return the name of a target table in a scope."""
    alias = table.args.get("alias")
    if isinstance(alias, exp.TableAlias) and isinstance(alias.this, exp.Identifier):
        return (scope.analysis.names.key(alias.this),)
    return scope.analysis.catalog.key(table)


def joined(fields: Iterable[Field], rest: tuple[tuple[Rest, ...], ...] = ()) -> Rowset:
    """Return a rowset with one field per name, merged from all fields of that name."""
    by_key: dict[object, list[Field]] = {}
    for one in fields:
        by_key.setdefault(one.key if one.key is not None else id(one), []).append(one)
    return Rowset([merged(same) for same in by_key.values()], rest)


def assignments(nodes: Iterable[exp.Expr], scope: Scope) -> Iterator[Field]:
    """Yield the fields of `a = x`, `(a, b) = (SELECT x, y ...)`."""
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
        fields = scope.read(inner).fields
    else:
        fields = [field_of(e, scope) for e in (inner.expressions or [inner.this])]
    for target, one in zip(targets, fields, strict=False):
        yield one.renamed(target.name, names.fold(target.name))
