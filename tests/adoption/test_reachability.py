"""`doctor` on the endpoint for events, and on the connections in Airflow."""

import json
import os

import pytest

from airflow_lineage_provider.adoption.reachability import check_connections, check_endpoint
from airflow_lineage_provider.endpoint.receiver import PATH, bearer_token, create_app
from airflow_lineage_provider.store import EventStore
from tests.support.endpoint import TOKEN, free_port, serving_here


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    """An endpoint in a thread of this process."""
    store = EventStore(str(tmp_path_factory.mktemp("endpoint") / "lineage.db"))
    with serving_here(create_app(store, bearer_token(TOKEN))) as running:
        yield running
    store.close()


def test_an_endpoint_that_accepts_the_token_is_right(endpoint):
    found = check_endpoint(f"{endpoint.url}{PATH}", TOKEN)
    assert (found.ok, found.message) == (True, f"{endpoint.url}{PATH} accepts events with this token")


@pytest.mark.parametrize("token", ["", "another"])
def test_a_token_that_is_refused_is_said(endpoint, token):
    found = check_endpoint(endpoint.url, token)
    assert not found.ok
    assert "refuses the token: set AIRFLOW_LINEAGE_TOKEN" in found.message


def test_another_path_and_no_server_are_said_without_the_password(endpoint):
    assert "answers 404: check host, port and path" in check_endpoint(f"{endpoint.url}/x", TOKEN).message
    nowhere = check_endpoint(f"http://ada:secret@127.0.0.1:{free_port()}", TOKEN)
    assert not nowhere.ok
    assert "cannot be reached" in nowhere.message
    assert "secret" not in nowhere.message


def test_the_connections_in_airflow_are_tested_and_others_are_not(tmp_path):
    store = {"conn_type": "lineage_store", "host": str(tmp_path / "lineage.db")}
    backend = {"conn_type": "openlineage", "host": f"http://127.0.0.1:{free_port()}"}
    broken = {"conn_type": "lineage_datahub", "host": "http://[", "password": "very-secret"}
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")},
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW_CONN_EVENTS": json.dumps(store),
        "AIRFLOW_CONN_BACKEND": json.dumps(backend),
        "AIRFLOW_CONN_BROKEN": json.dumps(broken),
        "AIRFLOW_CONN_OTHER": "http://example.com",
    }
    found = {one.what: one for one in check_connections(environ)}
    assert sorted(found) == ["connection backend", "connection broken", "connection events"]
    assert found["connection events"].ok
    assert "accepts events" in found["connection events"].message
    assert not found["connection backend"].ok
    assert not found["connection broken"].ok
    assert not any("secret" in one.message for one in found.values())
