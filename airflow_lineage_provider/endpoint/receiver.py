"""An OpenLineage endpoint: events from Spark, Flink, dbt-ol or a script into the event store.

`POST /api/v1/lineage` as Marquez has it and `POST /api/v1/lineage/batch` as OpenLineage has it, an event or
a list of them, gzip or not. 201, or 204 for a batch, means committed; anything else means that nothing of
the request was stored.
"""

from __future__ import annotations

import asyncio
import hmac
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_lineage_provider.endpoint.openapi import document
from airflow_lineage_provider.endpoint.request_body import RefusedError, RequestBodies
from airflow_lineage_provider.events.event_schema import violation
from airflow_lineage_provider.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from airflow_lineage_provider.store.store import EventStore

    # Returns the status of a refused request, 401 or 403, or None for an accepted one.
    Authorize = Callable[[Request], int | None]

PATH = "/api/v1/lineage"
BATCH_PATH = f"{PATH}/batch"
_LARGEST_BODY = 16 * 2**20
_BODIES_AT_ONCE = 2  # of the largest
_LARGE = 2**18  # to parse this takes milliseconds, in which others are to be answered
_PATIENCE = 30.0  # seconds
_MOST_VIOLATIONS = 20
_MORE_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}


def bearer_token(*tokens: str) -> Authorize:
    """Return an authorization that accepts requests with one of these tokens; an empty token is ignored."""
    accepted = [f"Bearer {token}".encode() for token in tokens if token]

    def authorize(request: Request) -> int | None:
        given = request.headers.get("Authorization", "").encode()
        return None if any(hmac.compare_digest(given, token) for token in accepted) else 401

    return authorize


def create_app(
    store: EventStore,
    authorize: Authorize,
    *,
    largest_body: int = _LARGEST_BODY,
    patience: float = _PATIENCE,
) -> ASGIApp:
    """Return the ASGI application that commits received events to the store.

    `largest_body` bounds a request in bytes, before and after decompression; twice that bounds all that
    are under way. A body must arrive within `patience` seconds. /openapi.json describes the endpoint.
    """
    committer = _Committer(store)
    bodies = RequestBodies(largest_body, _BODIES_AT_ONCE * largest_body, patience)
    created, taken = Response(status_code=201), Response(status_code=204)

    async def take(request: Request) -> Response:
        try:
            async with bodies.read(request, _unauthorized(authorize(request))) as body:
                large = len(body) > _LARGE
                await committer.commit(await asyncio.to_thread(_parse, body) if large else _parse(body))
        except RefusedError as refused:
            return _refusal(refused.status, refused, close=refused.close)
        except StoreError as error:
            return _refusal(503, error)
        return taken if request.scope["path"] == BATCH_PATH else created

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    description = JSONResponse(document(PATH))

    async def openapi(_: Request) -> Response:
        return description

    routes = [
        Route(PATH, take, methods=["POST"]),
        Route(BATCH_PATH, take, methods=["POST"]),
        Route("/health", health),
        Route("/openapi.json", openapi),
    ]
    router = Starlette(routes=routes, lifespan=lifespan)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """Bypass the router for event POSTs (hot path)."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in {PATH, BATCH_PATH}:
            answer = await take(Request(scope, receive))
            await answer(scope, receive, send)
        else:
            await router(scope, receive, send)

    return app


def _unauthorized(status: int | None) -> RefusedError | None:
    if status is None:
        return None
    return RefusedError(status, "a valid token is needed" if status == 401 else "not allowed")  # noqa: PLR2004


def _refusal(status: int, error: Exception, *, close: bool = False) -> Response:
    headers = _MORE_HEADERS.get(status, {}) | ({"Connection": "close"} if close else {})
    return JSONResponse({"error": str(error)}, status, headers)


class _Committer:
    """Commits in one transaction what arrives while the previous commit is under way."""

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
            except Exception as error:  # noqa: BLE001 - passed to those who wait
                for _, committed in batch:
                    if not committed.done():
                        committed.set_exception(error)
            else:
                for _, committed in batch:
                    if not committed.done():
                        committed.set_result(None)


def _parse(body: bytes | bytearray) -> list[dict[str, Any]]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(400, f"not JSON that can be read: {error}") from error
    events = found if isinstance(found, list) else [found]
    wrong = (f"event {n}: {what}" for n, event in enumerate(events) if (what := violation(event)))
    if first := list(islice(wrong, _MOST_VIOLATIONS)):
        raise RefusedError(422, "; ".join(first))
    return events
