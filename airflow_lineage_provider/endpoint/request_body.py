"""The body of a request: received, decompressed and bounded, alone and together with all others under way."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

_GZIP = 31
_DRAINED = 8  # times the largest body


class RefusedError(Exception):
    """A request that is answered with this status and a reason; `close`: and whose connection is closed."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.close = False


class RequestBodies:
    """Reads bodies of at most `largest` bytes each, compressed or not, and at most `together` bytes at once.

    Bytes are counted from the first one until the caller is done with the body, so that neither many clients
    nor slow ones fill the memory. A body must arrive within `patience` seconds.

    The rest of a rejected body is drained, so that the client can read the error response, but only for so
    many bytes and seconds; after that the connection is closed.
    """

    def __init__(self, largest: int, together: int, patience: float) -> None:
        self._largest = largest
        self._patience = patience
        self._free = together

    @asynccontextmanager
    async def read(
        self, request: Request, refusal: RefusedError | None = None
    ) -> AsyncIterator[bytes | bytearray]:
        """Yield the JSON text. Raises RefusedError, `refusal` if it is given."""
        upload = _Upload(request)
        body = bytearray()
        held: bytes | bytearray = body
        try:
            try:
                if refusal:
                    raise refusal
                is_gzip = _is_gzip(request)
                await self._receive(upload, body)
                if is_gzip:
                    held = self._decompress(body)
            except RefusedError as refused:
                refused.close = not await self._drain(upload)
                raise
            yield held
        finally:
            self._free += len(held)

    async def _receive(self, upload: _Upload, body: bytearray) -> None:
        if refused := self._refusal(upload.declared_size, 0):
            raise refused
        try:
            async with asyncio.timeout(self._patience):
                while part := await upload.next_part():
                    if refused := self._refusal(len(body) + len(part), len(part)):
                        self._free += len(body)
                        body.clear()
                        raise refused
                    self._free -= len(part)
                    body += part
        except TimeoutError:
            upload.is_cut = True  # it has had its time
            raise RefusedError(408, f"the body did not arrive within {self._patience:g} s") from None
        if upload.is_cut:
            raise RefusedError(400, "the body ends too early")

    async def _drain(self, upload: _Upload) -> bool:
        """Read the rest of a body, within limits; return whether that was all of it."""
        received = 0
        try:
            async with asyncio.timeout(self._patience):
                while (part := await upload.next_part()) and received <= _DRAINED * self._largest:
                    received += len(part)
        except TimeoutError:
            return False
        return upload.is_complete

    def _refusal(self, size: int, more: int) -> RefusedError | None:
        """Return why a body of this size is refused, of which `more` bytes are not held yet."""
        if size > self._largest:
            return RefusedError(413, f"a request has at most {self._largest} bytes, decompressed too")
        if more > self._free:
            return RefusedError(503, "too much is being received at once: try again")
        return None

    def _decompress(self, body: bytearray) -> bytes:
        stream = zlib.decompressobj(_GZIP)
        try:
            text = stream.decompress(body, self._largest + 1)
        except zlib.error as error:
            raise RefusedError(400, f"not gzip: {error}") from error
        if len(text) <= self._largest and (not stream.eof or stream.unused_data):
            raise RefusedError(400, "not gzip: it ends too early, or too late")
        if refused := self._refusal(len(text), len(text) - len(body)):
            raise refused
        self._free -= len(text) - len(body)
        return text


class _Upload:
    """The parts of a body as they arrive."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.declared_size = int(request.headers.get("Content-Length", 0))
        self.is_complete = False
        self.is_cut = False

    async def next_part(self) -> bytes:
        """Return the next bytes; empty at the end, or where the client has closed the connection."""
        while not (self.is_complete or self.is_cut):
            message = await self._request.receive()
            self.is_cut = message["type"] == "http.disconnect"
            self.is_complete = not self.is_cut and not message.get("more_body", False)
            if part := message.get("body", b""):
                return bytes(part)
        return b""


def _is_gzip(request: Request) -> bool:
    if request.headers.get("Content-Type", "").split(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "Content-Type is application/json")
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"identity", "gzip"}:
        raise RefusedError(415, "Content-Encoding is gzip or none")
    return encoding == "gzip"
