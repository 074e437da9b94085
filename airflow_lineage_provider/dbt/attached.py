"""The databases that a DuckDB profile attaches, as warehouses without their secrets."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from airflow_lineage_provider.dbt.records import Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping

POSTGRES_PORT = 5432

# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
_POSTGRES_URI = re.compile(r"(?:postgres:)?postgres(?:ql)?://")
_SETTING = re.compile(r"(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))")


def attached(credentials: Any) -> dict[str, Warehouse]:
    """Return the attached databases by their alias in SQL.

    The host of a Postgres server is None where neither the path nor the named secret has it.
    """
    secrets = {one.name: one.secret_kwargs or {} for one in credentials._secrets}  # noqa: SLF001
    found = {}
    for item in credentials.attach or ():
        options = item.options or {}
        kind = str(item.type or options.get("type") or "").lower()
        secret = secrets.get(item.secret or options.get("secret"), {})
        server = _postgres(item.path, secret) if kind == "postgres" or _is_postgres(item.path) else None
        found[item.alias or _default_name(item.path, server)] = server or Warehouse("duckdb", path=item.path)
    return found


def _default_name(path: str, server: Warehouse | None) -> str:
    """Return DuckDB's default alias: a file name up to its first dot, the database of a server."""
    if server is not None:
        return server.database or ""
    return PurePath(path.partition("?")[0].rpartition(":")[2]).name.partition(".")[0]


def _is_postgres(path: str) -> bool:
    return path.startswith(("postgres:", "postgresql:"))


def _postgres(path: str, secret: Mapping[str, Any]) -> Warehouse:
    stated = _of_uri(path) if _POSTGRES_URI.match(path) else _of_settings(path.removeprefix("postgres:"))
    settings = {key: str(value) for part in (secret, stated) for key, value in part.items() if value}
    host = settings.get("host") or settings.get("hostaddr") or ""
    database = settings.get("dbname") or settings.get("database") or settings.get("user")
    port = settings.get("port") or str(POSTGRES_PORT)
    known = re.fullmatch(r"[\w.:\[\]-]+", host) and port.isdigit()  # no socket, no list of hosts
    return Warehouse(
        "postgres", host=host if known else None, port=int(port) if known else None, database=database
    )


def _of_uri(path: str) -> dict[str, Any]:
    try:
        uri = urlsplit(path.removeprefix("postgres:") if path.startswith("postgres:postgres") else path)
        port = uri.port
    except ValueError:  # the host or the port is malformed
        return {}
    return {
        "host": uri.hostname,
        "port": port,
        "dbname": unquote(uri.path.strip("/")),
        "user": unquote(uri.username or ""),
    }


def _of_settings(path: str) -> dict[str, Any]:
    found = _SETTING.findall(path)
    return {key.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for key, quoted, plain in found}
