"""DuckDB as the warehouse that rows are moved into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.warehouse import BronzeTarget, literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


MEMORY_LIMIT = "512MB"  # beyond it DuckDB writes to disk; the settings of the profile go before it


class DuckDbTarget(BronzeTarget):
    """A DuckDB file, locked against every other process while it is open."""

    def __init__(self, credentials: Any) -> None:
        super().__init__(credentials)
        import duckdb

        path = credentials.path
        if "://" not in path and ":" not in path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = duckdb.connect(path)
        except duckdb.Error as error:
            text = " ".join(str(error).split())
            raise IngestError(
                f"the warehouse {path} cannot be opened: {text[:300]}", unreachable=True
            ) from None
        self._connection.execute("set TimeZone = 'UTC'")
        self._connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        for name, value in (credentials.settings or {}).items():
            self._connection.execute(f"set {name} = {literal(str(value))}")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        found: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return found

    def execute(self, sql: str) -> int:
        """Run a statement; return how many rows it wrote."""
        found = self._connection.execute(sql).fetchall()
        return int(found[0][0]) if found and isinstance(found[0][0], int) else 0

    def append(self, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Append rows; DuckDB pulls them while they are read."""
        import pyarrow as pa

        self._connection.register("ingest_incoming", pa.RecordBatchReader.from_batches(schema, iter(batches)))
        try:
            self._connection.execute(f"insert into {table} by name select * from ingest_incoming")
        finally:
            self._connection.unregister("ingest_incoming")

    def sql_type(self, kind: pa.DataType) -> str:
        """Return DuckDB's own type for an Arrow type."""
        import pyarrow as pa

        self._connection.register("ingest_typed", pa.table({"c": pa.array([], kind)}))
        try:
            return str(self._connection.execute("describe ingest_typed").fetchall()[0][1])
        finally:
            self._connection.unregister("ingest_typed")

    def close(self) -> None:
        """Close the file, so that another process can open it."""
        self._connection.close()
