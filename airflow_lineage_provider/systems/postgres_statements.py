"""Postgres's pg_stat_statements as a query log, by a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.systems.database import ask
from airflow_lineage_provider.systems.warehouse_log import stat_statements_log

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

    from airflow_lineage_provider.readers.query_log import QueryLog

_DEFAULT_PORT = 5432


def postgres_query_log(url: URL, name: str, namespace: str = "") -> QueryLog:
    """Return the statements that pg_stat_statements counted in the URL's database, with its columns.

    `name` is the connection that errors name. Raises SystemReadError where the view cannot be read.
    """
    found: list[QueryLog] = []
    named = namespace or f"postgres://{url.host or 'localhost'}:{url.port or _DEFAULT_PORT}"

    def read(connection: Connection) -> None:
        def query(sql: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

        found.append(stat_statements_log(query, named, url.database or ""))

    ask(url.set(drivername="postgresql+psycopg2"), name, read)
    return found[0]
