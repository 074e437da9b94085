"""Reads tables of a Postgres database as Arrow batches, all in one snapshot."""

from __future__ import annotations

import json
import re
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.ingest.ahead import ahead
from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.warehouse import check_table, literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

BATCH_BYTES = 8 * 2**20
PLUGIN = "wal2json"
SLOT_WAIT = 60.0
REFUSED = ("authentication failed", "does not exist", "no password supplied", "is not permitted to log in")
# Types that ADBC reads as they are. All others are read as text.
PLAIN = {
    "text", "varchar", "int2", "int4", "int8", "float4", "float8", "bool", "date",
    "timestamp", "timestamptz", "time", "bytea",
}  # fmt: skip
NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
MOST_DIGITS = 38


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """How a database is reached. Its URI, with the password, leaves this object only to connect."""

    host: str
    database: str
    port: int = 5432
    user: str = ""
    password: str = ""
    options: tuple[tuple[str, str], ...] = ()
    """libpq's, such as sslmode."""
    name: str = ""
    """What error messages call it, such as "connection 'crm'"."""

    def __repr__(self) -> str:
        place = f"Postgres {self.host}:{self.port}/{self.database}"
        return f"{self.name} ({place})" if self.name else place

    @property
    def uri(self) -> str:
        """Return libpq's connection URI."""
        login = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
        options = "&".join(f"{name}={quote(value, safe='')}" for name, value in self.options)
        host = quote(self.host, safe="[]:")
        return f"postgresql://{login}@{host}:{self.port}/{quote(self.database, safe='')}?{options}"


def connect(address: PostgresAddress) -> Any:
    """Return an ADBC connection. Raises IngestError, without the password, where it cannot be had."""
    import adbc_driver_postgresql.dbapi

    try:
        return adbc_driver_postgresql.dbapi.connect(address.uri)
    except adbc_driver_postgresql.dbapi.Error as error:
        text = " ".join(str(error).split()).replace(address.uri, "").replace(address.password or "\0", "***")
        refused = any(reason in text for reason in REFUSED)
        what = "refuses the login" if refused else "cannot be reached"
        raise IngestError(f"{address!r} {what}: {text[:300]}", unreachable=not refused) from None


@dataclass(frozen=True, slots=True)
class PostgresTable:
    """A table of the source: its columns with Postgres' types, and its primary key."""

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]

    def keys_only(self) -> PostgresTable:
        """Return the table without the columns that are not of its key."""
        return replace(self, columns={column: self.columns[column] for column in self.key})


