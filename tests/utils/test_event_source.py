"""Which place a source's name means."""

import json

import pytest
from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.utils.event_source import event_source
from tests.support.marquez import marquez
from tests.support.samples import DAG, run_event


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The same event in the default store, a store and a Marquez behind connections, and a file."""
    event = run_event(DAG)
    EventStore(f"{tmp_path}/default.db").append(event)
    EventStore(f"{tmp_path}/team.db").append(event)
    (tmp_path / "events.jsonl").write_text(json.dumps(event) + "\n")
    monkeypatch.setenv("AIRFLOW__AIRFLOW_LINEAGE__STORE", f"{tmp_path}/default.db")
    with marquez(event, key="s3cret") as server:
        for name, connection in {
            "team_store": {"conn_type": "lineage_store", "host": f"{tmp_path}/team.db"},
            "marquez": {"conn_type": "openlineage", "host": server.url, "password": "s3cret"},
            "warehouse": {"conn_type": "postgres", "host": "127.0.0.1"},
        }.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
        yield tmp_path


@pytest.mark.parametrize(
    "name", [None, "team_store", "{}/team.db", "marquez", "{}/events.jsonl", "file://{}/ev"]
)
def test_a_name_means_a_connection_or_with_a_slash_a_location(places, name):
    assert list(event_source(name and name.format(places)).events()) == [run_event(DAG)]


def test_a_connection_that_events_are_not_read_from(places):
    said = r"^connection 'warehouse' is of type 'postgres', from which no events can be read; use one of"
    with pytest.raises(InputError, match=said):
        event_source("warehouse")


def test_a_connection_that_is_not_there(places):
    with pytest.raises(AirflowNotFoundException, match="nowhere"):
        event_source("nowhere")
