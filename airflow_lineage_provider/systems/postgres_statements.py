"""Postgres's pg_stat_statements as a query log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.readers.query_log.postgres import (
    COLUMNS,
    STAT_INFO,
    STAT_STATEMENTS,
    stat_statements,
)
from airflow_lineage_provider.readers.query_log.statement import QueryLog
from airflow_lineage_provider.systems.database import ask

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

_DEFAULT_PORT = 5432


def postgres_query_log(url: URL, name: str, namespace: str = "") -> QueryLog:
    """Return the statements that pg_stat_statements counted in the URL's database, with its columns.

    `name` is the connection that errors name. Raises SystemReadError where the view cannot be read.
    """
    log = QueryLog((), "postgres", namespace, url.database or "", "public", ordered=False)
    columns: dict[str, list[str]] = {}

    def read(connection: Connection) -> None:
        rows = connection.exec_driver_sql(STAT_STATEMENTS).all()
        log.statements = stat_statements(rows, log.problems)
        dropped = connection.exec_driver_sql(STAT_INFO).scalar()
        if dropped:
            log.problems.append(
                f"pg_stat_statements forgot statements {dropped:,} times: raise pg_stat_statements.max"
            )
        for table, column in connection.exec_driver_sql(COLUMNS):
            columns.setdefault(str(table), []).append(str(column))

    ask(url.set(drivername="postgresql+psycopg2"), name, read)
    log.columns = columns
    log.namespace = namespace or f"postgres://{url.host or 'localhost'}:{url.port or _DEFAULT_PORT}"
    return log
