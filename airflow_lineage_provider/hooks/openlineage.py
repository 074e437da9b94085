"""OpenLineage backends as Airflow connections: where the forwarder takes events, and Marquez reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_lineage_provider.store.marquez import MarquezSource

TIMEOUT_SECONDS = 10
LARGEST_ANSWER = 1 << 20
OK, NOT_FOUND = 200, 404
REFUSED = {401, 403}


class OpenLineageHook(BaseHook):
    """An OpenLineage HTTP endpoint, such as Marquez; its connection is of type `openlineage`.

    Host, port and schema (`http` or `https`) make the URL; host may be all of it. The password is an API
    key. In extra: `endpoint`, the path that takes events where it is not `api/v1/lineage`; `batch`, how many
    go in one request, where it has `ENDPOINT/batch` of OpenLineage's API (Feast, `airflow-lineage serve`).
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
        """Return the backend's URL, without its key. Raises ValueError where the host is no host."""
        conn = self.get_connection(self.conn_id)
        host = (conn.host or "localhost").rstrip("/")
        if not host.startswith(("http://", "https://")):
            host = f"{conn.schema or 'http'}://{host}"
        url = urlsplit(host)
        if "@" in url.netloc:
            raise ValueError(
                f"connection {self.conn_id!r} has credentials in its host: put the key in password"
            )
        # https, or a path, is of what stands before a backend; that has a port of its own.
        port = conn.port or (None if url.scheme == "https" or url.path else self.default_port)
        return host if url.port or not port else urlunsplit(url._replace(netloc=f"{url.netloc}:{port}"))

    def get_transport(self) -> dict[str, Any]:
        """Return the configuration of OpenLineage's HTTP transport to this backend."""
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
        """Return what reads Marquez's events back, those since `since`."""
        from airflow_lineage_provider.store.marquez import MarquezSource

        return MarquezSource(self.get_url(), api_key=self._key(), since=since)

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the backend takes events with this key, and what is wrong where it does not.

        Nothing is sent: an endpoint that takes events by POST is there when a GET is not answered by 404.
        """
        from airflow_lineage_provider.store import EventSourceError
        from airflow_lineage_provider.store.marquez import reason

        try:
            url = self.get_url()
        except ValueError as error:
            return False, str(error)
        try:
            return self._test(url)
        except EventSourceError as error:
            return False, str(error)
        except OSError as error:  # what requests raises is one
            return False, f"{url} cannot be reached: {reason(error)}"

    def _test(self, url: str) -> tuple[bool, str]:
        from airflow_lineage_provider.store.marquez import EVENTS

        if problem := self._problem(url):
            return False, problem
        readable, _ = self._get(f"{url}/{EVENTS}?limit=0")
        back = "can" if readable == OK else "cannot, as from Marquez,"
        return True, f"{url} takes events, and they {back} be read back"

    def _problem(self, url: str) -> str:
        status, _ = self._get(f"{url}/{self._endpoint()}")
        if status in REFUSED:
            return f"{url} refuses the key in the connection's password ({status})"
        if status == NOT_FOUND:
            return f"{url} has nothing at {self._endpoint()}: check host, port and endpoint"
        if 300 <= status < 400 or status >= 500:  # noqa: PLR2004 - HTTP's own numbers
            return f"{url} answers {status}: check host, port and schema, or its log"
        return ""

    def _get(self, url: str) -> tuple[int, bytes]:
        """Return the status and the body, in bounds, of a GET with the connection's key."""
        import requests

        from airflow_lineage_provider.store.marquez import bearer

        key = bearer(self._key())
        with requests.get(
            url, auth=key, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
        ) as answer:
            return answer.status_code, answer.raw.read(LARGEST_ANSWER, decode_content=True)

    def _endpoint(self) -> str:
        given: str = self.get_connection(self.conn_id).extra_dejson.get("endpoint") or self.endpoint
        return given.strip("/")

    def _key(self) -> str:
        return (self.get_connection(self.conn_id).password or "").strip()


class DataHubHook(OpenLineageHook):
    """DataHub's metadata service, which takes OpenLineage events; of connection type `lineage_datahub`."""

    default_conn_name = "lineage_datahub_default"
    conn_type = "lineage_datahub"
    hook_name = "DataHub (lineage)"
    default_port = 8080
    endpoint = "openapi/openlineage/api/v1/lineage"

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__(conn_id)

    def _test(self, url: str) -> tuple[bool, str]:
        """Ask for `/config`, which everybody may read; the endpoint asks for the token."""
        status, body = self._get(f"{url}/config")
        if status not in REFUSED and not _is_datahub(body):
            return False, f"{url} answers {status}, and not as DataHub's metadata service does"
        problem = self._problem(url)
        return not problem, problem or f"{url} is DataHub, and takes events"


def _is_datahub(body: bytes) -> bool:
    try:
        config = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(config, dict) and "versions" in config
