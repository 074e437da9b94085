"""The statements that bring staged rows into a bronze table; each warehouse takes them as they are.

Bronze has one row for each key, as AWS DMS leaves it: `_op` is I, U or D, `_loaded_at` when the row was last
read. A row that was deleted from the source stays, as a tombstone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.ingest.warehouse import literal, quoted, schema_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_lineage_provider.ingest.warehouse import BronzeTarget

OP, LOADED_AT = "_op", "_loaded_at"
LOAD = "_load"  # the number of a load, in files
PROGRESS = "ingest_progress"


def moment(at: datetime) -> str:
    """Return a moment as an SQL expression."""
    return f"cast({literal(at.isoformat())} as timestamp with time zone)"


def upsert(
    target: BronzeTarget, table: str, staged: str, key: Sequence[str], columns: Sequence[str], at: datetime
) -> list[str]:
    """Return the statements that update rows whose key is there, and insert the others.

    :param staged: a table, or a query in parentheses.

    A row that is read again unchanged keeps its `_op`.
    """
    own = [quoted(column, target) for column in columns]
    op, loaded = quoted(OP, target), quoted(LOADED_AT, target)
    matched = _matched(target, "s", "t", key)
    rest = [quoted(column, target) for column in columns if column not in key]
    differs = " or ".join(f"s.{c} is distinct from t.{c}" for c in rest) or "false"
    sets = [f"{c} = s.{c}" for c in rest]
    sets.append(f"{op} = case when t.{op} = 'D' then 'I' when {differs} then 'U' else t.{op} end")
    sets.append(f"{loaded} = {moment(at)}")
    absent = quoted(key[0], target)
    update = f"update {table} as t set {', '.join(sets)} from {staged} as s where {matched}"
    insert = (
        f"insert into {table} ({', '.join([*own, op, loaded])}) "
        f"select {', '.join(f's.{c}' for c in own)}, 'I', {moment(at)} "
        f"from {staged} s left join {table} t on {matched} where t.{absent} is null"
    )
    return [update, insert]


def tombstones(target: BronzeTarget, table: str, gone: str, at: datetime) -> str:
    """Return the statement that marks rows as deleted; `gone` is a condition on the table `t`."""
    op, loaded = quoted(OP, target), quoted(LOADED_AT, target)
    return f"update {table} as t set {op} = 'D', {loaded} = {moment(at)} where t.{op} <> 'D' and {gone}"


def absent_from(target: BronzeTarget, keys: str, key: Sequence[str]) -> str:
    """Return the condition that a row of `t` has no key in the table `keys`."""
    return f"not exists (select 1 from {keys} as k where {_matched(target, 'k', 't', key)})"


def present_in(target: BronzeTarget, keys: str, key: Sequence[str]) -> str:
    """Return the condition that a row of `t` has a key in the table or query `keys`."""
    return f"exists (select 1 from {keys} as k where {_matched(target, 'k', 't', key)})"


def newest_change(
    target: BronzeTarget, staged: str, key: Sequence[str], by: str, deleted: str, *, gone: bool
) -> str:
    """Return a query of the newest change of each key, of those that delete it or of those that do not.

    :param by: the column that orders the changes of a key.
    :param deleted: the column that is `true` for a deletion; empty where no change is one.
    """
    listed = ", ".join(quoted(column, target) for column in key)
    order = f"row_number() over (partition by {listed} order by {quoted(by, target)} desc)"
    is_gone = f" and coalesce({quoted(deleted, target)}, 'false') {'=' if gone else '<>'} 'true'"
    ranked = f"(select *, {order} as change_rank from {staged}) as ranked"
    return f"(select * from {ranked} where change_rank = 1{is_gone if deleted else ''})"


def touch_newest(target: BronzeTarget, table: str, by: str, at: datetime, within: str = "") -> str:
    """Return the statement that says of the newest rows that they were read again.

    So a load that finds no change still shows, in `_loaded_at`, that it ran.
    """
    loaded, column = quoted(LOADED_AT, target), quoted(by, target)
    same = f" where n.{quoted(within, target)} = t.{quoted(within, target)}" if within else ""
    newest = f"(select max(n.{column}) from {table} as n{same})"
    return f"update {table} as t set {loaded} = {moment(at)} where t.{column} = {newest}"


def create_progress(table: str) -> str:
    """Return the statement that makes the table of how far each move came, beside the table `table`."""
    columns = "moved_to varchar, moved_from varchar, part varchar, position varchar"
    return f"create table if not exists {_progress(table)} ({columns})"


def read_progress(target: BronzeTarget, table: str, source: str) -> dict[str, str]:
    """Return the positions up to which a source was moved into a table."""
    rows = target.query(
        f"select part, position from {_progress(table)} "
        f"where moved_to = {literal(table)} and moved_from = {literal(source)}"
    )
    return {str(part): str(position) for part, position in rows}


def write_progress(table: str, source: str, part: str, position: str) -> list[str]:
    """Return the statements that set a position; run them in the transaction that writes the rows."""
    which = f"moved_to = {literal(table)} and moved_from = {literal(source)} and part = {literal(part)}"
    values = ", ".join(map(literal, (table, source, part, position)))
    return [
        f"delete from {_progress(table)} where {which}",
        f"insert into {_progress(table)} (moved_to, moved_from, part, position) values ({values})",
    ]


def _progress(table: str) -> str:
    return f"{schema_of(table)}.{PROGRESS}"


def _matched(target: BronzeTarget, left: str, right: str, key: Sequence[str]) -> str:
    return " and ".join(f"{left}.{quoted(k, target)} = {right}.{quoted(k, target)}" for k in key)
