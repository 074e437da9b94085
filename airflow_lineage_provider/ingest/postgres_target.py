"""Postgres as the warehouse that rows are moved into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.postgres_source import PostgresAddress, connect
from airflow_lineage_provider.ingest.warehouse import BronzeTarget

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

TYPES = {
    "timestamp_tz": "timestamp with time zone", "timestamp": "timestamp", "time": "time",
    "decimal": "numeric", "bool": "boolean",
    "int8": "smallint", "int16": "smallint", "int32": "integer", "int64": "bigint",
    "float": "real", "double": "double precision", "string": "text", "large_string": "text",
    "binary": "bytea", "date32[day]": "date", "null": "text",
}  # fmt: skip


class PostgresTarget(BronzeTarget):
    """A Postgres database, written by COPY."""

    types = TYPES
    driver = "adbc_driver_manager"

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

    def append(self, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Append rows by COPY, into the columns that have their names."""
        import pyarrow as pa

        schema_name, _, name = table.rpartition(".")
        where: dict[str, Any] = {"db_schema_name": schema_name} if schema_name else {"temporary": True}
        reader = pa.RecordBatchReader.from_batches(schema, iter(batches))
        with self._one_line(), self._connection.cursor() as cursor:
            cursor.adbc_ingest(name, reader, mode="append", **where)
