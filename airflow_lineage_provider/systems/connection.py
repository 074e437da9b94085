"""How to reach a system, in the terms of an Airflow connection and without Airflow.

`AIRFLOW_CONN_<NAME>` is read as Airflow reads it: a URI, or a JSON object.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.systems.http import JsonApi

_EXTRA = "__extra__"


@dataclass(frozen=True, slots=True)
class Connection:
    """The fields of a connection that clients use; secrets are not in its repr."""

    name: str
    host: str = ""
    schema: str = ""
    login: str = ""
    password: str = field(default="", repr=False)
    port: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """Name the connection as errors do."""
        return f"connection {self.name!r}"


def connection_url(connection: Connection, default_port: int) -> str:
    """Return the URL that host, port and schema make, without its login; the host may be all of the URL.

    Raises InputError where the host holds credentials or is no URL.
    """
    host = (connection.host or "localhost").rstrip("/")
    if not host.startswith(("http://", "https://")):
        host = f"{connection.schema or 'http'}://{host}"
    try:
        url = urlsplit(host)
        named_port = url.port
    except ValueError as error:
        raise InputError(f"{connection} has a host that is no URL: {error}") from None
    if "@" in url.netloc:
        raise InputError(f"{connection} has credentials in its host: move them to its password (and login)")
    # A URL with https or a path is that of a reverse proxy, on the scheme's own port.
    port = connection.port or (None if url.scheme == "https" or url.path else default_port)
    return host if named_port or not port else urlunsplit(url._replace(netloc=f"{url.netloc}:{port}"))


def connection_api(connection: Connection, system: str, default_port: int) -> JsonApi:
    """Return the API of a connection: login and password are basic authentication, a password alone a token.

    In extra: `verify`, the path of a CA bundle, or false.
    """
    from airflow_lineage_provider.systems.http import JsonApi

    return JsonApi(
        connection_url(connection, default_port),
        f"{system} ({connection})",
        user=connection.login,
        password=connection.password,
        token="" if connection.login else connection.password,
        verify=connection.extra.get("verify", True),
    )


def environment_connection(name: str, environment: Mapping[str, str]) -> Connection:
    """Return the connection that an environment variable `AIRFLOW_CONN_<NAME>` holds.

    Raises InputError where there is none, or it cannot be read.
    """
    variable = f"AIRFLOW_CONN_{name.upper()}"
    text = environment.get(variable, "").strip()
    if not text:
        raise InputError(f"there is no connection {name!r}: set the environment variable {variable}")
    try:
        return _from_json(name, text) if text.startswith("{") else _from_uri(name, text)
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise InputError(
            f"{variable} is neither a URI nor a JSON object: write it like tableau://user:password@host"
        ) from None


def _from_json(name: str, text: str) -> Connection:
    given = json.loads(text)
    extra = given.get("extra") or {}
    return Connection(
        name,
        host=str(given.get("host") or ""),
        schema=str(given.get("schema") or ""),
        login=str(given.get("login") or ""),
        password=str(given.get("password") or ""),
        port=int(given["port"]) if given.get("port") else None,
        extra=dict(extra),
    )


def _from_uri(name: str, text: str) -> Connection:
    """Read a URI; a host with a scheme of its own is written `tableau://https://user:password@host`."""
    _, found, rest = text.partition("://")
    if not found:
        raise ValueError(text)
    parts = urlsplit(rest if "://" in rest else f"//{rest}")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = unquote(parts.hostname or "")
    extra = json.loads(query[_EXTRA]) if _EXTRA in query else {key: _value(query[key]) for key in query}
    return Connection(
        name,
        host=f"{parts.scheme}://{host}" if parts.scheme else host,
        schema=unquote(parts.path[1:]),
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        port=parts.port,
        extra=dict(extra),
    )


def _value(text: str) -> Any:
    try:
        return json.loads(text) if text else text
    except ValueError:
        return text
