"""Loads landed Parquet files into a bronze table, each record once.

The offset after the last one that was loaded is committed with the rows, for each partition. Files whose
offsets overlap, as two runs at once leave them, are therefore loaded once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.ingest.decoders import DELETED
from airflow_lineage_provider.ingest.merge import (
    LOADED_AT,
    OP,
    create_progress,
    newest_change,
    present_in,
    read_progress,
    tombstones,
    touch_newest,
    upsert,
    write_progress,
)
from airflow_lineage_provider.ingest.model import IngestError, Moved
from airflow_lineage_provider.ingest.topic_to_lake import OFFSET, PARTITION, Range, files_after, landed_ranges
from airflow_lineage_provider.ingest.warehouse import check_table, quoted, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from airflow_lineage_provider.ingest.lake import Lake
    from airflow_lineage_provider.ingest.warehouse import BronzeTarget

_PLACE = frozenset({PARTITION, OFFSET, DELETED})
"""Fields of a landed change that say where it stood and what it did, and are no columns of its table."""


def load_landed(
    lake: Lake,
    topic: str,
    target: BronzeTarget,
    table: str,
    key: str | Sequence[str] | None,
    progress: Callable[[str], object],
    *,
    changes: bool = False,
) -> Moved:
    """Load the records of a topic that landed since the last load.

    :param table: `schema.table`; made where it is not there. A field that is new becomes a new column.
    :param key: the columns that tell records apart: one that the producer sent twice is kept once, as it
        first came. None: every record is kept.
    :param changes: a record is the newest state of its key, or its deletion: bronze has one row for each key.

    Returns how many rows were loaded, and how many were redelivered; of changes how many rows were written,
    and how many of them as deleted.
    """
    keys = [key] if isinstance(key, str) else list(key or ())
    if changes and not keys:
        raise InputError(f"{table}: changes are loaded by a key: name the columns of the table's primary key")
    source = f"{lake.dataset.namespace}/{lake.dataset.name}"
    known = target.columns(check_table(table))
    target.execute(f"create schema if not exists {schema_of(table)}")
    target.execute(create_progress(table))
    ends = {int(p): int(o) for p, o in read_progress(target, table, source).items()} if known else {}
    now = datetime.now(UTC)
    loading = (_Changes if changes else _Records)(target, table, keys, now)
    landed: dict[str, str] = {}
    for covered, name in files_after(lake, topic, ends):
        fields = lake.schema(name)
        landed |= {field.lower(): field for field in fields.names}
        kept = loading.columns(fields)
        known = _fit(target, table, known, kept, has_rows=len(fields) > len((PARTITION, OFFSET)))
        staged = loading.stage(lake, name, ends.get(covered.partition, 0), fields) if known else ""
        with target.transaction():
            if known:
                loading.write(staged, fields)
            for statement in write_progress(table, source, str(covered.partition), str(covered.last + 1)):
                target.execute(statement)
        ends[covered.partition] = covered.last + 1
        progress(f"{table}: {loading.rows:,} rows, {_place(covered)}")
    by, within = loading.newest
    if not loading.rows and by.lower() in known:
        target.execute(touch_newest(target, table, by, now, within))
    for newest in landed_ranges(lake, topic)[-1:] if not landed else ():
        landed = {field.lower(): field for field in lake.schema(newest.file_name(topic)).names}
    copied = {name: landed.get(name, name) for name in known if name not in loading.made}
    moved = Moved(
        lake.dataset,
        target.dataset(table),
        {source: known[name] for name, source in copied.items()},
        known,
        copied,
        loading.rows,
        loading.counts,
    )
    return target.reported(moved)


class _Records:
    """Adds records to a table, each once."""

    made = frozenset({LOADED_AT})
    newest = (OFFSET, PARTITION)
    """By which column, and within which, rows are the newest."""

    def __init__(self, target: BronzeTarget, table: str, key: list[str], now: datetime) -> None:
        self._target = target
        self._table = table
        self._key = key
        self._now = now
        self.rows = 0
        self._redelivered = 0

    @property
    def counts(self) -> dict[str, int]:
        """Return what was counted beside the rows."""
        return {"redelivered": self._redelivered}

    def columns(self, fields: pa.Schema) -> pa.Schema:
        """Return the columns of the table that a file of these fields needs."""
        import pyarrow as pa

        return pa.schema([*fields, pa.field(LOADED_AT, pa.timestamp("us", "UTC"))])

    def stage(self, lake: Lake, name: str, start: int, fields: pa.Schema) -> str:
        """Return the table that has a file's records from an offset on."""
        columns = self.columns(fields)
        staged = self._target.stage(self._table, columns.names)
        self._target.append(staged, _rows(lake, name, start, columns, self._now), columns)
        return staged

    def write(self, staged: str, fields: pa.Schema) -> None:
        """Write staged records into the table."""
        read = self._target.query(f"select count(*) from {staged}")[0][0]
        names = self.columns(fields).names
        written = self._target.execute(_insert(self._target, self._table, staged, names, self._key))
        self.rows += written
        self._redelivered += read - written


