"""A real broker, a Schema Registry, and a DuckDB warehouse for the movers."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

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
