"""DuckDB: the log type `QueryLog`, from `duckdb_logs` or the CSV files of `storage='file'`.

The log has no users, and it logs a statement when it starts: one that failed is in it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.readers.query_log.lines import LogFile
from airflow_lineage_provider.readers.query_log.statement import LoggedStatement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LOGS = """
select cast(timestamp as varchar), coalesce(cast(connection_id as varchar), ''), message
from duckdb_logs where type = 'QueryLog' order by timestamp
"""
CONTEXTS = "duckdb_log_contexts.csv"
ENTRIES = "duckdb_log_entries.csv"


def read_rows(rows: Iterable[Sequence[object]]) -> Iterator[LoggedStatement]:
    """Yield the statements of the rows of `LOGS`."""
    for at, session, message in rows:
        yield LoggedStatement(str(message), str(at), "", str(session))


def read_csv(file: LogFile) -> Iterator[LoggedStatement]:
    """Yield the statements of a CSV file; connections are in the file of contexts beside it."""
    records = file.records()
    header = next(records, [])
    places = {name: number for number, name in enumerate(header)}
    if not {"timestamp", "type", "message"} <= places.keys():
        file.problems.append(f"{file.path.name}: its header is not that of DuckDB's log")
        return
    sessions = {} if "connection_id" in places else _connections(file)
    for row in records:
        if len(row) != len(header):
            file.left_out += 1
            continue
        if row[places["type"]] != "QueryLog":
            continue
        session = (
            row[places["connection_id"]]
            if "connection_id" in places
            else sessions.get(row[places["context_id"]], "")
        )
        yield LoggedStatement(row[places["message"]], row[places["timestamp"]], "", session)
    file.finish("records of DuckDB's log")


def _connections(file: LogFile) -> dict[str, str]:
    beside = file.path.with_name(CONTEXTS)
    if not beside.exists():
        file.problems.append(f"{file.path.name}: {CONTEXTS} is not beside it: sessions are not known")
        return {}
    contexts = LogFile(beside, file.encoding, file.problems)
    records = contexts.records()
    header = next(records, [])
    if not {"context_id", "connection_id"} <= set(header):
        return {}
    first, second = header.index("context_id"), header.index("connection_id")
    return {row[first]: row[second] for row in records if len(row) == len(header)}