class _Changes:
    """Brings the changes of a table into one row for each key, as `PostgresToBronzeOperator` does."""

    made = frozenset({OP, LOADED_AT})

    def __init__(self, target: BronzeTarget, table: str, key: list[str], now: datetime) -> None:
        self._target = target
        self._table = table
        self._key = key
        self._now = now
        self.newest = key[0], ""
        self.rows = 0
        self._deleted = 0

    @property
    def counts(self) -> dict[str, int]:
        """Return what was counted beside the rows."""
        return {"deleted": self._deleted}

    def columns(self, fields: pa.Schema) -> pa.Schema:
        """Return the columns of the table that a file of these fields needs."""
        import pyarrow as pa

        data = [field for field in fields if field.name not in _PLACE]
        names = {field.name for field in data}
        if data and not names.issuperset(self._key):
            raise IngestError(
                f"{self._table}: the landed records have no field {', '.join(set(self._key) - names)}: check "
                "key, and that the connector has Debezium's transform ExtractNewRecordState"
            )
        if taken := names & self.made:
            raise IngestError(
                f"{self._table}: the records have a field {min(taken)}, which this load makes itself"
            )
        return pa.schema([*data, pa.field(OP, pa.string()), pa.field(LOADED_AT, pa.timestamp("us", "UTC"))])

    def stage(self, lake: Lake, name: str, start: int, fields: pa.Schema) -> str:
        """Return the table that has a file's records from an offset on."""
        staged = self._target.stage(self._table, [n for n in fields.names if n not in _PLACE])
        for field in fields:
            if field.name in _PLACE:
                self._target.add_column(staged, field.name, field.type)
        self._target.append(staged, _rows(lake, name, start, fields), fields)
        return staged

    def write(self, staged: str, fields: pa.Schema) -> None:
        """Write the newest of the staged changes of each key into the table."""
        target, has_deleted = self._target, DELETED in fields.names
        live = newest_change(target, staged, self._key, OFFSET, DELETED if has_deleted else "", gone=False)
        names = [name for name in fields.names if name not in _PLACE]
        for statement in upsert(target, self._table, live, self._key, names, self._now):
            self.rows += target.execute(statement)
        if has_deleted:
            gone = newest_change(target, staged, self._key, OFFSET, DELETED, gone=True)
            condition = present_in(target, gone, self._key)
            deleted = target.execute(tombstones(target, self._table, condition, self._now))
            self.rows, self._deleted = self.rows + deleted, self._deleted + deleted


def _rows(
    lake: Lake, name: str, start: int, fields: pa.Schema, loaded_at: datetime | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the records of a file from an offset on, with the time of loading where it is given."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in lake.batches(name):
        fresh = batch.filter(pc.greater_equal(batch[OFFSET], start)) if start else batch
        columns = fresh.columns
        if loaded_at is not None:
            columns.append(pa.array([loaded_at] * fresh.num_rows, fields.field(LOADED_AT).type))
        yield pa.RecordBatch.from_arrays(columns, schema=fields)


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


def _insert(target: BronzeTarget, table: str, staged: str, columns: list[str], key: list[str]) -> str:
    listed = ", ".join(quoted(column, target) for column in columns)
    if not key:
        return f"insert into {table} ({listed}) select {listed} from {staged}"
    own, offset = [quoted(column, target) for column in key], quoted(OFFSET, target)
    partition = ", ".join(f"s.{column}" for column in own)
    same = " and ".join(f"t.{column} = s.{column}" for column in own)
    return (
        f"insert into {table} ({listed}) select {listed} from ("
        f"select s.*, row_number() over (partition by {partition} order by s.{offset}) as delivery "
        f"from {staged} s left join {table} t on {same} where t.{own[0]} is null"
        f") first where delivery = 1"
    )


def _place(covered: Range) -> str:
    return f"partition {covered.partition} up to offset {covered.last}"
