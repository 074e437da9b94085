"""A lease: at most one process forwards to a target at a time.

The operating system or Postgres holds the lease and releases it when its holder ends. It is independent of
the clock, so clock skew cannot produce two holders.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from airflow_lineage_provider.store.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from airflow_lineage_provider.store.database import Database


class Lease(Protocol):
    """The exclusive right to forward to one target. Both methods can be called again."""

    def acquire(self) -> bool:
        """Acquire the lease if it is free; return whether this process holds it now. Raises StoreError."""

    def release(self) -> None:
        """Release the lease."""


class FileLease:
    """The lease of a SQLite store: a lock on a file beside the database."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        """Acquire the lease if it is free; return whether this process holds it now."""
        if self._file is None:
            try:
                file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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

    def release(self) -> None:
        """Release the lease."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class PostgresLease:
    """The lease of a Postgres store: a session's advisory lock, released with its connection."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, signed=True)
        self._connection: Connection | None = None

    def acquire(self) -> bool:
        """Acquire the lease if it is free; return whether this process holds it now."""
        try:
            with self._database.session(self._connection) as connection:
                if self._connection is not None:
                    connection.execute(text("SELECT 1"))
                    return True
                if connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}):
                    self._connection = connection
                    return True
                connection.close()
        except DBAPIError as error:
            self.release()
            raise StoreError(
                f"The event store {self._database} cannot be reached: check its server"
            ) from error
        return False

    def release(self) -> None:
        """Release the lease."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def open_lease(database: Database, name: str) -> Lease:
    """Return the lease of this name in this store, not acquired yet."""
    if not database.is_sqlite:
        return PostgresLease(database, name)
    tag = hashlib.blake2b(name.encode(), digest_size=6).hexdigest()
    return FileLease(f"{database.url.database}.forward-{tag}.lock")
