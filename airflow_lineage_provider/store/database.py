"""Connections to the store's database: SQLite or Postgres, across threads, processes and forks."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sqlalchemy import create_engine, insert, inspect, make_url, select, text
from sqlalchemy import event as hooks
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from airflow_lineage_provider.store.errors import StoreError, StoreLocationError
from airflow_lineage_provider.store.location import store_url
from airflow_lineage_provider.store.schema import REVISION, metadata, version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine, PoolProxiedConnection
    from sqlalchemy.engine.interfaces import DBAPICursor

# Any number will do, as long as it stays: every writer of a Postgres store takes this lock.
_WRITER_LOCK = 0x4C494E45
PATIENCE = 8.0  # seconds; Airflow gives a lineage hook ten


class Database:
    """One database, with what SQLite and Postgres need to be written to by many at once.

    Writers take turns, so that ids become visible in their own order: a reader that has seen
    event 7 will never find a 6 that came later.
    """

    def __init__(self, location: str) -> None:
        self.url = make_url(store_url(location))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.in_use = threading.RLock()
        self._path = str(self.url.database)
        self._ready = False
        self._writing: PoolProxiedConnection | None = None
        self._lock_writers = (
            "BEGIN IMMEDIATE" if self.is_sqlite else f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})"
        )
        _databases.add(self)

    def __str__(self) -> str:
        """Name the store without its credentials."""
        return self._path if self.is_sqlite else str(self.url.set(drivername="postgresql", query={}))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Begin a transaction that may write, and commit it at the end. Makes the tables."""
        with self._errors(), self.in_use:
            self._make_ready()
            with self._engine.begin() as connection:
                connection.exec_driver_sql(self._lock_writers)
                yield connection

    @contextmanager
    def cursor(self) -> Iterator[DBAPICursor]:
        """Do as `write` does, and yield the driver's own cursor: for SQL that runs once for each event.

        The connection is kept for the next time; after an error it is closed, which rolls back.
        """
        with self._errors(), self.in_use:
            self._make_ready()
            if self._writing is None:
                self._writing = self._engine.raw_connection()
            try:
                cursor = self._writing.cursor()
                cursor.execute(self._lock_writers)
                yield cursor
                self._writing.commit()
            except BaseException:
                self._writing.invalidate()
                self._writing = None
                raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Begin a transaction that reads. Raises StoreError where there is no store yet."""
        with self._errors(), self.in_use:
            if self.is_sqlite and not Path(self._path).exists():
                raise StoreError(f"There is no event store at {self}: run a pipeline, or name another store")
            with self._engine.begin() as connection:
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN")
                yield connection

    def hold(self) -> Connection:
        """Return a connection of its own, in autocommit, for the caller to close."""
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def disconnect(self) -> None:
        """Close every connection; the next call opens another."""
        with self.in_use:
            if self._writing is not None:
                self._writing.close()
                self._writing = None
            if "_engine" in self.__dict__:
                self._engine.dispose()

    def compiled(self, statement: str) -> str:
        """Return SQL with `:name` parameters as the database's driver wants it."""
        return str(text(statement).compile(dialect=self._engine.dialect))

    @cached_property
    def _engine(self) -> Engine:
        if self.is_sqlite:
            options = {"timeout": PATIENCE, "check_same_thread": False}
            engine = create_engine(self.url, connect_args=options, paramstyle="named")
            hooks.listen(engine, "connect", _prepare_sqlite)
            return engine
        try:
            return create_engine(self.url, pool_pre_ping=True, connect_args={"connect_timeout": 5})
        except ImportError as error:
            raise StoreLocationError(
                f"The event store {self} needs psycopg2: install the `postgres` extra"
            ) from error

    def _make_ready(self) -> None:
        """Make the tables, or bring them up to date, once; and again where the file was deleted since."""
        if self._ready and (not self.is_sqlite or os.path.exists(self._path)):  # noqa: PTH110 - at every event
            return
        self.disconnect()
        if self.is_sqlite:
            self._make_folder()
        with self._engine.begin() as connection:
            connection.exec_driver_sql(self._lock_writers)
            if not inspect(connection).has_table(version.name):
                metadata.create_all(connection)
                version.create(connection)
                connection.execute(insert(version).values(version_num=REVISION))
            elif connection.scalar(select(version.c.version_num)) != REVISION:
                self._upgrade(connection)
        self._ready = True

    def _upgrade(self, connection: Connection) -> None:
        from airflow_lineage_provider.store.migrations import UnknownRevisionError, upgrade

        try:
            upgrade(connection)
        except UnknownRevisionError as error:
            advice = f"was made by a newer version of this package ({error}): upgrade it here too"
            raise StoreError(f"The event store {self} {advice}") from error

    def _make_folder(self) -> None:
        folder = Path(self._path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreLocationError(
                f"Cannot make the folder of the event store {self}: {error.strerror}"
            ) from error

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> StoreError:
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n", 1)[0]
        advice = next((advice for sign, advice in _ADVICE.items() if sign in said), "")
        if advice:
            kind = StoreError if self._was_there() else StoreLocationError
            return kind(f"The event store {self} {advice} ({said})")
        if not self.is_sqlite and any(sign in said for sign in _UNREACHABLE):
            advice = "cannot be reached: check its server and the store's URL"
            return StoreError(f"The event store {self} {advice} ({said})", unreachable=True)
        return StoreError(f"The event store {self} failed: {said}")

    def _was_there(self) -> bool:
        return not self.is_sqlite or Path(self._path).is_file()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Let us begin transactions, readers and one writer work at once, and commits be fast."""
    connection.isolation_level = None
    # An event changes a little on each of some ten pages: small ones are less to write.
    connection.execute("PRAGMA page_size = 2048")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # Pages, 32 MB: each checkpoint waits for the disk.
    connection.execute("PRAGMA wal_autocheckpoint = 16000")


_ADVICE = {
    "is locked": "is locked by another process: try again, or end the one that holds it",
    "is full": "cannot grow, the disk is full: free some space",
    "readonly": "is read-only: allow this user to write the file and its folder",
    "unable to open": "cannot be opened: check that the folder exists and that this user may write to it",
    "is not a database": "is not a SQLite database: name another file",
    "malformed": "is damaged: restore it or move it away; `sqlite3 FILE .recover` saves what can be read",
    "disk I/O error": "cannot be read or written: check that its disk works and is not full",
    "no such table": "holds no lineage events: name another file, or run a pipeline that fills it",
    "does not exist": "holds no lineage events: name another database, or run a pipeline that fills it",
    "password authentication failed": "refuses the user or the password: check the store's URL",
}
_UNREACHABLE = ("could not connect", "could not translate", "connection", "shutting down", "starting up")


# A SQLite connection must not live in two processes: the child would drop its parent's locks
# (https://sqlite.org/howtocorrupt.html, 2.6). So a fork waits for the transactions that are under
# way and finds no connection open. Airflow forks to emit each event.
_databases: WeakSet[Database] = WeakSet()
_forking: list[Database] = []


def _before_fork() -> None:
    for database in list(_databases):
        database.in_use.acquire()
        database.disconnect()
        _forking.append(database)


def _after_fork() -> None:
    while _forking:
        _forking.pop().in_use.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
