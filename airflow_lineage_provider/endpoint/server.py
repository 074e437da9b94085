"""The server process of the endpoint: uvicorn, with limits on connections and on the time for headers."""

from __future__ import annotations

import gc
import resource
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp

MOST_CONNECTIONS = 500
HEADER_SECONDS = 10.0
_OTHER_FILES = 100  # of the store, the log, libraries


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Run the application in this process until SIGINT or SIGTERM. Raises InputError for a bad address."""
    # Events leave no cyclic garbage: freeze what is loaded, and run the collector rarely.
    gc.freeze()
    gc.set_threshold(50_000)
    server = uvicorn.Server(server_config(app, host=host, port=port, log_level="warning"))
    server.run()
    if not server.started:
        raise InputError(f"cannot serve at {host}:{port}: see the log above")


def server_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """Return uvicorn's configuration with the limits of this module."""
    return uvicorn.Config(app, http=bounded_protocol(), access_log=False, proxy_headers=False, **options)


def bounded_protocol(most: int = MOST_CONNECTIONS, seconds: float = HEADER_SECONDS) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with limits: `most` connections, and `seconds` for the headers of a request.

    A connection beyond the limit takes the place of the one that has been without a request for longest. If
    every connection has a request, the new one is closed.
    """
    connections = _Connections(min(most, max(_file_limit() - _OTHER_FILES, 10)))

    class Bounded(_protocol()):  # type: ignore[misc]
        timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            connections.add(self)
            self.set_timer()

        def connection_lost(self, exc: Exception | None) -> None:
            connections.remove(self)
            self.set_timer()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            # uvicorn removes its own timeout as soon as a byte of the next request arrives.
            self.set_timer()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self.set_timer()

        def set_timer(self) -> None:
            has_request = self.cycle is not None and not self.cycle.response_complete
            if has_request or self.transport.is_closing():
                connections.idle.pop(self, None)
                if self.timer is not None:
                    self.timer.cancel()
                    self.timer = None
            elif self.timer is None:
                connections.idle[self] = None
                self.timer = self.loop.call_later(seconds, self.transport.abort)

    return Bounded


class _Connections:
    """The open connections of a server, and those without a request, the oldest first."""

    def __init__(self, most: int) -> None:
        self.idle: OrderedDict[Any, None] = OrderedDict()
        self._most = most
        self._count = 0

    def add(self, connection: Any) -> None:
        """Count a new connection; beyond the limit, abort the oldest one without a request, or this one."""
        self._count += 1
        if self._count > self._most:
            oldest = next(iter(self.idle), connection)
            self.idle.pop(oldest, None)
            oldest.transport.abort()

    def remove(self, connection: Any) -> None:
        """Count a connection that is closed."""
        self._count -= 1
        self.idle.pop(connection, None)


def _protocol() -> type[Any]:
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        return H11Protocol
    return HttpToolsProtocol


def _file_limit() -> int:
    """Raise this process's limit of open files as far as it may, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft
