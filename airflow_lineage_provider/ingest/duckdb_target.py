"""DuckDB as the warehouse that rows are moved into."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.warehouse import BronzeTarget, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa


SETTINGS = {
    "TimeZone": "UTC",
    "memory_limit": "384MB",  # beyond it DuckDB writes to disk
    "force_compression": "zstd",  # half the CPU time of the default for text (dict_fsst), 1.8 times its size
}
"""How rows are written. The settings of the profile take precedence."""
PART_BYTES = 32 * 2**20
EVICTED_TO = "32MB"


class DuckDbTarget(BronzeTarget):
    """A DuckDB file, locked against every other process while it is open."""

    driver = "duckdb"

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
        for name, value in {**SETTINGS, **(credentials.settings or {})}.items():
            self._connection.execute(f"set {name} = {literal(str(value))}")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._one_line():
            found: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return found

    def execute(self, sql: str) -> int:
        """Run a statement; return how many rows it wrote."""
        found = self.query(sql)
        return int(found[0][0]) if found and isinstance(found[0][0], int) else 0

    def append(self, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Append rows; DuckDB pulls them while they are read."""
        import pyarrow as pa

        remaining = iter(batches)
        # Several threads leave partly filled row groups, which the checkpoint would merge.
        with self._one_line(), self._setting("threads", "1"):
            while part := _next_part(remaining):
                self._connection.register("ingest_incoming", pa.RecordBatchReader.from_batches(schema, part))
                try:
                    self._connection.execute(f"insert into {table} by name select * from ingest_incoming")
                finally:
                    self._connection.unregister("ingest_incoming")
                self._evict()

    def _evict(self) -> None:
        """Drop cached blocks, which DuckDB otherwise keeps up to its memory limit."""
        import duckdb

        with suppress(duckdb.OutOfMemoryException), self._setting("memory_limit", EVICTED_TO):
            pass

    @contextmanager
    def _setting(self, name: str, value: str) -> Iterator[None]:
        """Change a setting in the `with` block."""
        (before,) = self._connection.execute(f"select current_setting('{name}')").fetchall()[0]
        self._connection.execute(f"set {name} = {literal(value)}")
        try:
            yield
        finally:
            self._connection.execute(f"set {name} = {literal(str(before))}")

    def sql_type(self, kind: pa.DataType) -> str:
        """Return DuckDB's own type for an Arrow type."""
        import pyarrow as pa

        self._connection.register("ingest_typed", pa.table({"c": pa.array([], kind)}))
        try:
            return str(self._connection.execute("describe ingest_typed").fetchall()[0][1])
        finally:
            self._connection.unregister("ingest_typed")


def _next_part(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch] | None:
    """Return the next batches, of about PART_BYTES, as they are read; None after the last."""
    first = next(batches, None)
    if first is None:
        return None

    def part() -> Iterator[pa.RecordBatch]:
        size = first.nbytes
        yield first
        while size < PART_BYTES and (batch := next(batches, None)) is not None:
            size += batch.nbytes
            yield batch

    return part()
