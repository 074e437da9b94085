"""JDBC URLs: the database that one names, without its credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass

# key=value pairs behind the address that lineage needs; all others, the login among them, are dropped.
_KEPT = frozenset({"databasename", "database", "currentschema", "db", "schema"})
_ORACLE = re.compile(r"oracle:[a-z]+:(?:[^@]*)@(?://)?([^:/?;]+)(?::(\d+))?[:/]?([^?;]*)", re.IGNORECASE)
_OTHER = re.compile(
    r"([a-z]+):(?:[a-z]+:)?//(?:[^@/?;]*@)?([^:/?;,]+)(?::(\d+))?[^/?;]*/?([^?;&]*)", re.IGNORECASE
)
_ENGINES = {"postgresql": "postgres", "sqlserver": "sqlserver", "mariadb": "mysql", "mysql": "mysql"}


@dataclass(frozen=True, slots=True)
class JdbcDatabase:
    """A database server and its database."""

    engine: str
    host: str
    port: int | None
    database: str
    schema: str = ""


def parse_jdbc(url: str) -> JdbcDatabase | None:
    """Return the database of a JDBC URL; None where it is of no form that is known.

    >>> parse_jdbc("jdbc:postgresql://crm-db:5432/crm?user=a&password=b")
    JdbcDatabase(engine='postgres', host='crm-db', port=5432, database='crm', schema='public')
    """
    text = url.strip().removeprefix("jdbc:")
    options = _options(text)
    if found := _ORACLE.match(text):
        host, port, service = found.groups()
        return JdbcDatabase("oracle", host, int(port) if port else None, service)
    if not (found := _OTHER.match(text)):
        return None
    scheme, host, port, path = found.groups()
    engine = _ENGINES.get(scheme.lower(), scheme.lower())
    default = {"postgres": "public", "redshift": "public", "sqlserver": "dbo"}.get(engine, "")
    database = options.get("databasename") or options.get("database") or options.get("db") or path
    schema = options.get("currentschema") or options.get("schema") or default
    return JdbcDatabase(engine, host, int(port) if port else None, database, schema)


def without_credentials(url: str) -> str:
    """Return a JDBC URL without user, password and other options.

    >>> without_credentials("jdbc:oracle:thin:scott/tiger@//ora:1521/ORCL")
    'jdbc:oracle:thin:@//ora:1521/ORCL'
    """
    bare = re.sub(r"(oracle:[a-z]+:)[^@]*@", r"\1@", url, flags=re.IGNORECASE)
    bare = re.sub(r"//[^@/?;]*@", "//", bare)
    address, separator, _ = (
        re.split(r"([?;])", bare, maxsplit=1) if re.search(r"[?;]", bare) else (bare, "", "")
    )
    kept = [f"{key}={value}" for key, value in _options(bare).items()]
    return address + (separator + {"?": "&", ";": ";"}[separator].join(kept) if kept and separator else "")


def _options(text: str) -> dict[str, str]:
    _, _, options = re.sub(r"[?;]", "?", text, count=1).partition("?")
    pairs = (part.partition("=") for part in re.split(r"[&;]", options) if "=" in part)
    return {key.strip().lower(): value.strip() for key, _, value in pairs if key.strip().lower() in _KEPT}