class PostgresSource:
    """A database that tables are read from. All that is read between two `refresh` is of one snapshot."""

    def __init__(self, address: PostgresAddress) -> None:
        self.address = address
        self._connection = connect(address)
        self.refresh()

    def dataset(self, table: str) -> DatasetName:
        """Return the name of a table in OpenLineage."""
        address = self.address
        return DatasetName(f"postgres://{address.host}:{address.port}", f"{address.database}.{table}")

    def refresh(self) -> None:
        """Take a new snapshot."""
        self._connection.rollback()
        with self._connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")

    def describe(self, table: str) -> PostgresTable:
        """Return the columns and the primary key of a table. Raises IngestError where it is not there."""
        schema, _, name = check_table(table).partition(".")
        found = self._query(f"""
            select a.attname::text, t.typname::text, format_type(a.atttypid, a.atttypmod)::text,
                   coalesce(array_position(i.indkey::int2[], a.attnum), -1)::int4
            from pg_attribute a
            join pg_type t on t.oid = a.atttypid
            join pg_class c on c.oid = a.attrelid
            join pg_namespace n on n.oid = c.relnamespace
            left join pg_index i on i.indrelid = c.oid and i.indisprimary
            where n.nspname = {literal(schema)} and c.relname = {literal(name)}
              and a.attnum > 0 and not a.attisdropped
            order by a.attnum""")
        if not found:
            raise IngestError(f"{self.address!r} has no table {table!r}, or its user may not see it")
        key = sorted((place, column) for column, _, _, place in found if place >= 0)
        columns = {column: full if plain == "numeric" else plain for column, plain, full, _ in found}
        return PostgresTable(table, columns, tuple(column for _, column in key))

    def rows(self, table: PostgresTable, condition: str = "") -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Return the Arrow schema of a table, and an iterator of its rows in batches.

        :param condition: SQL that limits the rows.
        """
        import pyarrow as pa

        selected = ", ".join(_selected(column, kind) for column, kind in table.columns.items())
        where = f" where {condition}" if condition else ""
        reader, cursor = self._reader(f"select {selected} from {table.name}{where}")
        fields = [
            pa.field(field.name, _decimal(table.columns[field.name]) or field.type) for field in reader.schema
        ]
        schema = pa.schema(fields)

        def batches() -> Iterator[pa.RecordBatch]:
            try:
                with cursor:
                    for batch in reader:
                        yield batch if batch.schema.equals(schema) else _cast(batch, schema)
            except OSError as error:  # as pyarrow raises what ADBC's stream says
                text = " ".join(str(error).split())[:300]
                raise IngestError(f"{self.address!r}: {text}", unreachable=True) from None

        return schema, ahead(batches())

    def schema(self, table: PostgresTable) -> pa.Schema:
        """Return the Arrow schema of a table, without rows."""
        schema, batches = self.rows(table, "false")
        deque(batches, maxlen=0)
        return schema

    def newest(self, table: str, column: str) -> str | None:
        """Return the largest value of a column, as text that Postgres reads back; None of no rows."""
        (value,) = self._query(f'select max("{column}")::text from {table}')[0]
        return None if value is None else str(value)

    def delete_log(self, slot: str, table: PostgresTable) -> tuple[str, list[tuple[str, ...]]]:
        """Return what a logical replication slot knows of deletions: its position, and keys as text.

        The slot is made where it is not there. Its position stays where it is until `confirm`.
        """
        with self._changes() as changes:
            exists = f"select 1 from pg_replication_slots where slot_name = {literal(slot)}"
            if not changes.query(exists):
                changes.query(f"select pg_create_logical_replication_slot({literal(slot)}, '{PLUGIN}')::text")
            changes.wait_until_free(slot)
            rows = changes.query(
                f"select lsn::text, data from pg_logical_slot_peek_changes({literal(slot)}, null, null, "
                f"'format-version', '2', 'actions', 'delete', 'add-tables', {literal(table.name)})"
            )
        keys = []
        for _, data in rows:
            change = json.loads(data)
            if change["action"] == "D":
                identity = {part["name"]: part["value"] for part in change["identity"]}
                keys.append(tuple(str(identity[column]) for column in table.key))
        return (str(rows[-1][0]) if rows else ""), keys

    def wait_until_free(self, slot: str) -> None:
        """Wait for the server to end the session of a run that was killed, which holds the slot."""
        deadline = time.monotonic() + SLOT_WAIT
        active = f"select 1 from pg_replication_slots where slot_name = {literal(slot)} and active"
        while self.query(active) and time.monotonic() < deadline:
            time.sleep(0.2)

    def confirm(self, slot: str, position: str) -> None:
        """Move a slot on, when what it said is committed elsewhere."""
        with self._changes() as changes:
            changes.query(f"select pg_replication_slot_advance({literal(slot)}, {literal(position)})::text")

    def keys_there(self, table: PostgresTable, keys: Sequence[tuple[str, ...]]) -> set[tuple[str, ...]]:
        """Return which of these keys are in the table."""
        if not keys:
            return set()
        names = ", ".join(f'"{column}"::text' for column in table.key)
        listed = ", ".join(f"({', '.join(map(literal, key))})" for key in keys)
        rows = self._query(f"select {names} from {table.name} where ({names}) in ({listed})")
        return {tuple(map(str, row)) for row in rows}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def _changes(self) -> Iterator[PostgresSource]:
        """Yield a connection of its own, outside of the snapshot, for the functions of slots."""
        import adbc_driver_postgresql.dbapi

        other = PostgresSource(self.address)
        other._connection.rollback()
        try:
            yield other
            other._connection.commit()
        except adbc_driver_postgresql.dbapi.Error as error:
            text = " ".join(str(error).split())
            hint = (
                f"; install {PLUGIN} on its server (Debian: postgresql-15-wal2json)" if PLUGIN in text else ""
            )
            busy = "is active for PID" in text  # another run reads it
            raise IngestError(f"{self.address!r}: {text[:300]}{hint}", unreachable=busy) from None
        finally:
            other.close()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        import adbc_driver_postgresql.dbapi

        try:
            return self.query(sql)
        except adbc_driver_postgresql.dbapi.Error as error:
            raise IngestError(f"{self.address!r}: {' '.join(str(error).split())[:300]}") from None

    def _reader(self, sql: str) -> tuple[pa.RecordBatchReader, Any]:
        import adbc_driver_postgresql.dbapi

        cursor = self._connection.cursor()
        hint = {"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}
        cursor.adbc_statement.set_options(**hint)
        try:
            cursor.execute(sql)
            return cursor.fetch_record_batch(), cursor
        except adbc_driver_postgresql.dbapi.Error as error:
            raise IngestError(f"{self.address!r}: {' '.join(str(error).split())[:300]}") from None


def _selected(column: str, kind: str) -> str:
    name = '"' + column.replace('"', '""') + '"'
    return name if kind in PLAIN else f"{name}::text as {name}"


def _decimal(kind: str) -> pa.DataType | None:
    import pyarrow as pa

    match = NUMERIC.fullmatch(kind)
    if match is None or int(match[1]) > MOST_DIGITS:
        return None
    return pa.decimal128(int(match[1]), int(match[2]))


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    try:
        return batch.cast(schema)
    except pa.ArrowInvalid as error:
        raise IngestError(f"a number is none: {error}; select it as text from a view") from None
