"""One at a time: of all processes that would forward to a target, one has the turn.

The operating system or Postgres keeps the turn and ends it with its holder: no clock is asked, so
none that steps back can give the turn to two.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from airflow_lineage_provider.store.location import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from airflow_lineage_provider.store.database import Database


class FileTurn:
    """A turn at a SQLite store: a lock on a file beside it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Take the turn if it is free; return whether it is ours now."""
        if self._file is None:
            try:
                file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise StoreError(
                    f"Cannot write {self._path}: {error.strerror}; forwarding needs it"
                ) from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
                return False
            self._file = file
        return True

    def end(self) -> None:
        """Let another have the turn."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class PostgresTurn:
    """A turn at a Postgres store: an advisory lock of a session, lost with its connection."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, signed=True)
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Take the turn if it is free; return whether it is ours now."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
            connection = self._database.hold()
            if connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}):
                self._connection = connection
                return True
            connection.close()
        except DBAPIError as error:
            self.end()
            raise StoreError(
                f"The event store {self._database} cannot be reached: check its server"
            ) from error
        return False

    def end(self) -> None:
        """Let another have the turn."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def turn(database: Database, name: str) -> FileTurn | PostgresTurn:
    """Return the turn of this name at this store, not taken yet."""
    if not database.is_sqlite:
        return PostgresTurn(database, name)
    tag = hashlib.blake2b(name.encode(), digest_size=6).hexdigest()
    return FileTurn(f"{database.url.database}.forward-{tag}.lock")
