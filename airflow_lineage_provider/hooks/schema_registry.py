"""A schema registry as an Airflow connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from airflow_lineage_provider.systems.schemas.registry import SchemaRegistryClient


class SchemaRegistryHook(BaseHook):
    """A registry with Confluent's API (Confluent, Karapace, Apicurio); its connection is `schema_registry`.

    Host, port and schema (`http` or `https`) make the URL; login and password are basic authentication, a
    password alone is a bearer token. In extra: `verify`, the path of a CA bundle, or false.
    """

    conn_name_attr = "conn_id"
    default_conn_name = "schema_registry_default"
    conn_type = "schema_registry"
    hook_name = "Schema Registry"
    default_port = 8081

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_conn(self) -> SchemaRegistryClient:
        """Return the client."""
        from airflow_lineage_provider.hooks.http_api import json_api
        from airflow_lineage_provider.systems.schemas.registry import SchemaRegistryClient

        conn = self.get_connection(self.conn_id)
        return SchemaRegistryClient(json_api(conn, "Schema Registry", self.default_port))

    def get_url(self) -> str:
        """Return the URL, without the login."""
        from airflow_lineage_provider.hooks.http_api import http_url

        return http_url(self.get_connection(self.conn_id), self.default_port)

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the registry answers, and what is wrong where it does not."""
        from airflow_lineage_provider.errors import LineageError

        try:
            client = self.get_conn()
            subjects = client.subjects()
        except LineageError as error:
            return False, str(error)
        return True, f"{client} has {len(subjects)} subjects"
