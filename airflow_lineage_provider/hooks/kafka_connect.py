"""A Kafka Connect cluster as an Airflow connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from airflow_lineage_provider.systems.kafka_connect.client import KafkaConnectClient


class KafkaConnectHook(BaseHook):
    """Kafka Connect's REST API; its connection is of type `kafka_connect`.

    Host, port and schema (`http` or `https`) make the URL; login and password are basic authentication, a
    password alone is a bearer token. In extra: `bootstrap_servers`, the brokers, by which topics are named;
    `verify`, the path of a CA bundle, or false.
    """

    conn_name_attr = "conn_id"
    default_conn_name = "kafka_connect_default"
    conn_type = "kafka_connect"
    hook_name = "Kafka Connect"
    default_port = 8083

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_conn(self) -> KafkaConnectClient:
        """Return the client."""
        from airflow_lineage_provider.hooks.http_api import json_api
        from airflow_lineage_provider.systems.kafka_connect.client import KafkaConnectClient

        conn = self.get_connection(self.conn_id)
        return KafkaConnectClient(json_api(conn, "Kafka Connect", self.default_port))

    def get_url(self) -> str:
        """Return the URL, without the login."""
        from airflow_lineage_provider.hooks.http_api import http_url

        return http_url(self.get_connection(self.conn_id), self.default_port)

    def get_bootstrap(self) -> str:
        """Return the first of the brokers, as `host:port`. Raises InputError where none is named."""
        given = str(self.get_connection(self.conn_id).extra_dejson.get("bootstrap_servers") or "")
        first = given.partition(",")[0].strip().rpartition("://")[2]
        if not first:
            raise InputError(
                f"connection {self.conn_id!r} has no bootstrap_servers in its extra: topics are named by them"
            )
        return first

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the worker answers, and what is wrong where it does not."""
        from airflow_lineage_provider.errors import LineageError

        try:
            client = self.get_conn()
            version = client.version()
            names = [connector.name for connector in client.connectors()]
            self.get_bootstrap()
        except LineageError as error:
            return False, str(error)
        return True, f"{self.get_url()} is Kafka Connect {version}, with {len(names)} connectors"
