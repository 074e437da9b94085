"""Kafka Connect and Schema Registry as connections: their URLs and Test buttons."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "systems"))

from http_stub import http_server

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.hooks.kafka_connect import KafkaConnectHook

WORKER = {
    "/": (200, {"version": "4.3.0", "commit": "", "kafka_cluster_id": ""}),
    "/connectors": (200, {}),
}


def connect(monkeypatch, conn_type, host, **fields):
    connection = {"conn_type": conn_type, "host": host, **fields}
    monkeypatch.setenv("AIRFLOW_CONN_SYSTEM", json.dumps(connection))


def button():
    """Return what the Test button of a connection says, by the way that Airflow's API takes."""
    from airflow.sdk import BaseHook

    return BaseHook.get_connection("system").get_hook().test_connection()


def answers(known):
    return lambda path, _: known.get(path, (404, {"message": "HTTP 404 Not Found"}))


BROKERS = {"bootstrap_servers": "kafka:9092,other:9092"}


@pytest.mark.parametrize(
    ("conn_type", "known", "extra", "worked", "said"),
    [
        ("kafka_connect", WORKER, BROKERS, True, "is Kafka Connect 4.3.0, with 0 connectors"),
        ("kafka_connect", WORKER, {}, False, "has no bootstrap_servers in its extra"),
        ("kafka_connect", {"/": (200, {})}, BROKERS, False, "does not answer as Kafka Connect does"),
        ("kafka_connect", {"/": (401, "")}, BROKERS, False, "refuses the login (401)"),
        ("schema_registry", {"/subjects": (200, ["a"])}, {}, True, "has 1 subjects"),
        ("schema_registry", {}, {}, False, "does not answer as a schema registry does"),
    ],
)
def test_the_test_button(monkeypatch, conn_type, known, extra, worked, said):
    with http_server(answers(known)) as url:
        connect(monkeypatch, conn_type, url, extra=extra)
        result = button()
    assert result[0] is worked, result
    assert said in result[1]


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "connect"}, "http://connect:8083"),
        ({"host": "connect", "port": 80}, "http://connect:80"),
        ({"host": "connect", "schema": "https"}, "https://connect"),
        ({"host": "https://gateway/connect/"}, "https://gateway/connect"),
        ({"host": None}, "http://localhost:8083"),
    ],
)
def test_host_port_and_schema_make_the_url(monkeypatch, fields, url):
    connect(monkeypatch, "kafka_connect", **fields)
    assert KafkaConnectHook("system").get_url() == url


def test_topics_are_named_by_the_first_broker(monkeypatch):
    connect(
        monkeypatch, "kafka_connect", "connect", extra={"bootstrap_servers": "SASL_SSL://kafka:9092,other:1"}
    )
    assert KafkaConnectHook("system").get_bootstrap() == "kafka:9092"


def test_credentials_in_the_host_are_refused_and_not_printed(monkeypatch):
    connect(monkeypatch, "kafka_connect", "http://u:s3cret@connect")
    with pytest.raises(InputError, match="has credentials in its host") as found:
        KafkaConnectHook("system").get_url()
    assert "s3cret" not in str(found.value)


@pytest.mark.parametrize("host", ["http://connect:port", "http://[connect", "http://connect:99999"])
def test_a_host_that_is_no_url_is_one_line_that_names_the_connection(monkeypatch, host):
    connect(monkeypatch, "kafka_connect", host)
    with pytest.raises(InputError, match="connection 'system' has a host that is no URL"):
        KafkaConnectHook("system").get_url()
