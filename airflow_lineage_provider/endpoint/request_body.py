"""The body of a request: received, unpacked and bounded, alone and together with all others under way."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

_GZIP = 31
_HEARD_OUT = 8  # of the largest bodies; a client that sends still more may not read the answer


class RefusedError(Exception):
    """A request that is answered with this status, and a reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class RequestBodies:
    """Reads bodies of at most `largest` bytes each, packed or not, and at most `together` bytes at once.

    What is held is counted from the first byte until the caller is done with it, so that neither many
    clients nor slow ones fill the memory. A body that does not arrive within `patience` seconds is given up.
    """

    def __init__(self, largest: int, together: int, patience: float) -> None:
        self._largest = largest
        self._patience = patience
        self._free = together

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes | bytearray]:
        """Yield the JSON text. Raises RefusedError."""
        packed = _is_gzip(request)
        body = bytearray()
        held: bytes | bytearray = body
        try:
            try:
                async with asyncio.timeout(self._patience):
                    await self._receive(request, body)
            except TimeoutError:
                raise RefusedError(408, f"the body did not arrive within {self._patience:g} s") from None
            except ClientDisconnect:
                raise RefusedError(400, "the body ends too early") from None
            if packed:
                text = self._unpack(body)
                if refused := self._refusal(len(text), len(text) - len(body)):
                    raise refused
                self._free -= len(text) - len(body)
                held = text
            yield held
        finally:
            self._free += len(held)

    async def _receive(self, request: Request, body: bytearray) -> None:
        """Receive into `body`. What is refused is heard out, so that the client is there to read why."""
        refused = self._refusal(int(request.headers.get("Content-Length", 0)), 0)
        received = 0
        async for part in request.stream():
            received += len(part)
            refused = refused or self._refusal(received, len(part))
            if refused is None:
                self._free -= len(part)
                body += part
            elif received > _HEARD_OUT * self._largest:
                break
            else:
                self._free += len(body)
                body.clear()
        if refused:
            raise refused

    def _refusal(self, size: int, more: int) -> RefusedError | None:
        """Return why a body of this size is refused, of which this much is not held yet."""
        if size > self._largest:
            return RefusedError(413, f"a request has at most {self._largest} bytes, unpacked too")
        if more > self._free:
            return RefusedError(503, "too much is being received at once: try again")
        return None

    def _unpack(self, body: bytearray) -> bytes:
        stream = zlib.decompressobj(_GZIP)
        try:
            text = stream.decompress(body, self._largest + 1)
        except zlib.error as error:
            raise RefusedError(400, f"not gzip: {error}") from error
        if len(text) <= self._largest and (not stream.eof or stream.unused_data):
            raise RefusedError(400, "not gzip: it ends too early, or too late")
        return text


def _is_gzip(request: Request) -> bool:
    if request.headers.get("Content-Type", "").split(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "Content-Type is application/json")
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise RefusedError(415, "Content-Encoding is gzip or none")
    return encoding == "gzip"
