"""Open the files of a query log, and tell which server wrote them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_lineage_provider.readers.query_log import duckdb, json_lines, postgres
from airflow_lineage_provider.readers.query_log.lines import LogFile, QueryLogError, in_order
from airflow_lineage_provider.readers.query_log.statement import QueryLog

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from airflow_lineage_provider.readers.query_log.statement import LoggedStatement

_POSTGRES_ROW = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [^,]*,")
_DUCKDB_HEADER = re.compile(r"context_id,.*\bmessage\b")
_LINES_TO_LOOK_AT = 1_000

KINDS: Mapping[str, tuple[Callable[[LogFile], Iterator[LoggedStatement]], str]] = {
    "csvlog": (postgres.read_csvlog, "postgres"),
    "jsonlog": (postgres.read_jsonlog, "postgres"),
    "duckdb": (duckdb.read_csv, "duckdb"),
    "jsonl": (json_lines.read_json_lines, ""),
}
"""The kinds of files: the reader, and the dialect of the statements."""
_DEFAULT_SCHEMAS = {"postgres": "public", "duckdb": "main"}


def open_log_files(
    paths: Sequence[str | Path],
    *,
    kind: str = "",
    dialect: str = "",
    namespace: str = "",
    database: str = "",
    encoding: str = "utf-8",
    columns: Mapping[str, Collection[str]] | None = None,
    fallback_dialect: str = "",
) -> QueryLog:
    """Return the log in these files, folders or globs; rotated files are read from the oldest on.

    `kind` is a key of `KINDS`; without it each file's first lines tell. `dialect` is that of the SQL, by
    default the server's; `fallback_dialect` that of `jsonl`, which names no server. `columns` is
    {table: [column]}, for `select *`. Raises QueryLogError where there is no file, or none whose kind is
    known.
    """
    files = _files(paths)
    problems: list[str] = []
    opened = [LogFile(path, encoding, problems) for path in files]
    kinds = [kind or _kind(file) for file in opened]
    found = list(zip(opened, kinds, strict=True))
    twice = _twice(found)
    known = [(file, name) for file, name in found if name and file.path not in twice]
    for file, name in found:
        if not name and file.path.stat().st_size:
            problems.append(f"{file.path.name}: no query log of a known form; say which with `kind`")
    if not known:
        raise QueryLogError(
            f"{', '.join(map(str, paths))}: no query log of a known form ({', '.join(KINDS)})"
        )
    dialect = dialect or KINDS[known[0][1]][1] or fallback_dialect

    def statements() -> Iterator[LoggedStatement]:
        for file, name in known:
            yield from KINDS[name][0](file)

    default = _DEFAULT_SCHEMAS.get(dialect, "")
    notes = [f"{path.name} has the records of the csvlog of this name and was not read" for path in twice]
    return QueryLog(statements(), dialect, namespace, database, default, columns or {}, problems, notes)


def _twice(found: Sequence[tuple[LogFile, str]]) -> list[Path]:
    """Return the jsonlogs beside a csvlog of the same name: Postgres writes both if it is asked to."""
    names = {file.path.name.partition(".csv")[0] for file, kind in found if kind == "csvlog"}
    return [
        file.path
        for file, kind in found
        if kind == "jsonlog" and file.path.name.partition(".json")[0] in names
    ]


def _files(paths: Sequence[str | Path]) -> list[Path]:
    found: dict[Path, None] = {}
    for text in paths:
        path = Path(text)
        if path.is_dir():
            some = [one for one in path.iterdir() if one.is_file() and one.name != duckdb.CONTEXTS]
        elif any(c in path.name for c in "*?["):
            some = [one for one in path.parent.glob(path.name) if one.is_file()]
        else:
            some = [path]
        if not some:
            raise QueryLogError(f"{text}: there is no such file")
        found |= dict.fromkeys(in_order(some))
    return list(found)


def _kind(file: LogFile) -> str:
    looked = LogFile(file.path, file.encoding, [])
    for number, line in enumerate(looked.lines()):
        if line.startswith("{"):
            return "jsonlog" if '"error_severity"' in line else "jsonl" if '"query"' in line else ""
        if _DUCKDB_HEADER.match(line):
            return "duckdb"
        if _POSTGRES_ROW.match(line):
            return "csvlog"
        if number > _LINES_TO_LOOK_AT:
            break
    return ""
