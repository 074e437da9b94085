"""Where the event store is."""

from __future__ import annotations

import re
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_lineage_provider.store.errors import StoreError, StoreLocationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_POSTGRES = {
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "postgresql+psycopg2": "postgresql+psycopg2",
}


def default_store_url(environ: Mapping[str, str]) -> str:
    """Return the URL of the store that is meant when none is named.

    The first of: `AIRFLOW__AIRFLOW_LINEAGE__STORE`; `[airflow_lineage] store` in Airflow's configuration
    file; `lineage.db` in Airflow's home, which is `AIRFLOW_HOME`, else `./.airflow` where that exists, else
    `~/airflow`.
    """
    if named := environ.get("AIRFLOW__AIRFLOW_LINEAGE__STORE"):
        return store_url(named)
    return store_url(configured(environ, "airflow_lineage", "store") or str(_home(environ) / "lineage.db"))


def configured(environ: Mapping[str, str], section: str, key: str) -> str:
    """Return a key of Airflow's configuration file, without importing Airflow; empty where it is not set.

    Raises StoreError for a file that cannot be read.
    """
    file = Path(environ.get("AIRFLOW_CONFIG") or _home(environ) / "airflow.cfg")
    parser = ConfigParser(strict=False, interpolation=None)
    try:
        parser.read(file, encoding="utf-8")
        return parser.get(section, key, fallback="").strip()
    except (ConfigParserError, UnicodeDecodeError) as error:
        raise StoreError(f"{file} cannot be read: {' '.join(str(error).split())}") from None


def _home(environ: Mapping[str, str]) -> Path:
    if home := environ.get("AIRFLOW_HOME"):
        return Path(home).expanduser()
    return Path(".airflow") if Path(".airflow").is_dir() else Path("~/airflow").expanduser()


def store_url(location: str) -> str:
    """Return the SQLAlchemy URL for a file's path, a `sqlite:///` URL or a Postgres URL.

    A file's path becomes absolute, so that a later change of directory does not change the store.
    Raises StoreLocationError for any other kind of database.
    """
    scheme = _SCHEME.match(location)
    if scheme is None:
        return f"sqlite:///{Path(location).expanduser().absolute()}"
    kind, rest = scheme[1].lower(), location[scheme.end() :]
    if kind in {"sqlite", "sqlite+pysqlite"}:
        if rest in {"", "/", "/:memory:"}:
            raise StoreLocationError(
                "An event store in memory is lost with its process: name a file, as in lineage.db"
            )
        return f"sqlite:///{Path(rest.removeprefix('/')).expanduser().absolute()}"
    if kind in _POSTGRES:
        return f"{_POSTGRES[kind]}://{rest}"
    raise StoreLocationError(
        f"No event store in {kind}: use a file's path, sqlite:///PATH or postgresql://..."
    )
