"""Which warehouses rows can be moved into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from airflow_lineage_provider.ingest.warehouse import BronzeTarget


def open_target(credentials: Any) -> BronzeTarget:
    """Return the warehouse of dbt's credentials, connected.

    Raises InputError for an adapter that is not supported, IngestError where the warehouse does not answer.
    """
    kind = credentials.type
    if kind == "duckdb":
        from airflow_lineage_provider.ingest.duckdb_target import DuckDbTarget

        return DuckDbTarget(credentials)
    if kind == "postgres":
        from airflow_lineage_provider.ingest.postgres_target import PostgresTarget

        return PostgresTarget(credentials)
    if kind == "snowflake":
        from airflow_lineage_provider.ingest.snowflake_target import SnowflakeTarget

        return SnowflakeTarget(credentials)
    raise InputError(f"rows cannot be moved into {kind!r}; use duckdb, postgres or snowflake")
