"""A warehouse that rows are moved into: DuckDB, Postgres or Snowflake, as dbt's credentials name it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.records import Relation, Warehouse
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.naming import DatasetName, dataset_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from airflow_lineage_provider.ingest.model import Moved


class BronzeTarget(ABC):
    """An open warehouse. Closed by `close`; what is not committed then is undone."""

    folds_to_upper = False

    def __init__(self, credentials: Any) -> None:
        self.database: str = credentials.database
        self._where = Warehouse(
            type=credentials.type,
            host=getattr(credentials, "host", None),
            port=getattr(credentials, "port", None),
            account=getattr(credentials, "account", None),
            path=getattr(credentials, "path", None) if credentials.type == "duckdb" else None,
        )

    def dataset(self, table: str) -> DatasetName:
        """Return the name in OpenLineage of a table `schema.table`. Raises InputError for another."""
        schema, name = check_table(table).split(".")
        return dataset_name(Relation("", self.database, schema, name), self._where)

    def columns(self, table: str) -> dict[str, str]:
        """Return a table's columns in their order with their types, in lower case; none: no such table."""
        schema, name = table.lower().split(".")
        rows = self.query(
            "select lower(column_name), lower(data_type) from information_schema.columns "
            f"where lower(table_schema) = {literal(schema)} and lower(table_name) = {literal(name)} "
            f"and lower(table_catalog) = {literal(self.database.lower())} order by ordinal_position"
        )
        return {str(column): str(kind) for column, kind in rows}

    def reported(self, moved: Moved) -> Moved:
        """Return a move with the target's columns in the case that the warehouse keeps names in."""
        if not self.folds_to_upper:
            return moved
        return replace(
            moved,
            target_columns={name.upper(): kind for name, kind in moved.target_columns.items()},
            columns={name.upper(): source for name, source in moved.columns.items()},
        )

    def create_table(self, table: str, columns: pa.Schema) -> None:
        """Create a table of these columns, and its schema, where they are not there."""
        self.execute(f"create schema if not exists {schema_of(table)}")
        listed = ", ".join(f"{quoted(c.name, self)} {self.sql_type(c.type)}" for c in columns)
        self.execute(f"create table if not exists {table} ({listed})")

    def add_column(self, table: str, name: str, kind: pa.DataType) -> None:
        """Add a column, which is null in the rows that are there."""
        self.execute(f"alter table {table} add column {quoted(name, self)} {self.sql_type(kind)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything that is done in the `with` block, or nothing."""
        self.execute("begin")
        try:
            yield
        except BaseException:
            self.execute("rollback")
            raise
        self.execute("commit")

    def stage(self, like: str, columns: Iterable[str], name: str = "ingest_staged") -> str:
        """Create an empty temporary table with some columns of another; return its name.

        To be called outside of a transaction: Snowflake would commit it.
        """
        listed = ", ".join(quoted(column, self) for column in columns)
        self.execute(f"drop table if exists {name}")
        self.execute(f"create temporary table {name} as select {listed} from {like} where 1 = 0")
        return name

    @abstractmethod
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""

    @abstractmethod
    def execute(self, sql: str) -> int:
        """Run a statement; return how many rows it wrote."""

    @abstractmethod
    def append(self, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Append rows to a table, whose columns are matched by name."""

    @abstractmethod
    def sql_type(self, kind: pa.DataType) -> str:
        """Return the warehouse's type for an Arrow type."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection, and its lock."""


def check_table(table: str) -> str:
    """Return the name of a table. Raises InputError for one that is not `schema.table`, in plain letters."""
    if not re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", table, re.ASCII):
        raise InputError(f"the table {table!r} is not named as schema.table, in letters, digits and _")
    return table


def schema_of(table: str) -> str:
    """Return the schema of a table `schema.table`."""
    return table.partition(".")[0]


def quoted(name: str, target: BronzeTarget) -> str:
    """Return a column's name in quotes, in the case that the warehouse keeps names in."""
    return '"' + (name.upper() if target.folds_to_upper else name).replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
