"""Loads landed Parquet files into a bronze table, each record once.

The offset after the last one that was loaded is committed with the rows, for each partition. Files whose
offsets overlap, as two runs at once leave them, are therefore loaded once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_lineage_provider.ingest.merge import (
    LOADED_AT,
    create_progress,
    read_progress,
    touch_newest,
    write_progress,
)
from airflow_lineage_provider.ingest.model import IngestError, Moved
from airflow_lineage_provider.ingest.topic_to_lake import OFFSET, PARTITION, Range, files_after
from airflow_lineage_provider.ingest.warehouse import check_table, quoted, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from airflow_lineage_provider.ingest.lake import Lake
    from airflow_lineage_provider.ingest.warehouse import BronzeTarget


def load_landed(
    lake: Lake,
    topic: str,
    target: BronzeTarget,
    table: str,
    key: str | None,
    progress: Callable[[str], object],
) -> Moved:
    """Load the records of a topic that landed since the last load.

    :param table: `schema.table`; made where it is not there. A field that is new becomes a new column.
    :param key: a column that tells records apart: one that the producer sent twice is kept once, as it first
        came. None: every record is kept.

    Returns how many rows were loaded, and how many were redelivered.
    """
    import pyarrow as pa

    source = f"{lake.dataset.namespace}/{lake.dataset.name}"
    known = target.columns(check_table(table))
    target.execute(f"create schema if not exists {schema_of(table)}")
    target.execute(create_progress(table))
    ends = {int(p): int(o) for p, o in read_progress(target, table, source).items()} if known else {}
    now = datetime.now(UTC)
    rows = redelivered = 0
    for covered, name in files_after(lake, topic, ends):
        fields = pa.schema([*lake.schema(name), pa.field(LOADED_AT, pa.timestamp("us", "UTC"))])
        known = _fit(target, table, known, fields, has_rows=len(fields) > len((PARTITION, OFFSET, LOADED_AT)))
        staged = target.stage(table, fields.names) if known else ""
        if known:
            start = ends.get(covered.partition, 0)
            target.append(staged, _rows(lake, name, start, now, fields), fields)
        with target.transaction():
            if known:
                read = target.query(f"select count(*) from {staged}")[0][0]
                written = target.execute(_insert(target, table, staged, fields.names, key))
                rows, redelivered = rows + written, redelivered + read - written
            for statement in write_progress(table, source, str(covered.partition), str(covered.last + 1)):
                target.execute(statement)
        ends[covered.partition] = covered.last + 1
        progress(f"{table}: {rows:,} rows, {_place(covered)}")
    if not rows and OFFSET in known:
        target.execute(touch_newest(target, table, OFFSET, now, within=PARTITION))
    columns = {name: kind for name, kind in known.items() if name != LOADED_AT}
    return Moved(
        lake.dataset,
        target.dataset(table),
        columns,
        known,
        {name: name for name in columns},
        rows,
        {"redelivered": redelivered},
    )


def _rows(lake: Lake, name: str, start: int, now: datetime, fields: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yield the records of a file from an offset on, with the time of loading."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in lake.batches(name):
        fresh = batch.filter(pc.greater_equal(batch[OFFSET], start)) if start else batch
        loaded = pa.array([now] * fresh.num_rows, fields.field(LOADED_AT).type)
        yield pa.RecordBatch.from_arrays([*fresh.columns, loaded], schema=fields)


def _fit(
    target: BronzeTarget, table: str, known: dict[str, str], fields: pa.Schema, *, has_rows: bool
) -> dict[str, str]:
    """Make the table, or add the columns that are new; return its columns."""
    if not has_rows:  # a file of dead letters and tombstones only
        return known
    if not known:
        target.create_table(table, fields)
    elif missing := [field for field in fields if field.name.lower() not in known]:
        for field in missing:
            target.add_column(table, field.name, field.type)
    else:
        return known
    found = target.columns(table)
    if not found:
        raise IngestError(f"{table} was made and is not there: check the search path and the rights")
    return found


def _insert(target: BronzeTarget, table: str, staged: str, columns: list[str], key: str | None) -> str:
    listed = ", ".join(quoted(column, target) for column in columns)
    if key is None:
        return f"insert into {table} ({listed}) select {listed} from {staged}"
    own, offset = quoted(key, target), quoted(OFFSET, target)
    return (
        f"insert into {table} ({listed}) select {listed} from ("
        f"select s.*, row_number() over (partition by s.{own} order by s.{offset}) as delivery "
        f"from {staged} s left join {table} t on t.{own} = s.{own} where t.{own} is null"
        f") first where delivery = 1"
    )


def _place(covered: Range) -> str:
    return f"partition {covered.partition} up to offset {covered.last}"
