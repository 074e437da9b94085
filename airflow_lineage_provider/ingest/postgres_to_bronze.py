"""Moves a Postgres table into bronze: one row for each key, and a tombstone for each that was deleted.

The rows, their tombstones and the watermark are committed in one transaction. A run that is killed leaves
bronze as it was; one that is repeated writes the same rows again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_lineage_provider.ingest.increment import WATERMARK, deleted_keys, typed_keys
from airflow_lineage_provider.ingest.merge import (
    LOADED_AT,
    OP,
    absent_from,
    create_progress,
    read_progress,
    tombstones,
    touch_newest,
    upsert,
    write_progress,
)
from airflow_lineage_provider.ingest.model import Moved
from airflow_lineage_provider.ingest.warehouse import check_table, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa

    from airflow_lineage_provider.ingest.increment import Increment
    from airflow_lineage_provider.ingest.postgres_source import PostgresSource, PostgresTable
    from airflow_lineage_provider.ingest.warehouse import BronzeTarget

SHOWN_EVERY = 1_000_000


def move_table(
    source: PostgresSource,
    name: str,
    target: BronzeTarget,
    table: str,
    increment: Increment,
    progress: Callable[[str], object],
) -> Moved:
    """Bring a bronze table to the state of the source's table.

    :param name: the source's table, `schema.table`; it has a primary key.
    :param table: the bronze table, `schema.table`; made where it is not there.

    Raises IngestError where a system does not answer, InputError for a table that cannot be moved.
    """
    described = source.describe(name)
    increment.check(described)
    origin = source.dataset(name)
    known = target.columns(check_table(table))
    target.execute(f"create schema if not exists {schema_of(table)}")
    target.execute(create_progress(table))
    came_from = f"{origin.namespace}/{origin.name}"
    positions = read_progress(target, table, came_from) if known else {}
    now = datetime.now(UTC)
    position, deleted = deleted_keys(source, described, increment)
    # Before the rows, because the connection takes no other query while they are read.
    newest = source.newest(name, increment.watermark) if increment.watermark else None
    schema, batches = source.rows(described, increment.condition(described, positions.get(WATERMARK)))
    known = _fit(target, table, known, schema)
    is_empty = not target.query(f"select 1 from {table} limit 1")
    counted = _Counted(batches, table, progress)
    statements: list[str] = []
    if not is_empty:
        staged = target.stage(table, schema.names)
        target.append(staged, counted, schema)
        statements += upsert(target, table, staged, described.key, schema.names, now)
        if not counted.rows and increment.watermark:
            statements.append(touch_newest(target, table, increment.watermark, now))
    gone = "" if is_empty else _gone(source, described, target, table, increment, deleted)
    if newest:
        statements += write_progress(table, came_from, WATERMARK, newest)
    with target.transaction():
        if is_empty:
            target.append(table, _marked(counted, now), _marked_schema(schema))
        for statement in statements:
            target.execute(statement)
        tombs = target.execute(tombstones(target, table, gone, now)) if gone else 0
    if position:
        source.confirm(increment.slot, position)
    progress(f"{table}: {counted.rows:,} rows read, {tombs:,} deleted")
    return target.reported(
        Moved(
            origin, target.dataset(table), described.columns, known,
            {column: column for column in described.columns}, counted.rows, {"deleted": tombs},
        )
    )  # fmt: skip


class _Counted:
    """Counts the rows of batches while they are read, and shows how many there were."""

    def __init__(
        self, batches: Iterable[pa.RecordBatch], table: str, progress: Callable[[str], object]
    ) -> None:
        self._batches = batches
        self._table = table
        self._progress = progress
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            before = self.rows // SHOWN_EVERY
            self.rows += batch.num_rows
            if self.rows // SHOWN_EVERY > before:
                self._progress(f"{self._table}: {self.rows:,} rows ...")
            yield batch


def _gone(
    source: PostgresSource,
    described: PostgresTable,
    target: BronzeTarget,
    table: str,
    increment: Increment,
    deleted: list[tuple[str, ...]],
) -> str:
    """Return the condition on bronze's rows `t` that they are gone from the source; empty where none is."""
    key = described.key
    if increment.deletes == "compare":
        schema, batches = source.rows(described.keys_only())
    elif deleted:
        keys = typed_keys(source, described, deleted)
        schema, batches = keys.schema, iter(keys.to_batches())
    else:
        return ""
    staged = target.stage(table, key, "ingest_keys")
    target.append(staged, batches, schema)
    absent = absent_from(target, staged, key)
    return absent if increment.deletes == "compare" else f"not ({absent})"


def _fit(target: BronzeTarget, table: str, known: dict[str, str], schema: pa.Schema) -> dict[str, str]:
    """Make the bronze table, or add the columns that the source has got since; return its columns."""
    if not known:
        target.create_table(table, _marked_schema(schema))
    else:
        for field in _marked_schema(schema):
            if field.name.lower() not in known:
                target.add_column(table, field.name, field.type)
    return target.columns(table)


def _marked_schema(schema: pa.Schema) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([*schema, pa.field(OP, pa.string()), pa.field(LOADED_AT, pa.timestamp("us", "UTC"))])


def _marked(batches: Iterable[pa.RecordBatch], now: datetime) -> Iterator[pa.RecordBatch]:
    """Yield rows with what bronze adds to those that are new."""
    import pyarrow as pa

    for batch in batches:
        schema = _marked_schema(batch.schema)
        op = pa.repeat(pa.scalar("I"), batch.num_rows)
        loaded = pa.repeat(pa.scalar(now, schema.field(LOADED_AT).type), batch.num_rows)
        yield pa.RecordBatch.from_arrays([*batch.columns, op, loaded], schema=schema)
