"""A plain form for every other server: one JSON object a line.

`query` is needed. Optional are `timestamp` (ISO 8601, or seconds since 1970), `user`, `session`, `database`,
`schema` (the defaults of names that are not qualified), `calls`, `truncated` (the text was cut off) and
`failed`. Other keys are ignored. DataHub's `sql-queries` source reads the same file.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from airflow_lineage_provider.readers.query_log.statement import LoggedStatement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.readers.query_log.lines import LogFile


class _Line(msgspec.Struct):
    query: str
    timestamp: str | float | None = None
    user: str | None = None
    session: str | int | None = None
    database: str | None = None
    schema: str | None = None
    calls: int = 1
    truncated: bool = False
    failed: bool = False


def read_json_lines(file: LogFile) -> Iterator[LoggedStatement]:
    """Yield the statements of a file that did not fail."""
    decode = msgspec.json.Decoder(_Line).decode
    for line in file.lines():
        if line.isspace():
            continue
        try:
            one = decode(line)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            file.left_out += 1
            continue
        if one.failed or one.calls < 1:
            continue
        yield LoggedStatement(
            one.query,
            one.timestamp if isinstance(one.timestamp, str) else _moment(one.timestamp),
            one.user or "",
            "" if one.session is None else str(one.session),
            one.database or "",
            one.schema or "",
            one.calls,
            one.truncated,
        )
    file.finish("JSON objects with a `query`")


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return ""
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
