"""The columns of a source database, as the database itself says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.systems.errors import SystemReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import URL, Connection

TIMEOUT_SECONDS = 20
_SYSTEM = frozenset(
    {"information_schema", "pg_catalog", "mysql", "performance_schema", "sys", "system", "outln", "xdb"}
)
_TIMEOUTS = {
    "postgresql": {"connect_timeout": TIMEOUT_SECONDS, "options": f"-c statement_timeout={TIMEOUT_SECONDS}s"},
    "mysql": {"connect_timeout": TIMEOUT_SECONDS, "read_timeout": TIMEOUT_SECONDS},
}


def database_columns(
    url: URL, tables: Iterable[tuple[str, str]], name: str
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return the columns (name, type) of these tables and views (schema, table), in their order.

    A table that the database does not have is left out. `url` is any that SQLAlchemy has a driver for; `name`
    is the connection that errors name. Raises SystemReadError.
    """
    wanted: dict[str, list[str]] = {}
    for schema, table in tables:
        wanted.setdefault(schema, []).append(table)
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def read(connection: Connection) -> None:
        from sqlalchemy import inspect
        from sqlalchemy.engine.reflection import ObjectKind

        inspector = inspect(connection)
        for schema, names in wanted.items():
            every = inspector.get_multi_columns(schema=schema, filter_names=names, kind=ObjectKind.ANY)
            for (_, table), columns in every.items():
                found[schema, table] = [
                    (str(column["name"]), _type(column["type"], connection.dialect)) for column in columns
                ]

    ask(url, name, read)
    return found


def database_tables(url: URL, name: str) -> list[tuple[str, str]]:
    """Return all tables (schema, table) outside of the system's own schemas. Raises SystemReadError."""
    found: list[tuple[str, str]] = []

    def read(connection: Connection) -> None:
        from sqlalchemy import inspect

        inspector = inspect(connection)
        for schema in inspector.get_schema_names():
            if schema.lower() not in _SYSTEM:
                found.extend((schema, table) for table in inspector.get_table_names(schema))

    ask(url, name, read)
    return found


def ask(url: URL, name: str, read: Callable[[Connection], None]) -> None:
    """Run a function with a connection to the database, and turn what fails into SystemReadError."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

    try:
        engine = create_engine(url, connect_args=_TIMEOUTS.get(url.get_backend_name(), {}))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise SystemReadError(
            f"{name}: no driver is installed for {url.get_backend_name()} ({error}): install it"
        ) from None
    try:
        with engine.connect() as connection:
            read(connection)
    except SQLAlchemyError as error:
        reason = one_line(getattr(error, "orig", None) or error)
        raise SystemReadError(
            f"{name}: the database cannot be read ({reason}): check host, login and grants", unreachable=True
        ) from None
    finally:
        engine.dispose()


def _type(kind: object, dialect: object) -> str:
    """Return a type in the database's own words; empty where SQLAlchemy does not know it."""
    from sqlalchemy.exc import CompileError
    from sqlalchemy.types import NullType

    if isinstance(kind, NullType):
        return ""
    try:
        return str(kind.compile(dialect=dialect))  # type: ignore[attr-defined]
    except CompileError:
        return ""
