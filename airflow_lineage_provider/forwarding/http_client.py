"""POST requests to one URL, several under way at once, on connections that are kept."""

from __future__ import annotations

import ssl
import time
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from airflow_lineage_provider.forwarding.target import TargetConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openlineage.client.transport.http import HttpConfig

_LARGEST_ANSWER = 2**20


class Answer(NamedTuple):
    """What a server answered; of a body that is very long, the beginning."""

    status: int
    retry_after: str | None
    body: bytes


class HttpClient:
    """Connections to one URL, through the proxy that the environment names. For one thread.

    All requests are written before the first answer is read, so that a server works on them together. No
    thread for each: Python's lock would go back and forth between them.
    """

    def __init__(self, config: HttpConfig, url: str, connections: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise TargetConfigError("its `url` is not http://HOST or https://HOST")
        proxy = _proxy(parts)
        self._timeout = config.timeout
        self._path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        self._headers: dict[str, str] = {}
        if proxy and parts.scheme == "http":
            self._path = f"http://{_authority(parts)}{self._path}"
            self._headers = _proxy_authorization(proxy)
        self._connections = [_connection(config, parts, proxy) for _ in range(connections)]
        for connection in self._connections:
            connection.set_debuglevel(0)  # whatever the process has set: it prints the key

    def post(self, bodies: Sequence[bytes], headers: Mapping[str, str]) -> list[Answer | Exception]:
        """Return the answer to each body, one for each connection at most, or why there is none.

        Where one cannot be sent, neither are those behind it.
        """
        deadline = time.monotonic() + self._timeout
        unsent: Exception | None = None
        sent = 0
        for connection, body in zip(self._connections, bodies, strict=False):
            try:
                self._write(connection, body, headers)
            except (HTTPException, OSError) as error:
                connection.close()
                unsent = error
                break
            sent += 1
        answers = [_read(connection, deadline) for connection in self._connections[:sent]]
        return [*answers, *([unsent] * (len(bodies) - sent) if unsent else ())]

    def close(self) -> None:
        """Close the connections; the next request opens another."""
        for connection in self._connections:
            connection.close()

    def _write(self, connection: HTTPConnection, body: bytes, headers: Mapping[str, str]) -> None:
        from urllib3.util.wait import wait_for_read

        if connection.sock is not None and wait_for_read(connection.sock, timeout=0):
            connection.close()  # the server did so before: nothing else can be there to read
        if connection.sock is not None:
            connection.sock.settimeout(self._timeout)
        connection.request("POST", self._path, body=body, headers={**self._headers, **headers})


def _read(connection: HTTPConnection, deadline: float) -> Answer | Exception:
    try:
        connection.sock.settimeout(max(deadline - time.monotonic(), 0.01))
        answer = connection.getresponse()
        body = answer.read(_LARGEST_ANSWER)
        if answer.length and len(body) < _LARGEST_ANSWER:
            raise IncompleteRead(body, answer.length)
        if not answer.isclosed():
            connection.close()
        return Answer(answer.status, answer.getheader("Retry-After"), body)
    except (HTTPException, OSError) as error:
        connection.close()
        return error


def _connection(config: HttpConfig, url: SplitResult, proxy: SplitResult | None) -> HTTPConnection:
    host, port = (proxy.hostname, proxy.port or 80) if proxy else (url.hostname, url.port)
    if url.scheme == "http":
        return HTTPConnection(str(host), port, timeout=config.timeout)
    connection = HTTPSConnection(str(host), port, timeout=config.timeout, context=_tls(config))
    if proxy:
        connection.set_tunnel(str(url.hostname), url.port, _proxy_authorization(proxy))
    return connection


def _tls(config: HttpConfig) -> ssl.SSLContext:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    files = config.ssl_context
    trusted = files.ca_cert_path if files else None
    context = ssl.create_default_context(cafile=trusted or DEFAULT_CA_BUNDLE_PATH)
    if not (config.verify or trusted):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if files and files.client_cert_path:
        context.load_cert_chain(files.client_cert_path, files.client_key_path)
    return context


def _proxy(url: SplitResult) -> SplitResult | None:
    named = None if proxy_bypass(str(url.hostname)) else getproxies().get(url.scheme)
    if not named:
        return None
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise TargetConfigError(f"the proxy for {url.scheme} is not http://HOST:PORT")
    return proxy


def _proxy_authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    secret = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(secret.encode()).decode()}"}


def _authority(url: SplitResult) -> str:
    return url.netloc.rsplit("@", 1)[-1]
