"""Changes of the event store's tables, by Alembic (https://alembic.sqlalchemy.org).

A change of `schema.py` is a new file in `versions/` and its number in `REVISION`. A test compares
what the migrations build with what `schema.py` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from airflow_lineage_provider.store.schema import REVISION, version

if TYPE_CHECKING:
    from sqlalchemy import Connection


class UnknownRevisionError(Exception):
    """The database is at a revision that this version of the package does not know."""


def upgrade(connection: Connection) -> None:
    """Bring the tables to `REVISION` within the transaction. Raises UnknownRevisionError."""
    config = Config()
    config.set_main_option("script_location", "airflow_lineage_provider.store:migrations")
    config.attributes.update(connection=connection, version_table=version.name)
    try:
        command.upgrade(config, REVISION)
    except CommandError as error:
        raise UnknownRevisionError(error) from error
