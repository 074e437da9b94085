"""A real broker, a Schema Registry, and a DuckDB warehouse for the movers."""

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest

from airflow_lineage_provider.ingest.lake import S3Access
from airflow_lineage_provider.ingest.postgres_source import PostgresAddress
from tests.support.s3 import s3_server

PROJECT = Path(__file__).parents[2] / "dbt_project"


@pytest.fixture(scope="session")
def event_stream():
    """The demo's servers, scripts beside the models."""
    sys.path.insert(0, str(PROJECT))
    try:
        import event_stream

        yield event_stream
    finally:
        sys.path.remove(str(PROJECT))


@pytest.fixture(scope="session")
def servers(event_stream, tmp_path_factory):
    import schema_registry

    from tests.support.postgres_server import free_port

    folder = tmp_path_factory.mktemp("stream")
    registry = schema_registry.serve(folder / "schemas.json")
    with event_stream.broker(folder / "broker", free_port()) as brokers:
        yield SimpleNamespace(brokers=brokers, registry=f"http://127.0.0.1:{registry.server_address[1]}")
    registry.shutdown()


@pytest.fixture(scope="session")
def bucket():
    """How a real S3 server is reached, which has a bucket `lake`."""
    from pyarrow.fs import S3FileSystem

    with s3_server() as url:
        access = S3Access("testing", "testing", region="us-east-1", endpoint_url=url)
        S3FileSystem(
            access_key="testing",
            secret_key="testing",
            region="us-east-1",
            endpoint_override=url,
            allow_bucket_creation=True,
        ).create_dir("lake")
        yield access


@pytest.fixture
def address(postgres):
    return PostgresAddress(
        postgres["PGHOST"],
        postgres["PGDATABASE"],
        int(postgres["PGPORT"]),
        postgres["PGUSER"],
        postgres["PGPASSWORD"],
    )


@pytest.fixture
def slots(address):
    """Drops the slots that a test made; skips where the server has no wal2json."""
    connection = psycopg2.connect(address.uri)
    connection.autocommit = True
    cursor = connection.cursor()
    try:
        cursor.execute("select pg_create_logical_replication_slot('probe', 'wal2json')")
    except psycopg2.Error as error:
        pytest.skip(f"install Debian's package postgresql-*-wal2json: {error}".strip())
    yield
    cursor.execute("select pg_terminate_backend(active_pid) from pg_replication_slots where active")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        cursor.execute("select 1 from pg_replication_slots where active")
        if not cursor.fetchall():
            break
    cursor.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots")
    connection.close()


@pytest.fixture
def stream(event_stream, servers, tmp_path):
    from .streams import Stream

    return Stream(event_stream, servers, tmp_path / "lake")


@pytest.fixture
def duckdb_target(tmp_path):
    from .streams import warehouse

    target = warehouse(tmp_path / "warehouse.duckdb")
    yield target
    target.close()
