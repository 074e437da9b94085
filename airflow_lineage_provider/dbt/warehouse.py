"""What dbt's adapter knows of the warehouse, without its secrets."""

from __future__ import annotations

from typing import Any

from airflow_lineage_provider.dbt.attached import attached
from airflow_lineage_provider.dbt.records import Warehouse


def warehouse_of(adapter: Any) -> Warehouse:
    """Return where the adapter's relations are; only fields that can hold no secret are read."""
    credentials = adapter.config.credentials
    port = getattr(credentials, "port", None)
    return Warehouse(
        type=credentials.type,
        host=getattr(credentials, "host", None) or getattr(credentials, "server_hostname", None),
        port=int(port) if port else None,
        account=getattr(credentials, "account", None),
        region=getattr(credentials, "region", None) or getattr(credentials, "region_name", None),
        path=getattr(credentials, "path", None) if credentials.type == "duckdb" else None,
        attached=attached(credentials) if credentials.type == "duckdb" else {},
    )


def release(adapter: Any) -> None:
    """Let other processes open the DuckDB file: dbt-duckdb keeps it, and its lock, as long as the process."""
    credentials = adapter.config.credentials
    if adapter.type() != "duckdb" or credentials.path == ":memory:" or credentials.is_motherduck:
        return
    manager = type(adapter.connections)
    with manager._LOCK:  # noqa: SLF001
        environment, manager._ENV = manager._ENV, None  # noqa: SLF001
        if environment:
            environment.close()


def report_row_counts(adapter: Any) -> None:
    """Make dbt-duckdb say how many rows a statement wrote, as the other adapters do.

    Its `get_response` answers "OK" alone, although DuckDB's cursor has the count. Only this adapter object,
    which lives as long as the invocation, is taught.
    """
    from dbt.adapters.contracts.connection import AdapterResponse

    if adapter.type() != "duckdb":
        return

    def get_response(cursor: Any) -> AdapterResponse:
        written = getattr(cursor, "rowcount", -1)
        return AdapterResponse("OK", rows_affected=written if written >= 0 else None)

    adapter.connections.get_response = get_response
