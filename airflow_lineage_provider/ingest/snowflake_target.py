"""Snowflake as the warehouse that rows are moved into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.ingest.warehouse import BronzeTarget, quoted, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

AT_ONCE = 10_000
TYPES = {
    "timestamp_tz": "timestamp_tz", "timestamp": "timestamp_ntz", "time": "time", "decimal": "number",
    "bool": "boolean", "int8": "bigint", "int16": "bigint", "int32": "bigint", "int64": "bigint",
    "float": "double", "double": "double", "string": "varchar", "large_string": "varchar",
    "binary": "binary", "date32[day]": "date", "null": "varchar",
}  # fmt: skip
TIMEOUT = 300


class SnowflakeTarget(BronzeTarget):
    """A Snowflake database. Names are in its own case, upper."""

    folds_to_upper = True
    types = TYPES
    driver = "snowflake"

    def __init__(self, credentials: Any) -> None:
        super().__init__(credentials)
        import snowflake.connector

        try:
            login = credentials.auth_args()
        except Exception as error:  # noqa: BLE001 - of cryptography and of dbt, by what is wrong with a key
            text = " ".join(str(error).split())[:300]
            raise InputError(
                f"the login of Snowflake account {credentials.account} cannot be made: {text}"
            ) from None
        options = {
            "account": credentials.account, "user": credentials.user, "database": credentials.database,
            "warehouse": credentials.warehouse, "role": credentials.role, "host": credentials.host,
            "port": credentials.port, "protocol": credentials.protocol, "login_timeout": 60,
            "network_timeout": TIMEOUT, "paramstyle": "qmark",
            "session_parameters": {"TIMEZONE": "UTC"}, **login,
        }  # fmt: skip
        given = {name: value for name, value in options.items() if value}
        try:
            self._connection = snowflake.connector.connect(**given)
        except snowflake.connector.Error as error:
            text = " ".join(str(error).split())[:300]
            raise IngestError(
                f"Snowflake account {credentials.account} cannot be reached: {text}", unreachable=True
            ) from None

    def stage(self, like: str, columns: Iterable[str], name: str = "ingest_staged") -> str:
        """Create an empty temporary table, whose full name needs no current schema."""
        listed = ", ".join(quoted(column, self) for column in columns)
        staged = f"{schema_of(like)}.{name}"
        self.execute(f"create or replace temporary table {staged} as select {listed} from {like} where 1 = 0")
        return staged

    def append(self, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Append rows by array binding; the connector sends many rows by way of a stage."""
        listed = ", ".join(quoted(name, self) for name in schema.names)
        insert = f"insert into {table} ({listed}) values ({', '.join('?' * len(schema.names))})"
        with self._one_line(), self._connection.cursor() as cursor:
            for batch in batches:
                for start in range(0, batch.num_rows, AT_ONCE):
                    columns = [_bindable(column) for column in batch.slice(start, AT_ONCE).columns]
                    cursor.executemany(insert, list(zip(*columns, strict=True)))


def _bindable(column: pa.Array) -> list[Any]:
    """Return values that the connector binds; a decimal goes as text, which loses no digit.

    The connector binds a column of times and nulls as text, but writes a time as a number of nanoseconds: it
    goes as ISO 8601 then.
    """
    import pyarrow as pa

    values: list[Any] = (column.cast(pa.string()) if pa.types.is_decimal(column.type) else column).to_pylist()
    if column.null_count and pa.types.is_temporal(column.type):
        return [None if value is None else str(value) for value in values]
    return values
