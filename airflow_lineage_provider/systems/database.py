"""The columns of a source database, as the database itself says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.systems.errors import SystemReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import URL

TIMEOUT_SECONDS = 20
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
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.engine.reflection import ObjectKind
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

    wanted: dict[str, list[str]] = {}
    for schema, table in tables:
        wanted.setdefault(schema, []).append(table)
    try:
        engine = create_engine(url, connect_args=_TIMEOUTS.get(url.get_backend_name(), {}))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise SystemReadError(
            f"{name}: no driver is installed for {url.get_backend_name()} ({error}): install it"
        ) from None
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    try:
        with engine.connect() as connection:
            inspector = inspect(connection)
            for schema, names in wanted.items():
                every = inspector.get_multi_columns(schema=schema, filter_names=names, kind=ObjectKind.ANY)
                for (_, table), columns in every.items():
                    found[schema, table] = [
                        (str(column["name"]), _type(column["type"], engine.dialect)) for column in columns
                    ]
    except SQLAlchemyError as error:
        reason = one_line(getattr(error, "orig", None) or error)
        raise SystemReadError(
            f"{name}: the database cannot be read ({reason}): check host, login and grants", unreachable=True
        ) from None
    finally:
        engine.dispose()
    return found


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
