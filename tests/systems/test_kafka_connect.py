"""The Kafka Connect client: what it reads of a cluster, and what it never gives out."""

import json

import pytest
from http_stub import http_server

from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.http import JsonApi
from airflow_lineage_provider.systems.kafka_connect.client import KafkaConnectClient

PASSWORD = "pass-that-nobody-prints"
TRACE = f"""org.apache.kafka.connect.errors.ConnectException: it broke
\tat java.base/java.lang.Thread.run(Thread.java:1)
Caused by: org.postgresql.util.PSQLException: login of u with {PASSWORD} failed at postgres://u:{PASSWORD}@db
\tat org.postgresql.Driver.connect(Driver.java:2)
"""
CONFIG = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "crm-db",
    "database.password": PASSWORD,
    "database.user": "debezium",
    "connection.url": f"jdbc:postgresql://crm-db/crm?user=u&password={PASSWORD}",
    "value.converter.basic.auth.user.info": f"u:{PASSWORD}",
    "transforms": "enc",
    "transforms.enc.type": "com.acme.Encrypt$Value",
    "transforms.enc.cipher_data_keys": PASSWORD,
    "transforms.enc.token": PASSWORD,
    "producer.override.sasl.jaas.config": f'x required password="{PASSWORD}";',
}


def cluster(config=CONFIG, topics=(200, {"c": {"topics": ["b", "a"]}}), **answers):
    """Return the answers of a cluster with one connector."""
    status = {
        "name": "c",
        "connector": {"state": "RUNNING", "worker_id": "w"},
        "tasks": [{"id": 0, "state": "FAILED", "worker_id": "w", "trace": TRACE}],
        "type": "source",
    }
    known = {
        "/": (200, {"version": "4.3.0", "commit": "x", "kafka_cluster_id": "y"}),
        "/connectors?expand=info": (
            200,
            {"c": {"info": {"name": "c", "config": config, "tasks": [], "type": "source"}}},
        ),
        "/connectors?expand=status": (200, {"c": {"status": status}}),
        "/connectors/c/topics": topics,
    } | answers
    return lambda path, query: known.get(f"{path}?{query}" if query else path, (404, {"error_code": 404}))


def read(answer, *names):
    with http_server(answer) as url:
        client = KafkaConnectClient(JsonApi(url, "Kafka Connect (connection 'connect')"))
        return client.version(), client.connectors(names)


def test_a_connector_is_read_with_state_and_topics():
    version, (connector,) = read(cluster())
    assert version == "4.3.0"
    assert (connector.name, connector.kind, connector.state) == ("c", "source", "RUNNING")
    assert connector.topics == ("a", "b")
    assert connector.config["database.hostname"] == "crm-db"


def test_a_failed_task_is_said_by_the_cause_of_its_trace():
    _, (connector,) = read(cluster())
    (task,) = connector.tasks
    assert (task.id, task.state) == (0, "FAILED")
    assert (
        task.trace
        == "Caused by: org.postgresql.util.PSQLException: login of u with *** failed at postgres://u:***@db"
    )


def test_no_secret_leaves_the_client():
    _, (connector,) = read(cluster())
    assert PASSWORD not in repr(connector)
    assert connector.config["connection.url"] == "jdbc:postgresql://crm-db/crm"
    assert "database.user" not in connector.config


def test_a_worker_that_does_not_track_topics_is_no_fault():
    _, (connector,) = read(cluster(topics=(403, {"message": "disabled"})))
    assert connector.topics is None


def test_a_connector_that_there_is_not_is_one_line_with_those_that_are():
    with pytest.raises(
        SystemReadError, match=r"Kafka Connect \(connection 'connect'\) at .* has no connector x; it has c$"
    ):
        read(cluster(), "x")


@pytest.mark.parametrize(
    "answers",
    [
        {"/": (200, [])},
        {"/": (200, {"hello": "world"})},
        {"/": (404, "")},
        {"/connectors?expand=info": (200, ["c"])},
        {"/connectors?expand=info": (200, {"c": {}})},
        {"/connectors?expand=info": (200, {"c": {"info": {"config": []}}})},
        {"/connectors?expand=status": (200, {"c": []})},
        {"/connectors?expand=status": (200, {"c": {"status": {"connector": 1}}})},
        {"/connectors?expand=status": (404, "")},
    ],
    ids=json.dumps,
)
def test_nonsense_is_one_line_that_says_what_to_check(answers):
    with pytest.raises(
        SystemReadError, match=r"does not answer as Kafka Connect does.*check host, port and path"
    ):
        read(cluster(**answers))


def test_a_connector_that_goes_between_two_requests_is_read_again():
    with pytest.raises(SystemReadError, match="has no status of connector c: it was created or") as caught:
        read(cluster(**{"/connectors?expand=status": (200, {})}))
    assert caught.value.unreachable
