"""Cache of lineage in a SQLite file, keyed by statement, dialect and the schemas that it read."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.sql.compat import VERSION
from airflow_lineage_provider.sql.model import (
    Lineage,
    OutputColumn,
    Problem,
    Source,
    Subject,
    Subtype,
    Table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from airflow_lineage_provider.sql.catalog import Key
    from airflow_lineage_provider.sql.schema import Schema

ENGINE = f"3 sqlglot {VERSION}"  # raise the number when an answer changes

Entry = tuple[Lineage, tuple["Key", ...]]


def digest(sql: str, dialect: str, defaults: tuple[str | None, str | None]) -> str:
    """Return the key of a statement in the cache. The schemas that it reads are not part of it."""
    return hashlib.sha256(json.dumps([ENGINE, dialect, defaults, sql]).encode()).hexdigest()


class Cache:
    """One lineage per statement. A file that cannot be read or written is not an error: nothing is cached."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def known(self, digests: Iterable[str]) -> frozenset[str]:
        """Return the digests that have an entry."""
        return frozenset(row[0] for row in self._rows("digest", digests))

    def load(self, digests: Iterable[str]) -> dict[str, tuple[str, Entry]]:
        """Return {digest: (fingerprint of the schemas that it read, entry)} for the cached ones."""
        found: dict[str, tuple[str, Entry]] = {}
        for key, schemas, entry in self._rows("digest, schemas, entry", digests):
            with suppress(ValueError, KeyError, TypeError, IndexError):  # a row in another format
                found[key] = (schemas, _decoded(entry))
        return found

    def _rows(self, columns: str, digests: Iterable[str]) -> list[tuple[str, ...]]:
        wanted = json.dumps(list(digests))
        query = f"SELECT {columns} FROM lineage WHERE digest IN (SELECT value FROM json_each(?))"  # noqa: S608
        try:
            with closing(self._open()) as store:
                return store.execute(query, (wanted,)).fetchall()
        except (sqlite3.Error, OSError):
            return []

    def save(self, entries: Mapping[str, tuple[str, Entry]]) -> None:
        """Store entries; each replaces the earlier entry of its statement."""
        rows = [(key, schemas, _encoded(entry)) for key, (schemas, entry) in entries.items()]
        try:
            with closing(self._open()) as store, store:
                store.executemany("INSERT OR REPLACE INTO lineage VALUES (?, ?, ?)", rows)
        except (sqlite3.Error, OSError):
            return

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)  # the schemas in it are for this user
        store = sqlite3.connect(self._path, timeout=10)
        store.execute(
            "CREATE TABLE IF NOT EXISTS lineage"
            " (digest TEXT PRIMARY KEY, schemas TEXT NOT NULL, entry TEXT NOT NULL) WITHOUT ROWID"
        )
        return store


def fingerprint(looked_up: Iterable[Key], schema: Schema) -> str:
    """Return a hash of the schemas of the tables that a statement looked up."""
    found = [(key, schema.find(key)) for key in looked_up]
    return hashlib.sha256(repr(found).encode()).hexdigest()


# ---- lineage as JSON: tables once, sources as numbers --------------------------------------------

_SUBTYPES = tuple(Subtype)


def _encoded(entry: Entry) -> str:
    lineage, looked_up = entry
    tables: dict[Table, int] = {}

    def table(one: Table) -> int:
        return tables.setdefault(one, len(tables))

    def source(one: Source) -> list[Any]:
        return [table(one.table), one.column, _SUBTYPES.index(one.subtype), int(one.masking)]

    document = {
        "reads": [table(one) for one in lineage.reads],
        "writes": None if lineage.writes is None else table(lineage.writes),
        "columns": [[c.name, c.expression, [source(s) for s in c.sources]] for c in lineage.columns],
        "indirect": [source(s) for s in lineage.indirect],
        "problems": [[p.subject, p.message] for p in lineage.problems],
        "looked_up": looked_up,
    }
    document["tables"] = [[t.name, t.schema, t.database] for t in tables]
    return json.dumps(document, separators=(",", ":"))


def _decoded(text: str) -> Entry:
    document = json.loads(text)
    tables = [Table(*parts) for parts in document["tables"]]

    def sources(rows: list[Any]) -> tuple[Source, ...]:
        return tuple(Source(tables[t], column, _SUBTYPES[s], bool(m)) for t, column, s, m in rows)

    lineage = Lineage(
        tuple(tables[t] for t in document["reads"]),
        None if document["writes"] is None else tables[document["writes"]],
        tuple(OutputColumn(name, sources(rows), text) for name, text, rows in document["columns"]),
        sources(document["indirect"]),
        tuple(Problem(Subject(subject), message) for subject, message in document["problems"]),
    )
    return lineage, tuple(tuple(key) for key in document["looked_up"])
