"""The OpenLineage endpoint commits valid events and rejects the rest with a reason."""

import gzip
import json
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from airflow_lineage_provider.endpoint.receiver import bearer_token, create_app
from airflow_lineage_provider.store import StoreError
from tests.support.samples import run_event

URL = "/api/v1/lineage"
FACET = {"_producer": "https://x", "_schemaURL": "https://y"}


@pytest.fixture
def client(store):
    with TestClient(create_app(store, bearer_token("secret", "other"), largest_body=100_000)) as client:
        client.headers = {"Authorization": "Bearer secret", "Content-Type": "application/json"}
        yield client


def test_an_event_is_committed_as_it_was_sent(client, store):
    event = run_event()

    assert client.post(URL, json=event).status_code == 201
    assert list(store.events()) == [event]


def test_a_list_is_committed_as_a_whole_or_not_at_all(client, store):
    events = [run_event(event_type=kind) for kind in ("START", "COMPLETE")]
    assert client.post(URL, json=[*events, {**events[0], "eventType": "DONE"}]).status_code == 422
    assert client.post(URL, json=events).status_code == 201
    assert list(store.events()) == events


def test_gzip(client, store):
    body = gzip.compress(json.dumps(run_event()).encode())

    assert client.post(URL, content=body, headers={"Content-Encoding": "gzip"}).status_code == 201
    assert len(list(store.events())) == 1


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", "Bearer ", "Basic c2VjcmV0", "secret", "bearer secret"]
)
def test_requests_without_the_token_are_rejected(client, store, tmp_path, header):
    headers = {} if header is None else {"Authorization": header}
    del client.headers["Authorization"]

    answer = client.post(URL, json=run_event(), headers=headers)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert not (tmp_path / "lineage.db").exists()


@pytest.mark.parametrize("header", ["Bearer ", "Bearer", ""])
def test_an_empty_token_admits_nobody(store, header):
    with TestClient(create_app(store, bearer_token(""))) as client:
        assert client.post(URL, json=run_event(), headers={"Authorization": header}).status_code == 401


def test_an_authenticated_user_without_permission(store):
    with TestClient(create_app(store, lambda request: 403)) as client:
        assert client.post(URL, json=run_event()).status_code == 403


def changed(**changes):
    event = run_event(inputs=["a"])
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = event
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return event


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (changed(eventTime="yesterday"), "$.eventTime"),
        (changed(eventTime=None), "eventTime"),
        (changed(eventType="DONE"), "$.eventType"),
        (changed(run__runId="42"), "$.run.runId"),
        (changed(job__name=7), "$.job.name"),
        (changed(inputs__0__name=None), "$.inputs[0]"),
        (changed(run__facets={"x": {"_producer": "p"}}), "$.run.facets"),
        (changed(producer="no uri"), "$.producer"),
        ([1], "event 0: an event is a JSON object"),
        ("text", "an event is a JSON object"),
    ],
)
def test_a_schema_violation_is_named(client, event, said):
    answer = client.post(URL, json=event)

    assert answer.status_code == 422
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b'"\\ud800"', {}, 400),
        (b'{"eventTime": NaN}', {}, 400),
        (b"[" * 90_000, {}, 400),
        (b"[" * 100 + b"]" * 100, {}, 422),
        (b'{"a":' * 70 + b"1" + b"}" * 70, {}, 422),
        (b" " * 100_001, {}, 413),
        (gzip.compress(b" " * 100_001, mtime=0), {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(bytes(50_000_000), mtime=0), {"Content-Encoding": "gzip"}, 413),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"[]", mtime=0)[:-1], {"Content-Encoding": "gzip"}, 400),
        (zlib.compress(b"[]"), {"Content-Encoding": "gzip"}, 400),
        (b"[]", {"Content-Encoding": "br"}, 415),
        (b"[]", {"Content-Type": "text/plain"}, 415),
        (b"", {}, 400),
    ],
)
def test_hostile_bodies_are_rejected(client, body, headers, status):
    answer = client.post(URL, content=body, headers=headers)

    assert answer.status_code == status
    assert answer.json()["error"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | st.text().map(str.encode))
def test_no_body_causes_an_internal_error(client, body):
    assert 400 <= client.post(URL, content=body).status_code < 500 or body == b"[]"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(max_size=30)
    | st.sampled_from(["'; DROP TABLE event; --", "<script>alert(1)</script>", "\0"])
)
def test_any_name_is_stored_unchanged(client, store, name):
    event = run_event(name=name, inputs=[name])

    assert client.post(URL, json=event).status_code == 201
    assert event in list(store.events(dataset=name, job_name=name))


def test_a_failing_store_returns_an_error_and_loses_nothing(client, store, monkeypatch):
    def full(events):
        raise StoreError("the disk is full")

    monkeypatch.setattr(store, "append", full)
    answer = client.post(URL, json=run_event())

    assert (answer.status_code, answer.json()["error"]) == (503, "the disk is full")
    assert answer.headers["Retry-After"]


def test_received_events_are_masked_before_the_store(client, store):
    event = run_event(inputs=["password"])
    event["job"]["facets"] = {"sql": FACET | {"query": "SET password = 'hunter2'"}}
    event["run"]["facets"]["x"] = FACET | {"token": "hunter2", "url": "postgres://me:hunter2@host/db"}

    assert client.post(URL, json=event).status_code == 201

    (kept,) = store.events()
    assert "hunter2" not in json.dumps(kept)
    assert kept["inputs"] == event["inputs"]
