"""An OpenLineage endpoint: what Spark, Flink, dbt-ol or a script reports goes into the event store.

`POST /api/v1/lineage` as Marquez has it, an event or a list of them, gzip or not. 201 means
committed; anything else means that nothing of the request was kept.
"""

from __future__ import annotations

import asyncio
import hmac
import zlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_lineage_provider.delivery.event_schema import violation
from airflow_lineage_provider.delivery.location import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from airflow_lineage_provider.delivery.store import EventStore

    # Returns the status to refuse a request with, 401 or 403, or None to let it in.
    Authorize = Callable[[Request], int | None]

_LARGEST_BODY = 16 * 2**20
_MOST_VIOLATIONS = 20
_GZIP = 31


class _RefusedError(Exception):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def bearer_token(*tokens: str) -> Authorize:
    """Return an authorization that lets in who carries one of these tokens; an empty one is none."""
    accepted = [f"Bearer {token}".encode() for token in tokens if token]

    def authorize(request: Request) -> int | None:
        given = request.headers.get("Authorization", "").encode()
        return None if any(hmac.compare_digest(given, token) for token in accepted) else 401

    return authorize


def create_app(store: EventStore, authorize: Authorize, *, largest_body: int = _LARGEST_BODY) -> Starlette:
    """Return the ASGI application that commits received events to the store.

    `largest_body` bounds a request in bytes, before and after decompression.
    """
    committer = _Committer(store)

    async def receive(request: Request) -> Response:
        try:
            if status := authorize(request):
                raise _RefusedError(status, "a valid token is needed" if status == 401 else "not allowed")  # noqa: PLR2004, TRY301
            events = _parse(await _read(request, largest_body), largest_body, request.headers)
            await committer.commit(events)
        except _RefusedError as refused:
            headers = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else None  # noqa: PLR2004
            return JSONResponse({"error": str(refused)}, refused.status, headers)
        except StoreError as error:
            return JSONResponse({"error": str(error)}, 503, {"Retry-After": "5"})
        return Response(status_code=201)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    routes = [Route("/api/v1/lineage", receive, methods=["POST"]), Route("/health", health)]
    return Starlette(routes=routes, lifespan=lifespan)


class _Committer:
    """Commits what arrives while a commit is under way in the next one, together."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._waiting: list[tuple[list[dict[str, Any]], asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def commit(self, events: list[dict[str, Any]]) -> None:
        """Return once the events are committed. Raises StoreError."""
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, committed))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        await committed

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(
                    self._store.append, [event for events, _ in batch for event in events]
                )
            except Exception as error:  # noqa: BLE001 # whoever waits must hear of it
                for _, committed in batch:
                    if not committed.done():
                        committed.set_exception(error)
            else:
                for _, committed in batch:
                    if not committed.done():
                        committed.set_result(None)


async def _read(request: Request, largest: int) -> bytes:
    if request.headers.get("Content-Type", "").split(";")[0].strip().lower() != "application/json":
        raise _RefusedError(415, "Content-Type is application/json")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise _RefusedError(413, f"a request has at most {largest} bytes")
    return bytes(body)


def _parse(body: bytes, largest: int, headers: Any) -> list[dict[str, Any]]:
    encoding = headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise _RefusedError(415, "Content-Encoding is gzip or none")
    try:
        found = msgspec.json.decode(_unzip(body, largest) if encoding == "gzip" else body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _RefusedError(400, f"not JSON: {error}") from error
    events = found if isinstance(found, list) else [found]
    wrong = [f"event {n}: {what}" for n, event in enumerate(events) if (what := violation(event))]
    if wrong:
        raise _RefusedError(422, "; ".join(wrong[:_MOST_VIOLATIONS]))
    return events


def _unzip(body: bytes, largest: int) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        text = stream.decompress(body, largest + 1)
    except zlib.error as error:
        raise _RefusedError(400, f"not gzip: {error}") from error
    if len(text) > largest:
        raise _RefusedError(413, f"a request has at most {largest} bytes when unpacked")
    if not stream.eof or stream.unused_data:
        raise _RefusedError(400, "not gzip: it ends too early, or too late")
    return text
