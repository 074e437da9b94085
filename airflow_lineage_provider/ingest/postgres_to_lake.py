"""Moves a Postgres table into a folder of Parquet files: one file for each load.

A file has the rows that were read and the keys that are gone, and its notes have the watermark, so data
and watermark are committed by one rename (in a bucket: by one copy). A run that is killed leaves no file;
one that is repeated writes the same rows again, under the same number.

The rows as they are now are, for each key, those of the largest `_load`, unless their `_op` is D.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_lineage_provider.ingest.increment import WATERMARK, deleted_keys, typed_keys
from airflow_lineage_provider.ingest.merge import LOAD, LOADED_AT, OP
from airflow_lineage_provider.ingest.model import Moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from airflow_lineage_provider.ingest.increment import Increment
    from airflow_lineage_provider.ingest.lake import Lake
    from airflow_lineage_provider.ingest.postgres_source import PostgresSource, PostgresTable

_NAME = re.compile(r"load-(\d{20})\.parquet")


def land_table(
    source: PostgresSource,
    name: str,
    lake: Lake,
    increment: Increment,
    progress: Callable[[str], object],
) -> Moved:
    """Write what changed in a table since the last load as the folder's next file; none where nothing did.

    Deletions by comparison hold the keys of the table in memory.

    :param name: the source's table, `schema.table`; it has a primary key.
    :param lake: the table's own folder.

    Raises IngestError where a system does not answer, InputError for a table that cannot be moved.
    """
    described = source.describe(name)
    increment.check(described)
    loads = sorted(int(match[1]) for file in lake.names() if (match := _NAME.fullmatch(file)))
    files = [_file(load) for load in loads]
    position, deleted = deleted_keys(source, described, increment)
    newest = source.newest(name, increment.watermark) if increment.watermark else None
    notes = lake.notes(files[-1]) if files else {}
    gone = _gone(source, described, lake, files, increment, deleted)
    schema, batches = source.rows(described, increment.condition(described, notes.get(WATERMARK)))
    load = loads[-1] + 1 if loads else 0
    written = _Written(schema, load, datetime.now(UTC), "U" if files else "I")
    rows = written.batches(batches, gone)
    first = next(rows, None)
    if first is not None:
        watermark = {WATERMARK: newest} if newest else {}
        lake.write_batches(_file(load), written.schema, _chained(first, rows), watermark)
    if position:
        source.confirm(increment.slot, position)
    progress(f"{lake.location}: {written.rows:,} rows read, {gone.num_rows:,} deleted")
    own = {field.name: str(field.type) for field in written.schema}
    return Moved(
        source.dataset(name), lake.dataset, described.columns, own,
        {column: column for column in described.columns}, written.rows, {"deleted": gone.num_rows},
    )  # fmt: skip


class _Written:
    """Adds to rows what bronze adds, and counts them."""

    def __init__(self, schema: pa.Schema, load: int, now: datetime, op: str) -> None:
        import pyarrow as pa

        own = {OP: pa.string(), LOADED_AT: pa.timestamp("us", "UTC"), LOAD: pa.int64()}
        self.schema = pa.schema([*schema, *own.items()])
        self.rows = 0
        self._load, self._now, self._op = load, now, op

    def batches(self, read: Iterator[pa.RecordBatch], gone: pa.Table) -> Iterator[pa.RecordBatch]:
        """Yield rows as they are read, then the keys that are gone."""
        for batch in read:
            if batch.num_rows:
                self.rows += batch.num_rows
                yield self._marked(batch, self._op)
        for batch in gone.to_batches():
            yield self._marked(batch, "D")

    def _marked(self, batch: pa.RecordBatch, op: str) -> pa.RecordBatch:
        import pyarrow as pa

        count = batch.num_rows
        values = {OP: op, LOADED_AT: self._now, LOAD: self._load}
        columns = [
            pa.repeat(pa.scalar(values[field.name], field.type), count)
            if field.name in values
            else batch[field.name]
            if field.name in batch.schema.names
            else pa.nulls(count, field.type)
            for field in self.schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _gone(
    source: PostgresSource,
    table: PostgresTable,
    lake: Lake,
    files: list[str],
    increment: Increment,
    deleted: list[tuple[str, ...]],
) -> pa.Table:
    """Return the keys that are in the files and no longer in the source."""
    import pyarrow as pa

    if increment.deletes == "slot" and deleted:
        return typed_keys(source, table, deleted)
    if increment.deletes != "compare" or not files:
        return source.schema(table.keys_only()).empty_table()
    schema, batches = source.rows(table.keys_only())
    there = pa.Table.from_batches(batches, schema)
    key = list(table.key)
    return _live_keys(lake, files, key, schema).join(there, keys=key, join_type="left anti").select(key)


def _live_keys(lake: Lake, files: list[str], key: list[str], schema: pa.Schema) -> pa.Table:
    """Return the keys whose last row is not a deletion."""
    import pyarrow as pa
    import pyarrow.compute as pc

    live = schema.empty_table()
    for file in files:
        rows = pa.Table.from_batches(lake.batches(file, [*key, OP]))
        keys = rows.select(key).cast(schema)
        later = keys.filter(pc.not_equal(rows[OP], "D"))
        live = pa.concat_tables([live.join(keys, keys=key, join_type="left anti").select(key), later])
    return live


def _chained(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _file(load: int) -> str:
    return f"load-{load:020d}.parquet"
