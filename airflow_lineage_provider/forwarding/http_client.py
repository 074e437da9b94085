"""POST requests to one URL, several at a time, over connections that are kept open.

Built on `http.client` instead of urllib3, because all requests of a batch are written before the first
response is read: `make bench BENCH=delivery` compares the two (part `http`, at least 1.5 times as many events
for each second of processor time).
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import threading
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

_LARGEST_BODY = 2**20
_WATCH = 0.25  # seconds between two looks at the deadline
_UNREAD = TimeoutError("no response was read")


class HttpResponse(NamedTuple):
    """The response of a server; of a long body only the beginning."""

    status: int
    retry_after: str | None
    body: bytes


class HttpClient:
    """Connections to one URL, through the proxy that the environment names. For one thread.

    One deadline covers all of a `post`: connection, request and response. A socket's timeout alone would
    not, because a server that sends a byte now and then restarts it.
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
            connection.set_debuglevel(0)  # the process-wide debug level would print the API key
        self._deadline = math.inf
        self._in_use: set[HTTPConnection] = set()
        self._cut: dict[HTTPConnection, str] = {}
        self._closed = threading.Event()
        self._watcher: threading.Thread | None = None

    def post(self, bodies: Sequence[bytes], headers: Mapping[str, str]) -> list[HttpResponse | Exception]:
        """Return the response to each body, or the reason why there is none; at most one for a connection.

        Where one cannot be sent, those behind it are not sent either.
        """
        self._watch()
        self._cut.clear()
        self._deadline = time.monotonic() + self._timeout
        results: list[HttpResponse | Exception] = []
        unsent: HttpResponse | Exception | None = None
        for connection, body in zip(self._connections, bodies, strict=False):
            if unsent := self._write(connection, body, headers):
                break
            results.append(_UNREAD)
        for n, connection in enumerate(self._connections[: len(results)]):
            results[n] = self._read(connection)
        self._deadline = math.inf
        return [*results, *([unsent] * (len(bodies) - len(results)) if unsent else ())]

    def interrupt(self, reason: str) -> None:
        """Cut the connection that a `post` in another thread waits for."""
        for connection in tuple(self._in_use):
            self._cut[connection] = reason
            if (sock := connection.sock) is not None:
                with contextlib.suppress(OSError):
                    # Not `SSLSocket.shutdown`, which takes the TLS object from the thread that reads.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connections; the next request opens others."""
        self._closed.set()
        self._watcher = None
        for connection in self._connections:
            connection.close()

    def _watch(self) -> None:
        if self._watcher is None:
            self._closed.clear()
            self._watcher = threading.Thread(target=self._enforce_deadline, name="http-deadline", daemon=True)
            self._watcher.start()

    def _enforce_deadline(self) -> None:
        while not self._closed.wait(_WATCH):
            if time.monotonic() > self._deadline:
                self.interrupt(f"no complete response within {self._timeout:g} s")

    def _write(self, connection: HTTPConnection, body: bytes, headers: Mapping[str, str]) -> Exception | None:
        from urllib3.util.wait import wait_for_read

        if connection.sock is not None and wait_for_read(connection.sock, timeout=0):
            connection.close()  # the server closed it: there is nothing else that could be readable
        if connection.sock is not None:
            connection.sock.settimeout(self._timeout)
        self._in_use.add(connection)
        try:
            connection.request("POST", self._path, body=body, headers={**self._headers, **headers})
        except (HTTPException, OSError) as error:
            connection.close()
            return self._reason(connection) or error
        finally:
            self._in_use.discard(connection)
        return None

    def _read(self, connection: HTTPConnection) -> HttpResponse | Exception:
        self._in_use.add(connection)
        try:
            result = _read(connection, self._deadline)
        finally:
            self._in_use.discard(connection)
        # What looks like a response may be the start of one.
        return self._reason(connection) or result

    def _reason(self, connection: HTTPConnection) -> Exception | None:
        reason = self._cut.get(connection)
        return TimeoutError(reason) if reason else None


def _read(connection: HTTPConnection, deadline: float) -> HttpResponse | Exception:
    try:
        connection.sock.settimeout(max(deadline - time.monotonic(), 0.01))
        response = connection.getresponse()
        body = response.read(_LARGEST_BODY)
        if response.length and len(body) < _LARGEST_BODY:
            raise IncompleteRead(body, response.length)
        if not response.isclosed():
            connection.close()
        return HttpResponse(response.status, response.getheader("Retry-After"), body)
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
