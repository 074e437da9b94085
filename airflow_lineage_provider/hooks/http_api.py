"""HTTP APIs as Airflow connections: the URL that host, port and schema make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from airflow_lineage_provider.systems.http import JsonApi


def http_url(conn: Any, default_port: int) -> str:
    """Return the URL of a connection, without its login; its host may be all of the URL.

    Raises InputError where the host holds credentials.
    """
    host = (conn.host or "localhost").rstrip("/")
    if not host.startswith(("http://", "https://")):
        host = f"{conn.schema or 'http'}://{host}"
    url = urlsplit(host)
    if "@" in url.netloc:
        raise InputError(
            f"connection {conn.conn_id!r} has credentials in its host: move them to its password (and login)"
        )
    # A URL with https or a path is that of a reverse proxy, on the scheme's own port.
    port = conn.port or (None if url.scheme == "https" or url.path else default_port)
    return host if url.port or not port else urlunsplit(url._replace(netloc=f"{url.netloc}:{port}"))


def json_api(conn: Any, system: str, default_port: int) -> JsonApi:
    """Return the API of a connection: login and password are basic authentication, a password alone a token.

    In extra: `verify`, the path of a CA bundle, or false.
    """
    from airflow_lineage_provider.systems.http import JsonApi

    return JsonApi(
        http_url(conn, default_port),
        f"{system} (connection {conn.conn_id!r})",
        user=conn.login or "",
        password=conn.password or "",
        token="" if conn.login else conn.password or "",
        verify=conn.extra_dejson.get("verify", True),
    )
