"""Snowflake: ACCOUNT_USAGE.QUERY_HISTORY, and the column lineage that ACCESS_HISTORY records.

https://docs.snowflake.com/en/sql-reference/account-usage/access_history
The views are up to three hours late. ACCESS_HISTORY needs Enterprise Edition; without it statements are
parsed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_lineage_provider.readers.query_log.statement import LoggedStatement
from airflow_lineage_provider.sql import Lineage, OutputColumn, Source, Subtype, Table
from airflow_lineage_provider.sql.schema import split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    Query = Callable[[str], Sequence[Sequence[Any]]]

LONGEST_TEXT = 100_000
"""Snowflake keeps this many characters of a statement."""
PAGE = 10_000
_NO_WRITES = (
    "'SELECT', 'SHOW', 'DESCRIBE', 'USE', 'GET_FILES', 'PUT_FILES', 'LIST_FILES', 'REMOVE_FILES', 'EXPLAIN', "
    "'GRANT', 'REVOKE', 'ALTER_SESSION', 'CREATE_USER', 'CREATE_ROLE', 'SET', 'UNSET', 'DESC'"
)
_HISTORY = """
select q.query_id, to_varchar(q.start_time), q.query_text, q.user_name, to_varchar(q.session_id),
       q.database_name, q.schema_name, {columns}
from snowflake.account_usage.query_history as q {join}
where q.start_time >= cast('{since}' as timestamp with time zone)
  and q.execution_status = 'SUCCESS' and q.query_type not in ({no_writes})
order by q.start_time, q.query_id
limit {page} offset {offset}
"""
_ACCESS = {
    "columns": "to_varchar(a.direct_objects_accessed), to_varchar(a.objects_modified)",
    "join": "left join snowflake.account_usage.access_history as a on a.query_id = q.query_id",
}
_TEXT_ONLY = {"columns": "null, null", "join": ""}


class _ColumnSource(msgspec.Struct, rename="camel"):
    object_name: str = ""
    column_name: str = ""


class _ModifiedColumn(msgspec.Struct, rename="camel"):
    column_name: str = ""
    direct_sources: list[_ColumnSource] = []


class _Object(msgspec.Struct, rename="camel"):
    object_name: str = ""
    columns: list[_ModifiedColumn] = []


class _Named(msgspec.Struct, rename="camel"):
    object_name: str = ""


_modified = msgspec.json.Decoder(list[_Object])
_read = msgspec.json.Decoder(list[_Named])


def read_history(
    query: Query, since: datetime, problems: list[str], notes: list[str]
) -> Iterator[LoggedStatement]:
    """Yield the statements since a time that succeeded, with the lineage that ACCESS_HISTORY has of them.

    `query` runs SQL and returns rows; what it raises for QUERY_HISTORY is raised. `notes` says whether
    ACCESS_HISTORY could be read.
    """
    parts, offset = _ACCESS, 0
    while True:
        options = {"since": f"{since:%Y-%m-%d %H:%M:%S}+00:00", "no_writes": _NO_WRITES, "page": PAGE}
        try:
            rows = query(_HISTORY.format(**parts, **options, offset=offset))
        except Exception:
            if parts is _TEXT_ONLY or offset:
                raise
            notes.append("ACCESS_HISTORY cannot be read (it needs Enterprise Edition): statements are parsed")
            parts = _TEXT_ONLY
            continue
        yield from (_statement(row, problems) for row in rows)
        if len(rows) < PAGE:
            return
        offset += PAGE


def _statement(row: Sequence[Any], problems: list[str]) -> LoggedStatement:
    query_id, at, text, user, session, database, schema, read, modified = row
    sql = str(text or "")
    return LoggedStatement(
        sql,
        str(at or ""),
        str(user or ""),
        str(session or ""),
        str(database or ""),
        str(schema or ""),
        truncated=len(sql) >= LONGEST_TEXT,
        access=_recorded(read, modified, str(query_id), problems),
    )


def _recorded(read: Any, modified: Any, query_id: str, problems: list[str]) -> tuple[Lineage, ...]:
    """Return the lineage of each table that a statement modified, as ACCESS_HISTORY records it."""
    if not modified or modified == "[]":
        return ()
    try:
        objects = _modified.decode(str(modified))
        sources = [_table(one.object_name) for one in _read.decode(str(read or "[]")) if one.object_name]
    except (msgspec.MsgspecError, RecursionError):
        problems.append(f"ACCESS_HISTORY's record of query {query_id} cannot be read: it is parsed")
        return ()
    return tuple(_lineage(one, sources) for one in objects if one.object_name)


def _lineage(modified: _Object, reads: Sequence[Table]) -> Lineage:
    columns = tuple(
        OutputColumn(
            column.column_name,
            tuple(
                Source(_table(source.object_name), source.column_name, Subtype.TRANSFORMATION)
                for source in column.direct_sources
                if source.object_name and source.column_name
            ),
        )
        for column in modified.columns
    )
    target = _table(modified.object_name)
    named = [source.table for column in columns for source in column.sources]
    tables = dict.fromkeys(table for table in (*reads, *named) if table != target)
    return Lineage(tuple(tables), target, columns)


@lru_cache(maxsize=50_000)
def _table(name: str) -> Table:
    return Table(*reversed(split(name)[-3:]))
