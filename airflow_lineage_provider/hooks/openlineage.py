"""Describe OpenLineage backends by Airflow connections, to forward events to and to read Marquez."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from airflow_lineage_provider.errors import InputError, LineageError

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_lineage_provider.store.marquez import MarquezSource
    from airflow_lineage_provider.systems.datahub.client import DataHubClient
    from airflow_lineage_provider.systems.http import JsonApi

TIMEOUT_SECONDS = 10
MAX_RESPONSE_BYTES = 1 << 20
OK, NOT_FOUND = 200, 404
UNAUTHORIZED = {401, 403}


class OpenLineageHook(BaseHook):
    """An OpenLineage HTTP endpoint, such as Marquez; its connection is of type `openlineage`.

    Host, port and schema (`http` or `https`) make the URL; host may be a whole URL. The password is an API
    key. Fields in extra: `endpoint`, the path for events, by default `api/v1/lineage`; `batch`, the number
    of events in one request, for a backend with OpenLineage's `ENDPOINT/batch` (Feast, `airflow-lineage
    serve`).
    """

    conn_name_attr = "conn_id"
    default_conn_name = "openlineage_default"
    conn_type = "openlineage"
    hook_name = "OpenLineage endpoint (Marquez, ...)"
    default_port = 5000
    endpoint = "api/v1/lineage"

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_url(self) -> str:
        """Return the URL of the backend, without its key. Raises InputError for credentials in the host."""
        from airflow_lineage_provider.hooks.http_api import http_url

        return http_url(self.get_connection(self.conn_id), self.default_port)

    def get_transport(self) -> dict[str, Any]:
        """Return the configuration of an OpenLineage HTTP transport to this backend."""
        transport: dict[str, Any] = {
            "type": "http",
            "url": f"{self.get_url()}/",
            "endpoint": self._endpoint(),
        }
        extra = self.get_connection(self.conn_id).extra_dejson
        if "batch" in extra:
            transport["batch"] = extra["batch"]
        if key := self._key():
            transport["auth"] = {"type": "api_key", "apiKey": key}
        return transport

    def get_source(self, since: datetime | None = None) -> MarquezSource:
        """Return the source that reads the events since `since` from Marquez."""
        from airflow_lineage_provider.store.marquez import MarquezSource

        return MarquezSource(self.get_url(), api_key=self._key(), since=since)

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the backend accepts events with this key, and a message.

        No event is sent: a GET on the endpoint for events answers 404 only where there is no such endpoint.
        """
        from airflow_lineage_provider.store.marquez import reason

        try:
            url = self.get_url()
        except InputError as error:
            return False, str(error)
        try:
            return self._test(url)
        except LineageError as error:
            return False, str(error)
        except OSError as error:  # the base of what requests raises
            return False, f"{url} cannot be reached: {reason(error)}"

    def _test(self, url: str) -> tuple[bool, str]:
        from airflow_lineage_provider.store.marquez import EVENTS

        if problem := self._problem(url):
            return False, problem
        readable, _ = self._get(f"{url}/{EVENTS}?limit=0")
        can = "can" if readable == OK else "cannot"
        return True, f"{url} accepts events, and they {can} be read back as from Marquez"

    def _problem(self, url: str) -> str:
        status, _ = self._get(f"{url}/{self._endpoint()}")
        if status in UNAUTHORIZED:
            return f"{url} rejects the key in the connection's password ({status})"
        if status == NOT_FOUND:
            return f"{url} has nothing at {self._endpoint()}: check host, port and endpoint"
        if 300 <= status < 400 or status >= 500:  # noqa: PLR2004 - HTTP's own numbers
            return f"{url} answers {status}: check host, port and schema, or its log"
        return ""

    def _get(self, url: str) -> tuple[int, bytes]:
        """Send a GET with the connection's key; return the status and at most MAX_RESPONSE_BYTES of body."""
        import requests

        from airflow_lineage_provider.store.marquez import bearer

        key = bearer(self._key())
        with requests.get(
            url, auth=key, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
        ) as answer:
            return answer.status_code, answer.raw.read(MAX_RESPONSE_BYTES, decode_content=True)

    def _endpoint(self) -> str:
        endpoint: str = self.get_connection(self.conn_id).extra_dejson.get("endpoint") or self.endpoint
        return endpoint.strip("/")

    def _key(self) -> str:
        return (self.get_connection(self.conn_id).password or "").strip()


class DataHubHook(OpenLineageHook):
    """DataHub's metadata service; its connection is of type `lineage_datahub`.

    Events are forwarded to its OpenLineage endpoint; its API is read and published to. In extra: `verify`, a
    path of a CA bundle, or false.
    """

    default_conn_name = "lineage_datahub_default"
    conn_type = "lineage_datahub"
    hook_name = "DataHub (lineage)"
    default_port = 8080
    endpoint = "openapi/openlineage/api/v1/lineage"

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__(conn_id)

    def get_api(self) -> JsonApi:
        """Return the API with its token. Raises InputError for credentials in the host."""
        from airflow_lineage_provider.systems.http import JsonApi

        conn = self.get_connection(self.conn_id)
        name = f"DataHub (connection {self.conn_id!r})"
        return JsonApi(self.get_url(), name, token=self._key(), verify=conn.extra_dejson.get("verify", True))

    def get_conn(self) -> DataHubClient:
        """Return the client that reads entities and lineage."""
        from airflow_lineage_provider.systems.datahub.client import DataHubClient

        return DataHubClient(self.get_api())

    def _test(self, url: str) -> tuple[bool, str]:
        """Check that `/config`, which is public, is that of DataHub, and that the token is accepted."""
        status, body = self._get(f"{url}/config")
        if status not in UNAUTHORIZED and not _is_datahub(body):
            return (
                False,
                f"{url} answers {status}, but is not DataHub's metadata service: check host and port",
            )
        problem = self._problem(url)
        return not problem, problem or f"{url} is DataHub and accepts events"


def _is_datahub(body: bytes) -> bool:
    try:
        config = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(config, dict) and "versions" in config
