"""Where events go: an HTTP endpoint, or anything the OpenLineage client has a transport for."""

from __future__ import annotations

import gzip
import json
import threading
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from airflow_lineage_provider.delivery.location import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlineage.client.transport.http import HttpConfig
    from openlineage.client.transport.transport import Transport
    from urllib3 import BaseHTTPResponse, PoolManager

    from airflow_lineage_provider.delivery.records import StoredEvent

# Statuses that speak of the target or of our access to it, and not of the event.
_TARGET_STATUSES = frozenset({401, 402, 403, 404, 405, 407, 408, 421, 423, 425, 429, 502, 503, 504})
_LONGEST_WAIT = 300.0
_LONGEST_ANSWER = 500


class DeliveryError(Exception):
    """A target did not take an event.

    `fault`: "event" where the target says that the event is wrong, "target" where it cannot be
    reached or has no time for us, "unknown" where its answer could mean either.
    """

    def __init__(
        self, message: str, fault: Literal["event", "target", "unknown"], wait: float | None = None
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.wait = wait


class Target(Protocol):
    """Something that takes events; used by several threads at once."""

    def send(self, event: StoredEvent) -> None:
        """Return once the target has the event. Raises DeliveryError."""

    def close(self) -> None:
        """Free what the target holds."""


def configured_targets(transport: str) -> dict[str, dict[str, Any]]:
    """Return the targets by name, from the `forward` of an OutboxTransport's configuration (JSON).

    `forward` is one transport (then its name is its type), or several by name. Raises StoreError.
    """
    try:
        forward = json.loads(transport or "{}").get("forward", {})
    except (ValueError, AttributeError) as error:
        raise StoreError(f"The OpenLineage transport is not a JSON object: {error}") from error
    targets = {forward["type"]: forward} if isinstance(forward.get("type"), str) else forward
    for name, config in targets.items():
        if not isinstance(config, dict) or "type" not in config:
            raise StoreError(f"The target {name!r} under `forward` names no transport `type`")
    return dict(targets)


def open_target(config: Mapping[str, Any], *, threads: int) -> Target:
    """Return the target that an OpenLineage transport's configuration describes.

    `http` and `async_http` are sent to without the client: it parses each event again and hides
    how a request ended. Raises StoreError for a configuration that the client does not accept.
    """
    try:
        if config.get("type") in {"http", "async_http"}:
            return HttpTarget(config, threads)
        if config.get("type") == "kafka":
            from airflow_lineage_provider.delivery.kafka_target import KafkaTarget

            return KafkaTarget(config)
        return ClientTarget(config)
    except (KeyError, TypeError, ValueError, RuntimeError, ImportError) as error:
        raise StoreError(f"Not an OpenLineage transport ({config.get('type')}): {error}") from error


class HttpTarget:
    """An OpenLineage HTTP endpoint: Marquez, DataHub, OpenMetadata, or the receiver of this package."""

    def __init__(self, config: Mapping[str, Any], threads: int) -> None:
        from openlineage.client.transport.http import HttpConfig

        self._config = HttpConfig.from_dict(dict(config))
        self._url = urljoin(self._config.url.strip(), self._config.endpoint)
        if not self._url.startswith(("http://", "https://")) or not urlsplit(self._url).hostname:
            raise ValueError("its `url` is not http://HOST or https://HOST")
        self._pool = _http_pool(self._config, threads)

    def send(self, event: StoredEvent) -> None:
        """POST the event as it was stored. Raises DeliveryError."""
        from urllib3.exceptions import HTTPError

        headers = {"Content-Type": "application/json", **self._config.custom_headers}
        body = event.body
        if self._config.compression:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        try:
            if bearer := self._config.auth.get_bearer():
                headers["Authorization"] = bearer
            answer = self._pool.request("POST", self._url, body=body, headers=headers)
        except (HTTPError, OSError, RuntimeError) as error:
            raise DeliveryError(f"{self._where}: {_reason(error)}", "target") from error
        self._judge(answer)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    @property
    def _where(self) -> str:
        return self._url.split("://", 1)[-1].rsplit("@", 1)[-1].split("?", 1)[0]

    def _judge(self, answer: BaseHTTPResponse) -> None:
        status = answer.status
        if 200 <= status < 300:  # noqa: PLR2004
            return
        said = " ".join(answer.data[:_LONGEST_ANSWER].decode("utf-8", "replace").split())
        message = f"{self._where} answered {status}: {said}" if said else f"{self._where} answered {status}"
        if status in _TARGET_STATUSES or status < 400:  # noqa: PLR2004
            raise DeliveryError(message, "target", _retry_after(answer.headers.get("Retry-After")))
        raise DeliveryError(message, "event" if status < 500 else "unknown")  # noqa: PLR2004


class ClientTarget:
    """Any other transport of the OpenLineage client: a file, local or by fsspec (s3://...), console, ...

    One event at a time: two threads of the `file` transport would write into each other's lines.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        from openlineage.client.transport import get_default_factory

        self._kind = config["type"]
        self._one = threading.Lock()
        self._transport: Transport = get_default_factory().create(dict(config))

    def send(self, event: StoredEvent) -> None:
        """Emit the event through the transport. Raises DeliveryError."""
        try:
            with self._one:
                self._transport.emit(event.event)  # type: ignore[arg-type] # its serializer takes a dict as it is
        except OSError as error:
            raise DeliveryError(f"{self._kind}: {error}", "target") from error
        except Exception as error:  # a transport may raise anything
            raise DeliveryError(f"{self._kind}: {error}", "unknown") from error

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


def _http_pool(config: HttpConfig, threads: int) -> PoolManager:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH
    from urllib3 import PoolManager, ProxyManager, Timeout

    context = config.ssl_context
    options: dict[str, Any] = {
        "num_pools": 1,
        "maxsize": threads,
        "retries": False,
        "timeout": Timeout(connect=config.timeout, read=config.timeout),
        "cert_reqs": "CERT_REQUIRED" if config.verify else "CERT_NONE",
        "ca_certs": context.ca_cert_path if context and context.ca_cert_path else DEFAULT_CA_BUNDLE_PATH,
    }
    if context:
        options |= {"cert_file": context.client_cert_path, "key_file": context.client_key_path}
    url = urlsplit(config.url.strip())
    proxy = None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)
    return ProxyManager(proxy, **options) if proxy else PoolManager(**options)


def _reason(error: Exception) -> str:
    """Return what went wrong on one line, without urllib3's object addresses."""
    return str(error).rsplit(">: ", 1)[-1].rsplit("): ", 1)[-1].split("\n", 1)[0]


def _retry_after(header: str | None) -> float | None:
    return min(float(header), _LONGEST_WAIT) if header and header.isdecimal() else None
