"""Airflow connections as the systems read them, and HTTP APIs by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.systems.connection import Connection, connection_api, connection_url

if TYPE_CHECKING:
    from airflow_lineage_provider.systems.http import JsonApi


def system_connection(conn: Any) -> Connection:
    """Return an Airflow connection in the form that the systems read."""
    return Connection(
        conn.conn_id,
        host=conn.host or "",
        schema=conn.schema or "",
        login=conn.login or "",
        password=conn.password or "",
        port=conn.port,
        extra=conn.extra_dejson,
    )


def http_url(conn: Any, default_port: int) -> str:
    """Return the URL of a connection, without its login; its host may be all of the URL.

    Raises InputError where the host holds credentials or is no URL.
    """
    return connection_url(system_connection(conn), default_port)


def json_api(conn: Any, system: str, default_port: int) -> JsonApi:
    """Return the API of a connection: login and password are basic authentication, a password alone a token.

    In extra: `verify`, the path of a CA bundle, or false.
    """
    return connection_api(system_connection(conn), system, default_port)
