"""Airflow connections of databases as SQLAlchemy URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseHook

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import URL

DRIVERS = {
    "postgres": "postgresql+psycopg2",
    "mysql": "mysql",
    "oracle": "oracle+oracledb",
    "mssql": "mssql+pymssql",
    "redshift": "postgresql+psycopg2",
}


def database_url(conn_id: str) -> URL:
    """Return the URL of a connection of type postgres, mysql, oracle, mssql or redshift, with its password.

    Raises InputError for another type.
    """
    from sqlalchemy import URL

    conn = BaseHook.get_connection(conn_id)
    driver = DRIVERS.get(conn.conn_type or "")
    if driver is None:
        raise InputError(
            f"connection {conn_id!r} is of type {conn.conn_type!r}; a source database is {', '.join(DRIVERS)}"
        )
    query = {"sslmode": str(conn.extra_dejson["sslmode"])} if conn.extra_dejson.get("sslmode") else {}
    return URL.create(
        driver, conn.login, conn.password, conn.host or "localhost", conn.port, conn.schema, query
    )
