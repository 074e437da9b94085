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
    if home := environ.get("AIRFLOW_HOME"):
        folder = Path(home)
    elif Path(".airflow").is_dir():
        folder = Path(".airflow")
    else:
        folder = Path("~/airflow")
    folder = folder.expanduser()
    configured = _configured(Path(environ.get("AIRFLOW_CONFIG") or folder / "airflow.cfg"))
    return store_url(configured or str(folder / "lineage.db"))


def _configured(file: Path) -> str:
    """Return `[airflow_lineage] store` of Airflow's configuration file, without importing Airflow."""
    parser = ConfigParser(strict=False)
    try:
        parser.read(file, encoding="utf-8")
        return parser.get("airflow_lineage", "store", fallback="").strip()
    except (ConfigParserError, UnicodeDecodeError) as error:
        raise StoreError(f"{file} cannot be read: {' '.join(str(error).split())}") from None


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
