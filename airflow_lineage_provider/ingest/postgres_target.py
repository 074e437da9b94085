"""Postgres as the warehouse that rows are moved into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.postgres_source import PostgresAddress, connect
from airflow_lineage_provider.ingest.warehouse import BronzeTarget

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

TYPES = {
    "bool": "boolean", "int8": "smallint", "int16": "smallint", "int32": "integer", "int64": "bigint",
    "float": "real", "double": "double precision", "string": "text", "large_string": "text",
    "binary": "bytea", "date32[day]": "date", "null": "text",
}  # fmt: skip


class PostgresTarget(BronzeTarget):
    """A Postgres database, written by COPY."""

    def __init__(self, credentials: Any) -> None:
        super().__init__(credentials)
        sslmode = getattr(credentials, "sslmode", None)
        self._connection = connect(
            PostgresAddress(
                credentials.host, credentials.database, int(credentials.port), credentials.user,
                credentials.password or "", (("sslmode", sslmode),) if sslmode else (),
            )
        )  # fmt: skip
        self._connection.adbc_connection.set_autocommit(True)
        self.execute("set timezone = 'UTC'")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def execute(self, sql: str) -> int:
        """Run a statement; return how many rows it wrote."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return max(0, int(cursor.rowcount))

    def append(self, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Append rows by COPY, into the columns that have their names."""
        import pyarrow as pa

        schema_name, _, name = table.rpartition(".")
        where: dict[str, Any] = {"db_schema_name": schema_name} if schema_name else {"temporary": True}
        reader = pa.RecordBatchReader.from_batches(schema, iter(batches))
        with self._connection.cursor() as cursor:
            cursor.adbc_ingest(name, reader, mode="append", **where)

    def sql_type(self, kind: pa.DataType) -> str:
        """Return Postgres' type for an Arrow type."""
        import pyarrow as pa

        if pa.types.is_timestamp(kind):
            return "timestamp with time zone" if kind.tz else "timestamp"
        if pa.types.is_decimal(kind):
            return f"numeric({kind.precision},{kind.scale})"
        if pa.types.is_time(kind):
            return "time"
        found = TYPES.get(str(kind))
        if found is None:
            raise IngestError(f"a column of type {kind} cannot be moved into Postgres")
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
