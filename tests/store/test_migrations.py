"""The migrations create the same tables as the schema."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from airflow_lineage_provider.store import EventStore, StoreError
from airflow_lineage_provider.store.migrations import upgrade
from airflow_lineage_provider.store.schema import metadata, version
from tests.support.samples import run_event


def test_migrations_create_the_tables_of_the_schema(any_store):
    with any_store.database.write() as connection:
        metadata.drop_all(connection)
        version.drop(connection)
        version.create(connection)
        upgrade(connection)

        assert (
            compare_metadata(
                MigrationContext.configure(connection, opts={"version_table": version.name}), metadata
            )
            == []
        )
    assert any_store.append(run_event()) == 1


def test_the_first_write_upgrades_an_older_store(store):
    with store.database.write() as connection:
        metadata.drop_all(connection)
        connection.execute(text("DELETE FROM lineage_version"))
    store.close()

    assert EventStore(str(store)).append(run_event()) == 1


def test_a_store_of_a_newer_version_is_not_changed(store):
    with store.database.write() as connection:
        connection.execute(text("UPDATE lineage_version SET version_num = '9999'"))
    store.close()

    with pytest.raises(StoreError, match="made by a newer version of this package"):
        EventStore(str(store)).append(run_event())
