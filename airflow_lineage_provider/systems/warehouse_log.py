"""The query log of a warehouse that is open, by its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.readers.query_log import QueryLog
from airflow_lineage_provider.readers.query_log.postgres import (
    COLUMNS,
    STAT_INFO,
    STAT_STATEMENTS,
    stat_statements,
)
from airflow_lineage_provider.readers.query_log.snowflake import read_history
from airflow_lineage_provider.systems.errors import SystemReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from airflow_lineage_provider.readers.query_log import LoggedStatement

    Query = Callable[[str], Any]


def warehouse_query_log(query: Query, namespace: str, database: str, since: datetime) -> QueryLog:
    """Return the log of the warehouse with this OpenLineage namespace; `query` runs SQL and returns rows.

    Of Snowflake it is QUERY_HISTORY with ACCESS_HISTORY since a time, of Postgres pg_stat_statements, which
    has no times. Raises InputError for another warehouse, SystemReadError where the log cannot be read.
    """
    scheme = namespace.partition("://")[0]
    if scheme == "snowflake":
        log = QueryLog((), "snowflake", namespace, database)
        log.statements = _history(query, since, log)
        return log
    if scheme != "postgres":
        raise InputError(
            f"{namespace} keeps no query log that can be asked for; give its log files as `logs`"
        )
    return stat_statements_log(query, namespace, database)


def stat_statements_log(query: Query, namespace: str, database: str) -> QueryLog:
    """Return the statements that pg_stat_statements counted, and the columns of the database's tables."""
    log = QueryLog((), "postgres", namespace, database, "public", ordered=False)
    columns: dict[str, list[str]] = {}
    try:
        log.statements = stat_statements(query(STAT_STATEMENTS), log.problems)
        ((forgotten,),) = query(STAT_INFO)
        for table, column in query(COLUMNS):
            columns.setdefault(str(table), []).append(str(column))
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        raise SystemReadError(
            f"pg_stat_statements cannot be read ({one_line(error)}): add it to shared_preload_libraries, "
            "create the extension, and grant pg_read_all_stats",
            unreachable=True,
        ) from None
    if forgotten:
        log.problems.append(
            f"pg_stat_statements forgot statements {forgotten:,} times: raise pg_stat_statements.max"
        )
    log.columns = columns
    return log


def _history(query: Query, since: datetime, log: QueryLog) -> Iterator[LoggedStatement]:
    try:
        yield from read_history(query, since, log.problems, log.notes)
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        raise SystemReadError(
            f"SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY cannot be read ({one_line(error)}): "
            "grant IMPORTED PRIVILEGES on database SNOWFLAKE to the profile's role",
            unreachable=True,
        ) from None
