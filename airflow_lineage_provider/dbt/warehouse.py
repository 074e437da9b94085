"""The warehouse of a dbt adapter, without its secrets, and changes to the running adapter."""

from __future__ import annotations

from typing import Any

from airflow_lineage_provider.dbt.attached import attached
from airflow_lineage_provider.dbt.records import Warehouse


def warehouse_of(adapter: Any) -> Warehouse:
    """Return where the adapter's relations are, from fields that hold no secret."""
    return warehouse_at(adapter.config.credentials)


def warehouse_at(credentials: Any) -> Warehouse:
    """Return where the relations are that dbt's credentials reach, from fields that hold no secret."""
    port = getattr(credentials, "port", None) or _default_port(credentials)
    hosts = (getattr(credentials, name, None) for name in ("host", "server", "server_hostname"))
    return Warehouse(
        type=credentials.type,
        host=next(filter(None, hosts), None),
        port=int(port) if port else None,
        account=_account(credentials),
        region=getattr(credentials, "region", None) or getattr(credentials, "region_name", None),
        path=getattr(credentials, "path", None) if credentials.type == "duckdb" else None,
        attached=attached(credentials) if credentials.type == "duckdb" else {},
    )


def _default_port(credentials: Any) -> int | None:
    """Return the port of a profile that names none, which is part of OpenLineage's name."""
    if credentials.type in {"mysql", "mysql5", "mariadb"}:
        return 3306
    if credentials.type == "clickhouse":
        native, secure = credentials.driver == "native", bool(credentials.secure)
        return (9440 if secure else 9000) if native else (8443 if secure else 8123)
    return None


def _account(credentials: Any) -> str | None:
    """Return Snowflake's account, or the AWS account of Glue, which its role's ARN names."""
    account = getattr(credentials, "account", None) or getattr(credentials, "account_id", None)
    role = str(getattr(credentials, "role_arn", None) or "").split(":")
    return account or (role[4] if role[4:] else None)


def release(adapter: Any) -> None:
    """Close the DuckDB file so that other processes can open it: dbt-duckdb holds its lock until exit."""
    credentials = adapter.config.credentials
    if adapter.type() != "duckdb" or credentials.path == ":memory:" or credentials.is_motherduck:
        return
    manager = type(adapter.connections)
    with manager._LOCK:  # noqa: SLF001
        environment, manager._ENV = manager._ENV, None  # noqa: SLF001
        if environment:
            environment.close()


def report_row_counts(adapter: Any) -> None:
    """Make dbt-duckdb report how many rows a statement wrote, as the other adapters do.

    Its `get_response` returns "OK" alone, although DuckDB's cursor has the count. Only this adapter object
    is changed; it lives as long as the invocation.
    """
    from dbt.adapters.contracts.connection import AdapterResponse

    if adapter.type() != "duckdb":
        return

    def get_response(cursor: Any) -> AdapterResponse:
        written = getattr(cursor, "rowcount", -1)
        return AdapterResponse("OK", rows_affected=written if written >= 0 else None)

    adapter.connections.get_response = get_response
