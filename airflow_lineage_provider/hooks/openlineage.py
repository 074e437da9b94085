"""OpenLineage backends as Airflow connections: where the forwarder takes events."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from airflow.sdk import BaseHook

TIMEOUT_SECONDS = 10
LARGEST_ANSWER = 1 << 20
REFUSED = {401, 403}


class OpenLineageHook(BaseHook):
    """An OpenLineage HTTP endpoint, such as Marquez; its connection is of type `openlineage`.

    Host, port and schema (`http` or `https`) make the URL, the password is an API key, and `endpoint` in
    extra is the path that takes events where it is not `api/v1/lineage`.
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
        """Return the backend's URL, without its key."""
        conn = self.get_connection(self.conn_id)
        host = (conn.host or "localhost").removesuffix("/")
        if host.startswith(("http://", "https://")):
            return host
        return f"{conn.schema or 'http'}://{host}:{conn.port or self.default_port}"

    def get_transport(self) -> dict[str, Any]:
        """Return the configuration of OpenLineage's HTTP transport to this backend."""
        conn = self.get_connection(self.conn_id)
        transport = {
            "type": "http",
            "url": self.get_url(),
            "endpoint": conn.extra_dejson.get("endpoint", self.endpoint),
        }
        if conn.password:
            transport["auth"] = {"type": "api_key", "apiKey": conn.password}
        return transport

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the backend answers, by listing its namespaces as Marquez does."""
        url = f"{self.get_url()}/api/v1/namespaces?limit=1"
        try:
            status = self._get(url)[0]
        except (URLError, OSError, ValueError) as error:
            return False, f"{self.get_url()} cannot be reached: {_reason(error)}"
        if status in REFUSED:
            return False, f"{self.get_url()} refuses the API key ({status})"
        if status >= 500:  # noqa: PLR2004 - HTTP's own number
            return False, f"{self.get_url()} answers {status}"
        return True, f"{self.get_url()} answers"

    def _get(self, url: str) -> tuple[int, bytes]:
        """Return the status and the body, in bounds, of a GET with the connection's key."""
        key = self.get_connection(self.conn_id).password
        request = Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})  # noqa: S310
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the user names the URL
                return answer.status, answer.read(LARGEST_ANSWER)
        except HTTPError as error:
            return error.code, b""


class DataHubHook(OpenLineageHook):
    """DataHub's metadata service, which takes OpenLineage events; of connection type `lineage_datahub`."""

    default_conn_name = "lineage_datahub_default"
    conn_type = "lineage_datahub"
    hook_name = "DataHub (lineage)"
    default_port = 8080
    endpoint = "openapi/openlineage/api/v1/lineage"

    def __init__(self, conn_id: str = default_conn_name) -> None:
        super().__init__(conn_id)

    def test_connection(self) -> tuple[bool, str]:
        """Return whether it is DataHub that answers: its `/config` names its versions."""
        try:
            status, body = self._get(f"{self.get_url()}/config")
            config = json.loads(body) if status == 200 else {}  # noqa: PLR2004
        except (URLError, OSError, ValueError) as error:
            return False, f"{self.get_url()} cannot be reached as DataHub: {_reason(error)}"
        if status in REFUSED:
            return False, f"{self.get_url()} refuses the token ({status})"
        if not isinstance(config, dict) or "versions" not in config:
            return False, f"{self.get_url()} answers {status}, and not as DataHub's metadata service does"
        return True, f"{self.get_url()} is DataHub"


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", error))
