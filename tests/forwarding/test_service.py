"""Forwarding as a service, and its status page."""

import socket
import threading

import pytest
import requests
from openlineage.client.transport.transport import Config, Transport
from prometheus_client.parser import text_string_to_metric_families

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.forwarding.consumer import OutboxStatus, outbox_status
from airflow_lineage_provider.forwarding.forwarder import RetryPolicy
from airflow_lineage_provider.forwarding.service import ForwardService, metrics, status_page
from airflow_lineage_provider.forwarding.target import TargetConfigError
from tests.support.backend import running_backend
from tests.support.forwarding import wait_until
from tests.support.samples import run_event

POLICY = RetryPolicy(first_wait=0.01, longest_wait=0.02, poll=0.01)


def test_every_target_receives_and_the_status_page_shows_it(store, tmp_path):
    store.append([run_event(), run_event(event_type="COMPLETE")])
    idle = {"marquez": threading.Event(), "file": threading.Event()}

    def report(name, done):
        if not done.sent and not done.error:
            idle[name].set()

    with running_backend() as backend:
        file = {"type": "file", "log_file_path": str(tmp_path / "events.jsonl"), "append": True}
        service = ForwardService(store, {"marquez": backend.target, "file": file}, POLICY, report)
        service.start()
        with status_page(service, "127.0.0.1", 0) as port:
            assert all(event.wait(10) for event in idle.values())
            health = requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
            found = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
            assert requests.get(f"http://127.0.0.1:{port}/other", timeout=5).status_code == 404
            service.stop()
            assert requests.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 503

    assert [event["eventType"] for event in backend.received] == ["START", "COMPLETE"]
    assert health.json()["status"] == "ok"
    assert [target["pending"] for target in health.json()["targets"]] == [0, 0]
    assert 'lineage_outbox_forwarded_total{target="marquez"} 2.0' in found


def test_a_service_can_start_before_the_first_event(store):
    with running_backend() as backend:
        service = ForwardService(store, {"marquez": backend.target}, POLICY)
        service.start()
        with status_page(service, "127.0.0.1", 0) as port:
            assert requests.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
        service.stop()


def test_prometheus_can_parse_the_metrics():
    from datetime import UTC, datetime

    status = OutboxStatus(
        'a"b', 3, "2026-11-22T07:28:01.000000Z", 1, "refused", "2026-11-22T07:28:01.000000Z", ""
    )

    text = metrics([status], {'a"b': 7}, datetime(2026, 11, 22, 7, 28, 31, tzinfo=UTC))

    values = {
        sample.name: (sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values == {
        "lineage_outbox_pending": ({"target": 'a"b'}, 3),
        "lineage_outbox_dead_letters": ({"target": 'a"b'}, 1),
        "lineage_outbox_failing": ({"target": 'a"b'}, 1),
        "lineage_outbox_oldest_pending_seconds": ({"target": 'a"b'}, 30),
        "lineage_outbox_forwarded_total": ({"target": 'a"b'}, 7),
    }


def test_an_address_that_cannot_be_bound_is_named(store):
    service = ForwardService(store, {})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(InputError, match=f"cannot serve the status at 127.0.0.1:{port}"),
            status_page(service, "127.0.0.1", port),
        ):
            pass


class Hanging(Transport):
    """A transport of the OpenLineage client that never returns."""

    kind = "hanging"
    config_class = Config

    def __init__(self, config): ...

    def emit(self, event):
        threading.Event().wait()


def test_the_service_stops_while_a_transport_hangs(store):
    store.append(run_event())
    called = threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hanging, "emit", lambda *_: called.set() or threading.Event().wait())
        service = ForwardService(store, {"x": {"type": f"{__name__}.Hanging"}}, POLICY)
        service.start()
        assert called.wait(10)
        service.stop(grace=0.2)
    wait_until(lambda: not service.alive())
    assert "hanging" in outbox_status(store)[0].error or "does not return" in outbox_status(store)[0].error


@pytest.mark.parametrize(
    "config", [{"type": "http"}, {"type": "no.such.Transport"}, {"type": "http", "url": "nowhere"}]
)
def test_a_misconfigured_target_is_named(store, config):
    with pytest.raises(TargetConfigError, match="Not an OpenLineage transport"):
        ForwardService(store, {"x": config}).start()
