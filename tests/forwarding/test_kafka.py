"""Events to Kafka: the real client against its built-in mock broker."""

import itertools
import json
import threading

import pytest

from airflow_lineage_provider.forwarding.consumer import dead_letters, outbox_status
from airflow_lineage_provider.forwarding.forwarder import Forwarder, RetryPolicy
from airflow_lineage_provider.forwarding.kafka_target import message_key
from airflow_lineage_provider.forwarding.targets import open_target
from tests.support.forwarding import by_run
from tests.support.samples import DAG, NODE, TASK, run_event

kafka = pytest.importorskip("confluent_kafka", reason="the kafka extra is not installed")


@pytest.fixture
def broker():
    """Return the address of a broker in this process."""
    cluster = kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0})
    (broker,) = cluster.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    cluster.flush()


def forwarder(store, servers, **config):
    config = {"bootstrap.servers": servers, "log_level": "0", **config}
    target = open_target({"type": "kafka", "topic": "lineage", "config": config})
    return Forwarder(
        store, "kafka", target, RetryPolicy(tries=2, first_wait=0.01, longest_wait=0.01, poll=0.01)
    )


def received(servers, count):
    consumer = kafka.Consumer(
        {"bootstrap.servers": servers, "group.id": "test", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["lineage"])
    messages = (consumer.poll(0.5) for _ in range(60 + count))
    found = [
        (message.key().decode(), message.value())
        for message in itertools.islice((m for m in messages if m and not m.error()), count)
    ]
    consumer.close()
    return found


def test_events_have_their_root_run_as_key(store, broker):
    store.append([run_event(parent=TASK, root=DAG), run_event(event_type="COMPLETE", parent=TASK, root=DAG)])
    forwarding = forwarder(store, broker)

    assert forwarding.drain().sent == 2
    forwarding.close()

    found = received(broker, 2)
    assert [key for key, _ in found] == ["run:airflow/dag"] * 2
    assert [b'"START"' in found[0][1], b'"COMPLETE"' in found[1][1]] == [True, True]


def test_many_events_need_one_acknowledgement_and_keep_their_order(store, broker):
    for number, kind in enumerate(("START", "RUNNING", "COMPLETE")):
        store.append([run_event(f"run-{n}", kind, at=f"2026-11-22T07:28:{number:02}Z") for n in range(200)])
    forwarding = forwarder(store, broker)
    assert forwarding.drain().sent == 600
    forwarding.close()

    found = [json.loads(body) for _, body in received(broker, 600)]
    assert by_run(found) == by_run(store.events())


def test_an_event_rejected_by_kafka_becomes_a_dead_letter(store, broker):
    store.append([run_event(name="x" * 5000), run_event("other")])
    forwarding = forwarder(store, broker, **{"message.max.bytes": "3000"})
    stop = threading.Event()

    def stop_at_dead_letter(done):
        if done.dead_letters:
            stop.set()

    forwarding.run(stop, stop_at_dead_letter)
    forwarding.close()

    (dead,) = dead_letters(store)
    assert "Message size too large" in dead.error
    assert outbox_status(store)[0].pending == 0


def test_without_a_broker_nothing_is_lost(store):
    store.append(run_event())
    forwarding = forwarder(store, "127.0.0.1:1", **{"message.timeout.ms": "200"})

    assert "kafka lineage" in forwarding.drain().error
    forwarding.close()
    assert (outbox_status(store)[0].pending, outbox_status(store)[0].dead_letters) == (1, 0)


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (run_event(NODE), "run:dbt/silver.stg_orders"),
        (run_event(NODE, parent=TASK), "run:airflow/dag.task"),
        ({"job": {"namespace": "dbt", "name": "j"}}, "job:dbt/j"),
        ({"dataset": {"namespace": "duckdb", "name": "t"}}, "dataset:duckdb/t"),
    ],
)
def test_events_of_one_root_run_share_a_key(event, key):
    assert message_key(event) == key
