"""A warehouse that rows are moved into: DuckDB, Postgres or Snowflake, as dbt's credentials name it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_lineage_provider.dbt.records import Relation, Warehouse
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.naming import DatasetName, dataset_name
from airflow_lineage_provider.ingest.model import IngestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from airflow_lineage_provider.ingest.model import Moved


class BronzeTarget(ABC):
    """An open warehouse. Closed by `close`; what is not committed then is undone."""

    folds_to_upper = False
    types: ClassVar[Mapping[str, str]] = {}
    """The warehouse's types by Arrow's names, and by `timestamp_tz`, `timestamp`, `time` and `decimal`."""
    driver = ""
    """The package whose errors become one line."""
    _connection: Any

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
            with suppress(IngestError):  # the connection may be gone
                self.execute("rollback")
            raise
        self.execute("commit")

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        """Raise the driver's errors as IngestError, to be tried again: a server may have ended meanwhile."""
        try:
            yield
        except Exception as error:
            if type(error).__module__.lstrip("_").partition(".")[0] != self.driver:
                raise
            where = dataset_name(Relation("", self.database, "-", "-"), self._where).namespace
            text = " ".join(str(error).split())[:300]
            raise IngestError(f"the warehouse {where} ({self.database}): {text}", unreachable=True) from None

    def stage(self, like: str, columns: Iterable[str], name: str = "ingest_staged") -> str:
        """Create an empty temporary table with some columns of another; return its name.

        To be called outside of a transaction: Snowflake would commit it.
        """
        listed = ", ".join(quoted(column, self) for column in columns)
        self.execute(f"drop table if exists {name}")
        self.execute(f"create temporary table {name} as select {listed} from {like} where 1 = 0")
        return name

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._one_line(), self._connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def execute(self, sql: str) -> int:
        """Run a statement; return how many rows it wrote."""
        with self._one_line(), self._connection.cursor() as cursor:
            cursor.execute(sql)
            return max(0, int(cursor.rowcount or 0))

    @abstractmethod
    def append(self, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Append rows to a table, whose columns are matched by name."""

    def sql_type(self, kind: pa.DataType) -> str:
        """Return the warehouse's type for an Arrow type. Raises IngestError where it has none."""
        import pyarrow as pa

        if pa.types.is_timestamp(kind):
            return self.types["timestamp_tz" if kind.tz else "timestamp"]
        if pa.types.is_decimal(kind):
            return f"{self.types['decimal']}({kind.precision},{kind.scale})"
        if pa.types.is_time(kind):
            return self.types["time"]
        if str(kind) not in self.types:
            raise IngestError(f"a column of type {kind} cannot be moved into {self._where.type}")
        return self.types[str(kind)]

    def close(self) -> None:
        """Close the connection, and its lock."""
        self._connection.close()


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
