"""Connections to the store's database: SQLite or Postgres, across threads, processes and forks."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sqlite3
import threading
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from weakref import WeakSet

from sqlalchemy import NullPool, create_engine, insert, inspect, make_url, select, text
from sqlalchemy import event as hooks
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from airflow_lineage_provider.store.advice import advice_for
from airflow_lineage_provider.store.errors import StoreError, StoreLocationError
from airflow_lineage_provider.store.location import store_url
from airflow_lineage_provider.store.schema import REVISION, metadata, version
from airflow_lineage_provider.store.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine, PoolProxiedConnection
    from sqlalchemy.engine.interfaces import DBAPICursor

# A constant of our own choice: every writer of a Postgres store takes this advisory lock.
_WRITER_LOCK = 0x4C494E45
PATIENCE = 8.0
"""Seconds that `EventStore.append` waits for a store that is away; Airflow gives a lineage hook ten."""
ATTEMPT = 3.0
"""Seconds that one attempt to append may take, for an event."""
_LONGEST_MAINTENANCE = 30.0  # seconds

# Every wait for a Postgres server has a limit: on the server, and by `Watchdog` where it does not answer.
_POSTGRES_ARGUMENTS = {
    "connect_timeout": 2,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}
_POSTGRES_SESSION = (
    "SET lock_timeout = '2s'",
    f"SET statement_timeout = '{PATIENCE:.0f}s'",
    # A writer that is stopped in mid-transaction gives up its lock, for the others.
    "SET idle_in_transaction_session_timeout = '30s'",
)

_flush = getattr(os, "fdatasync", os.fsync)

log = logging.getLogger(__name__)


class Database:
    """One database, with what SQLite and Postgres need for many concurrent writers.

    Writers hold a lock, so that ids become visible in their order: a reader that has seen event 7 never finds
    a 6 that was committed later.
    """

    def __init__(self, location: str) -> None:
        self.url = make_url(store_url(location))
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.in_use = threading.RLock()
        self.attempt = ATTEMPT
        self._path = str(self.url.database)
        self._file: tuple[int, int] | None = None
        self._ready = False
        self._writing: PoolProxiedConnection | None = None
        self._log: int | None = None
        self._connected: list[Any] = []
        self._watchdog = Watchdog(self._cut_connections)
        self._lock_writers = (
            "BEGIN IMMEDIATE" if self.is_sqlite else f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})"
        )
        _databases.add(self)

    def __str__(self) -> str:
        """Return the location without credentials."""
        return self._path if self.is_sqlite else str(self.url.set(drivername="postgresql", query={}))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Begin a transaction that may write, and commit it at the end. Creates the tables."""
        with self._errors(), self.in_use, self._limit(_LONGEST_MAINTENANCE):
            self._make_ready()
            with self._engine.begin() as connection:
                connection.exec_driver_sql(self._lock_writers)
                if not self.is_sqlite:
                    limit = f"SET LOCAL statement_timeout = '{_LONGEST_MAINTENANCE:.0f}s'"
                    connection.exec_driver_sql(limit)
                yield connection

    @contextmanager
    def cursor(self) -> Iterator[DBAPICursor]:
        """Do as `write` does, and yield the driver's own cursor: for SQL that runs once for each event.

        What was committed is on the disk when this returns. The connection is kept for the next time; after
        an error it is closed, which rolls back.
        """
        with self._errors(), self.in_use, self._limit(PATIENCE):
            self._make_ready()
            self.extend_limit()
            if self._writing is None:
                self._writing = self._engine.raw_connection()
            try:
                cursor = self._writing.cursor()
                cursor.execute(self._lock_writers)
                yield cursor
                self.extend_limit()
                self._writing.commit()
            except BaseException:
                self._writing.invalidate()
                self._writing = None
                raise
            if self.is_sqlite:
                self._sync()

    def _sync(self) -> None:
        """Write SQLite's log to the disk, as `synchronous = FULL` would, but without the writers' lock.

        So processes that write at the same time share the disk's flushes instead of waiting for each other's.
        """
        if self._log is None:
            self._log = os.open(f"{self._path}-wal", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _flush(self._log)
        except OSError as error:
            raise StoreError(f"The event store {self} cannot be written: {error.strerror}") from error

    def extend_limit(self) -> None:
        """Give the next statement of `cursor` its time: `attempt` seconds."""
        if not self.is_sqlite:
            self._watchdog.start(self.attempt)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Begin a transaction that reads; no permission to write is needed.

        Raises StoreError where there is no store yet.
        """
        with self._errors(), self.in_use, self._limit(PATIENCE):
            if self.is_sqlite and not Path(self._path).exists():
                raise StoreError(f"There is no event store at {self}: run a pipeline, or name another store")
            engine = self._engine if self._is_writable() else self._read_only_engine
            with engine.begin() as connection:
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN")
                yield connection

    @contextmanager
    def session(self, held: Connection | None = None) -> Iterator[Connection]:
        """Yield a connection in autocommit that outlives the block, for the caller to close."""
        with self._limit(PATIENCE):
            yield held or self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def disconnect(self) -> None:
        """Close every connection; the next call opens another."""
        with self.in_use:
            if self._log is not None:
                os.close(self._log)
                self._log = None
            if self._writing is not None:
                self._writing.close()
                self._writing = None
            if "_engine" in self.__dict__:
                self._engine.dispose()
            self._connected.clear()

    def compiled(self, statement: str) -> str:
        """Return SQL with `:name` parameters in the style of the database's driver."""
        return str(text(statement).compile(dialect=self._engine.dialect))

    @cached_property
    def _engine(self) -> Engine:
        if self.is_sqlite:
            options = {"timeout": ATTEMPT, "check_same_thread": False}
            engine = create_engine(self.url, connect_args=options, paramstyle="named")
            hooks.listen(engine, "connect", _prepare_sqlite)
            return engine
        arguments = {name: value for name, value in _POSTGRES_ARGUMENTS.items() if name not in self.url.query}
        try:
            engine = create_engine(self.url, pool_pre_ping=True, connect_args=arguments)
        except ImportError as error:
            raise StoreLocationError(
                f"The event store {self} needs psycopg2: install the `postgres` extra"
            ) from error
        hooks.listen(engine, "connect", self._prepare_postgres)
        return engine

    @cached_property
    def _read_only_engine(self) -> Engine:
        """Connections to a file that this user cannot write, each for one transaction.

        SQLite needs the WAL index to read beside writers. Without one there are no writers, and the file can
        be read as it is.
        """

        def connect() -> sqlite3.Connection:
            immutable = "" if Path(f"{self._path}-wal").exists() else "&immutable=1"
            uri = f"file:{quote(self._path)}?mode=ro{immutable}"
            return sqlite3.connect(uri, uri=True, timeout=ATTEMPT, check_same_thread=False)

        engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, paramstyle="named")
        hooks.listen(engine, "connect", _begin_by_hand)
        return engine

    def _is_writable(self) -> bool:
        return not self.is_sqlite or (
            os.access(self._path, os.W_OK) and os.access(Path(self._path).parent, os.W_OK)
        )

    def _prepare_postgres(self, connection: Any, _record: Any) -> None:
        self._connected = [*(known for known in self._connected if not known.closed), connection]
        with connection.cursor() as cursor:
            for statement in _POSTGRES_SESSION:
                cursor.execute(statement)
        connection.commit()

    @contextmanager
    def _limit(self, seconds: float) -> Iterator[None]:
        """Cut the connections where the server says nothing, and does not even report a timeout."""
        if self.is_sqlite:
            yield
            return
        self._watchdog.start(seconds + 1)
        try:
            yield
        finally:
            self._watchdog.stop()

    def _cut_connections(self) -> None:
        for connection in self._connected:
            # It may be closing. A duplicate, so that only its owner closes the connection's descriptor.
            with (
                contextlib.suppress(Exception),
                socket.socket(fileno=os.dup(connection.fileno())) as duplicate,
            ):
                duplicate.shutdown(socket.SHUT_RDWR)

    def _make_ready(self) -> None:
        """Create or upgrade the tables, once; and again where the file was deleted or replaced since."""
        if self._ready and (not self.is_sqlite or self._is_same_file()):
            return
        if self._ready:
            log.warning(
                "The event store %s was deleted or replaced while it was in use: the events that were "
                "committed to it are gone, and new ones go to the file that is there now",
                self,
            )
        self.disconnect()
        if self.is_sqlite:
            self._make_file()
        with self._engine.begin() as connection:
            connection.exec_driver_sql(self._lock_writers)
            tables = inspect(connection).get_table_names()
            if version.name not in tables:
                self._require_empty(tables)
                metadata.create_all(connection)
                version.create(connection)
                connection.execute(insert(version).values(version_num=REVISION))
            elif connection.scalar(select(version.c.version_num)) != REVISION:
                self._upgrade(connection)
        self._ready = True

    def _require_empty(self, tables: list[str]) -> None:
        """Refuse a database that belongs to something else, such as Airflow's own."""
        if tables:
            some = ", ".join(sorted(tables)[:3])
            raise StoreLocationError(
                f"The database {self} is not an event store, and it is not empty ({some}): "
                "use an empty database, or an empty schema (?options=-csearch_path%3DSCHEMA)"
            )

    def _upgrade(self, connection: Connection) -> None:
        from airflow_lineage_provider.store.migrations import UnknownRevisionError, upgrade

        self._watchdog.stop()  # a large table takes its time
        try:
            upgrade(connection)
        except UnknownRevisionError as error:
            advice = f"was made by a newer version of this package ({error}): upgrade it here too"
            raise StoreError(f"The event store {self} {advice}") from error

    def _make_file(self) -> None:
        """Create the file and its folder for this user only; SQLite gives its other files the same mode."""
        folder = Path(self._path).parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreLocationError(
                f"Cannot make the folder of the event store {self}: {error.strerror}"
            ) from error
        # Never opens a file that is there: to close it would drop the locks of this process's connections
        # (https://sqlite.org/howtocorrupt.html, 2.2).
        with contextlib.suppress(OSError):  # SQLite reports why it cannot be opened
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._file = self._identity()

    def _is_same_file(self) -> bool:
        return self._identity() == self._file

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - for each event
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> StoreError:
        reason = str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n", 1)[0]
        if self._watchdog.expired:
            reason = "no answer"
        advice, is_temporary = advice_for(reason)
        if not advice:
            return StoreError(f"The event store {self} failed: {reason}")
        kind = StoreError if is_temporary or self._was_there() else StoreLocationError
        return kind(f"The event store {self} {advice} ({reason})", unreachable=is_temporary)

    def _was_there(self) -> bool:
        return not self.is_sqlite or Path(self._path).is_file()


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """Let readers and one writer work concurrently."""
    _begin_by_hand(connection, record)
    # An event changes a little of each of some ten pages: small pages are less to write.
    connection.execute("PRAGMA page_size = 2048")
    connection.execute("PRAGMA journal_mode = WAL")
    # `Database.cursor` flushes the log itself.
    connection.execute("PRAGMA synchronous = NORMAL")
    # Pages, 32 MB: each checkpoint waits for the disk.
    connection.execute("PRAGMA wal_autocheckpoint = 16000")


def _begin_by_hand(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


# A SQLite connection must not be used in two processes: the child would drop its parent's locks
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
