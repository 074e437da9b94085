"""Which rows of a Postgres table are read, and how deletions are found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.ingest.merge import LOAD, LOADED_AT, OP
from airflow_lineage_provider.ingest.warehouse import literal

if TYPE_CHECKING:
    import pyarrow as pa

    from airflow_lineage_provider.ingest.postgres_source import PostgresSource, PostgresTable

WATERMARK = "watermark"


@dataclass(frozen=True, slots=True)
class Increment:
    """Which rows of a table are read, and how deletions are found.

    `watermark` is a column that every change of a row sets to a later time; without one all rows are read.
    Rows are read from `overlap` before the last watermark on, because a transaction may commit late.
    `deletes` is `compare` (all keys of the source are read), `slot` (a logical replication slot with
    wal2json) or `none`.
    """

    watermark: str | None = None
    overlap: timedelta = timedelta(minutes=5)
    deletes: Literal["compare", "slot", "none"] = "compare"
    slot: str = ""

    def __post_init__(self) -> None:
        if self.deletes not in {"compare", "slot", "none"}:
            raise InputError(f"deletes must be compare, slot or none, not {self.deletes!r}")
        if self.deletes == "slot" and not self.slot:
            raise InputError("deletes='slot' needs the slot's name")

    def check(self, table: PostgresTable) -> None:
        """Raise InputError for a table that cannot be moved so."""
        if not table.key:
            raise InputError(f"{table.name} has no primary key: its rows cannot be identified")
        if self.watermark and self.watermark not in table.columns:
            raise InputError(f"{table.name} has no column {self.watermark!r} to be the watermark")
        if taken := {OP, LOADED_AT, LOAD} & set(table.columns):
            raise InputError(f"{table.name} has a column {min(taken)!r}, which bronze adds")

    def condition(self, table: PostgresTable, position: str | None) -> str:
        """Return the SQL condition on the rows to be read, from the last watermark on; empty for all rows."""
        if self.watermark is None or position is None:
            return ""
        column = f'"{self.watermark}"'
        kind = table.columns[self.watermark]
        value = f"cast({literal(position)} as {kind})"
        if kind in {"timestamp", "timestamptz", "date"}:
            value += f" - interval '{self.overlap.total_seconds():f} seconds'"
        return f"{column} >= {value} or {column} is null"


def deleted_keys(
    source: PostgresSource, table: PostgresTable, increment: Increment
) -> tuple[str, list[tuple[str, ...]]]:
    """Return the slot's position and the keys that are gone; a key that was inserted again is not.

    Nothing where deletions are not found by a slot. Takes a new snapshot.
    """
    if increment.deletes != "slot":
        return "", []
    position, keys = source.delete_log(increment.slot, table)
    source.refresh()  # a snapshot with every change that the slot returned
    there = source.keys_there(table, keys)
    return position, [key for key in dict.fromkeys(keys) if key not in there]


def typed_keys(source: PostgresSource, table: PostgresTable, keys: list[tuple[str, ...]]) -> pa.Table:
    """Return keys in the types that they are read in. The slot has them as text."""
    import pyarrow as pa

    schema = source.schema(table.keys_only())
    columns = [
        pa.array(column, pa.string()).cast(kind.type)
        for column, kind in zip(zip(*keys, strict=True), schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)
