"""The query log of a warehouse as evidence: who wrote which tables, and from which.

A log is read into `LoggedStatement`s (`files`, `postgres`, `duckdb`, `snowflake`, `json_lines`). `shapes`
gives statements that differ only in literals one text, `analysis` analyses each such text once, `sessions`
follows temporary tables and transactions, and `reader` turns the outcome into writes and a graph.
"""

from airflow_lineage_provider.readers.query_log.reader import (
    LoggedWrite,
    LoggedWrites,
    read_query_log,
    read_writes,
)
from airflow_lineage_provider.readers.query_log.statement import LoggedStatement, QueryLog

__all__ = ["LoggedStatement", "LoggedWrite", "LoggedWrites", "QueryLog", "read_query_log", "read_writes"]
