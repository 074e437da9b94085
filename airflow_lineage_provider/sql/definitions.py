"""Statements that change the meaning of names: DROP, TRUNCATE, RENAME, SWAP, USE, DECLARE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from airflow_lineage_provider.sql.catalog import CreatedTable
from airflow_lineage_provider.sql.compat import drop_targets
from airflow_lineage_provider.sql.rowsets import Field, Rowset

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_lineage_provider.sql.catalog import Key, TableCatalog
    from airflow_lineage_provider.sql.results import WriteTarget

WriteTargets = dict["Key", "WriteTarget"]


def redefine(statement: exp.Expr, catalog: TableCatalog, targets: WriteTargets) -> None:
    """Apply the effect of a statement on names. Most statements have none."""
    change = _CHANGES.get(type(statement))
    if change is not None:
        change(statement, catalog, targets)


def _drop(statement: exp.Drop, catalog: TableCatalog, targets: WriteTargets) -> None:
    """Forget a dropped table, unless it is the only one written."""
    for table in drop_targets(statement):
        catalog.created.pop(catalog.key(table), None)
        if len(targets) > 1:
            targets.pop(catalog.key(table), None)


def _truncate(statement: exp.TruncateTable, catalog: TableCatalog, _: WriteTargets) -> None:
    for table in statement.expressions:
        if isinstance(table, exp.Table):
            catalog.created.pop(catalog.key(table), None)


def _alter(statement: exp.Alter, catalog: TableCatalog, targets: WriteTargets) -> None:
    if not isinstance(statement.this, exp.Table):
        return
    for action in statement.args.get("actions") or ():
        if isinstance(action, (exp.AlterRename, exp.SwapTable)) and isinstance(action.this, exp.Table):
            _rename(statement.this, action.this, catalog, targets)


def _rename(old: exp.Table, new: exp.Table, catalog: TableCatalog, targets: WriteTargets) -> None:
    """Exchange two names. For a RENAME, the new name had no table before."""
    new = _beside(old, new)
    first, second = catalog.key(old), catalog.key(new)
    _exchange(catalog.created, first, second)
    _exchange(targets, first, second)
    for key, table in ((first, old), (second, new)):
        if key in targets:
            targets[key].table = catalog.dataset(table)


def _exchange(held: dict[Key, Any], first: Key, second: Key) -> None:
    one, other = held.pop(first, None), held.pop(second, None)
    if other is not None:
        held[first] = other
    if one is not None:
        held[second] = one


def _beside(old: exp.Table, new: exp.Table) -> exp.Table:
    """Return the new name, in the schema of the old one where it has none of its own."""
    if new.args.get("db") or not old.args.get("db"):
        return new
    full = new.copy()
    for part in ("db", "catalog"):
        if old.args.get(part):
            full.set(part, old.args[part].copy())
    return full


def _use(statement: exp.Use, catalog: TableCatalog, _: WriteTargets) -> None:
    if not isinstance(statement.this, exp.Table):
        return
    parts = [part.name for part in statement.this.parts if part.name]
    kind = (statement.text("kind") or "").upper()
    if kind in {"DATABASE", "CATALOG"}:
        catalog.database = parts[-1]
    elif kind in {"", "SCHEMA"}:
        catalog.default_schema = parts[-1]
        catalog.database = parts[-2] if len(parts) > 1 else catalog.database


def _declare(statement: exp.Declare, catalog: TableCatalog, _: WriteTargets) -> None:
    """Register a variable (not a column), or a table variable (columns, no rows yet)."""
    for item in statement.expressions:
        kind = item.args.get("kind")
        for one in item.this if isinstance(item.this, list) else [item.this]:
            key = catalog.names.key(one)
            if isinstance(kind, exp.Schema):
                columns = [c.this for c in kind.expressions if isinstance(c.this, exp.Identifier)]
                fields = [Field(catalog.names.spelling(c), catalog.names.key(c), {}) for c in columns]
                catalog.created[(key,)] = CreatedTable(Rowset(fields))
            else:
                catalog.variables.add(key)


_CHANGES: dict[type[exp.Expr], Callable[..., None]] = {
    exp.Drop: _drop,
    exp.TruncateTable: _truncate,
    exp.Alter: _alter,
    exp.Use: _use,
    exp.Declare: _declare,
}
