"""Postgres: the server's log as CSV or JSON, and pg_stat_statements.

The log has every statement, its session and its user where `log_min_duration_statement = 0` (or
`log_statement = all`) and `log_destination` has csvlog or jsonlog. pg_stat_statements counts statements and
has neither times nor sessions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from airflow_lineage_provider.readers.query_log.statement import LoggedStatement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_lineage_provider.readers.query_log.lines import LogFile

STAT_STATEMENTS = """
select s.query, coalesce(r.rolname, ''), coalesce(d.datname, ''), s.calls
from pg_stat_statements as s
left join pg_roles as r on r.oid = s.userid
left join pg_database as d on d.oid = s.dbid
where s.calls > 0 and d.datname = current_database()
"""
STAT_INFO = "select dealloc from pg_stat_statements_info"
COLUMNS = """
select table_catalog || '.' || table_schema || '.' || table_name, column_name
from information_schema.columns
where table_schema not in ('pg_catalog', 'information_schema')
order by 1, ordinal_position
"""

_FEWEST_FIELDS = 23
_MESSAGE = re.compile(
    r"(?P<duration>duration: [\d.]+ ms)?\s*"
    r"(?:(?P<how>statement|(?:execute|parse|bind) [^:\n]*): (?P<sql>.*))?",
    re.DOTALL,
)
_PREPARED = re.compile(r"prepare: PREPARE\s+.*?\bAS\s+(.*)", re.DOTALL | re.IGNORECASE)
_ERRORS = frozenset({"ERROR", "FATAL", "PANIC"})
_RECORD = re.compile(r"\d{4}-\d\d-\d\d ")
_HIDDEN = "<insufficient privilege>"


class _Json(msgspec.Struct):
    """A record of the jsonlog, as far as it is read."""

    error_severity: str
    timestamp: str = ""
    user: str = ""
    dbname: str = ""
    session_id: str = ""
    message: str = ""
    detail: str = ""


def read_csvlog(file: LogFile) -> Iterator[LoggedStatement]:
    """Yield the statements of a csvlog that succeeded."""
    log = _ServerLog()
    for row in file.records(_RECORD):
        if len(row) < _FEWEST_FIELDS or not _RECORD.match(row[0]):
            file.left_out += 1
            continue
        yield from log.add(row[0], row[1], row[2], row[5], row[11], row[13], row[14])
    yield from log.rest()
    file.finish("records of a csvlog")


def read_jsonlog(file: LogFile) -> Iterator[LoggedStatement]:
    """Yield the statements of a jsonlog that succeeded."""
    decode = msgspec.json.Decoder(_Json).decode
    log = _ServerLog()
    for line in file.lines():
        try:
            one = decode(line)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            file.left_out += 1
            continue
        values = (one.timestamp, one.user, one.dbname, one.session_id)
        yield from log.add(*values, one.error_severity, one.message, one.detail)
    yield from log.rest()
    file.finish("records of a jsonlog")


def stat_statements(rows: Iterable[Sequence[object]], problems: list[str]) -> list[LoggedStatement]:
    """Return the rows of `STAT_STATEMENTS`, those that make tables first: the view has no order."""
    found, hidden = [], 0
    for query, user, database, calls in rows:
        text = str(query or "")
        if text == _HIDDEN or not text:
            hidden += 1
        else:
            found.append(LoggedStatement(text, "", str(user), "", str(database), "", int(str(calls))))
    if hidden:
        problems.append(
            f"pg_stat_statements hides the text of {hidden:,} statements: grant pg_read_all_stats to the user"
        )
    return sorted(found, key=lambda one: _rank(one.sql))


def _rank(sql: str) -> int:
    text = re.sub(r"^(?:\s|/\*.*?\*/|--[^\n]*\n)*", "", sql, flags=re.DOTALL)[:200].lower()
    if text.startswith("create"):
        return 0 if re.match(r"create\s+(?:local\s+|global\s+)?temp", text) else 1
    if text.startswith(("begin", "commit", "rollback", "drop")):
        return 4
    return 3 if text.startswith("alter") else 2


class _ServerLog:
    """Pairs the lines of each session: a statement that an error follows has failed."""

    def __init__(self) -> None:
        self.pending: dict[str, LoggedStatement] = {}

    def add(
        self, at: str, user: str, database: str, session: str, severity: str, message: str, detail: str
    ) -> Iterator[LoggedStatement]:
        if severity in _ERRORS:
            self.pending.pop(session, None)
            return
        if severity != "LOG":
            return
        found = _MESSAGE.match(message)
        if found is None or not (found["duration"] or found["how"]):
            return
        how, sql = found["how"], found["sql"]
        if how is None:  # the duration of the statement that was logged before
            if session in self.pending:
                yield self.pending.pop(session)
            return
        if how.startswith(("parse", "bind", "execute fetch")):
            return
        prepared = _PREPARED.match(detail) if detail else None
        statement = LoggedStatement(prepared[1] if prepared else sql, at, user, session, database)
        if session in self.pending:
            yield self.pending.pop(session)
        if found["duration"]:
            yield statement
        else:
            self.pending[session] = statement

    def rest(self) -> Iterator[LoggedStatement]:
        """Yield the statements whose outcome the log does not say."""
        yield from self.pending.values()
