"""The columns and types that the warehouse has, read through dbt's own adapter on a thread of ours.

dbt's event stream has no types, so they are read from the warehouse: one query for each schema, for all
tables that were asked for while the query before it ran. The adapter of the running process makes the
queries, because DuckDB lets no second process open its file.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_lineage_provider.dbt.columns_sql import columns_query, full_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import Context

Columns = tuple[tuple[str, str], ...]
CLOSE_SECONDS = 5.0
_AT_ONCE = 500  # tables of one query


class TableRef(NamedTuple):
    """A table of the warehouse, or a file that DuckDB reads, which is known by its location alone."""

    database: str | None
    schema: str | None
    identifier: str
    location: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The same for every spelling of the table."""
        if self.location:
            return (self.location,)
        return tuple((part or "").casefold() for part in self[:3])


class ColumnCatalog:
    """The columns of tables. `request` returns at once; `on_read` is called when the answer is there.

    `on_read` gets the ticket of a request when that and all earlier requests are answered. `columns` then
    has the answer.
    """

    def __init__(self, adapter: Any, context: Context, on_read: Callable[[int], None]) -> None:
        self._adapter = adapter
        self._context = context
        self._on_read = on_read
        self._columns: dict[tuple[str, ...], Columns] = {}
        self._asked: set[tuple[str, ...]] = set()
        self._wanted: dict[tuple[str, ...], TableRef] = {}
        self._ticket = self._answered = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="dbt-columns", daemon=True)
        self._thread.start()
        self.problems: list[str] = []

    def columns(self, table: TableRef) -> Columns:
        """Return (name, type) in the table's order; empty for a table that is not known to exist."""
        return self._columns.get(table.key, ())

    def was_requested(self, table: TableRef) -> bool:
        """Tell whether some request has named the table."""
        return table.key in self._asked

    def request(self, tables: Iterable[TableRef]) -> int:
        """Ask for the columns of tables, again where they were asked before; return the request's ticket."""
        with self._changed:
            for table in tables:
                self._asked.add(table.key)
                self._wanted[table.key] = table
            self._ticket += 1
            self._changed.notify()
            return self._ticket

    def ticket_of_last(self) -> int:
        """Return the ticket of the last request; all that was asked for is known with it."""
        return self._ticket

    def close(self) -> None:
        """End the thread, and wait for a query that runs a few seconds at most."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._ticket > self._answered)
                if self._closed:
                    break
                wanted, self._wanted, ticket = list(self._wanted.values()), {}, self._ticket
            try:
                self._context.run(self._read, wanted)
            except Exception as error:  # noqa: BLE001 - records must not wait for an answer that never comes
                self.problems.append(f"columns could not be read: {' '.join(str(error).split())}")
            self._answered = ticket
            self._on_read(ticket)
        with suppress(Exception):
            self._context.run(self._adapter.release_connection)

    def _read(self, tables: list[TableRef]) -> None:
        schemas: dict[tuple[str, ...], list[TableRef]] = {}
        for table in tables:
            if table.location:
                self._try(self._describe, [table])
            else:
                schemas.setdefault(table.key[:2], []).append(table)
        for same_schema in schemas.values():
            for start in range(0, len(same_schema), _AT_ONCE):
                part = same_schema[start : start + _AT_ONCE]
                if not self._try(self._query, part, is_last=False):
                    for table in part:
                        self._try(self._ask_adapter, [table])

    def _try(
        self, read: Callable[[list[TableRef]], bool], tables: list[TableRef], *, is_last: bool = True
    ) -> bool:
        """Return what a read returns, on this thread's own connection. Lineage never fails the run."""
        try:
            # The connection stays open: a warehouse takes up to a second to open one.
            with self._adapter.connection_named("lineage", should_release_connection=False):
                return read(tables)
        except Exception as error:  # noqa: BLE001
            with suppress(Exception):
                self._adapter.release_connection()
            if is_last:
                name = tables[0].location or ".".join(filter(None, tables[0][:3]))
                self.problems.append(f"columns of {name} could not be read: {' '.join(str(error).split())}")
        return False

    def _query(self, tables: list[TableRef]) -> bool:
        """Read the columns of the tables of a schema by one query; False where there is none."""
        database, schema, _, _ = tables[0]
        names = (table.identifier for table in tables)
        sql = columns_query(self._adapter.type(), database or "", schema or "", names)
        if sql is None:
            return False
        found: dict[str, list[tuple[str, str]]] = {}
        for row in self._rows(sql):
            found.setdefault(str(row[0]).casefold(), []).append((str(row[1]), full_type(row)))
        for table in tables:
            self._keep(table, found.get(table.identifier.casefold()))
        return True

    def _rows(self, sql: str) -> list[Any]:
        if not hasattr(self._adapter.connections, "add_query"):  # BigQuery's is no SQL adapter
            _, table = self._adapter.execute(sql, fetch=True)
            return list(table.rows)
        _, cursor = self._adapter.connections.add_query(sql)
        rows: list[Any] = cursor.fetchall()
        self._adapter.commit_if_has_connection()
        return rows

    def _ask_adapter(self, tables: list[TableRef]) -> bool:
        """Read the columns of each table as dbt's own macros do."""
        for table in tables:
            relation = self._adapter.get_relation(*table[:3])
            found = self._adapter.get_columns_in_relation(relation) if relation else ()
            self._keep(table, [(column.name, column.data_type) for column in found])
        return True

    def _describe(self, tables: list[TableRef]) -> bool:
        """Read the columns of files by queries of no rows: they are in no catalog."""
        for table in tables:
            location = str(table.location)
            source = location if "(" in location else "'" + location.replace("'", "''") + "'"
            found = self._adapter.get_column_schema_from_query(f"select * from {source} limit 0")  # noqa: S608
            self._keep(table, [(column.column, column.data_type) for column in found])
        return True

    def _keep(self, table: TableRef, columns: list[tuple[str, str]] | None) -> None:
        if columns:
            self._columns[table.key] = tuple(columns)
        else:
            self._columns.pop(table.key, None)
