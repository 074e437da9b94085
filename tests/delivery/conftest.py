import pytest

from airflow_lineage_provider.delivery import EventStore


@pytest.fixture
def store(tmp_path):
    store = EventStore(str(tmp_path / "lineage.db"))
    yield store
    store.close()
