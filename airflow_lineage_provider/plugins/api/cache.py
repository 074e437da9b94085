"""Answers as compressed bytes with an ETag, made once for each state of a run."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi.responses import Response

from airflow_lineage_provider.reports.views.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from fastapi import Request
    from pydantic import BaseModel

MAX_CACHED_BYTES = 64_000_000
HEADERS = {
    "Cache-Control": "private, no-cache",
    "Vary": "Accept-Encoding, Authorization, Cookie",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON document, compressed, and its ETag."""

    etag: str
    compressed: bytes


class AnswerCache:
    """The answers that were asked for last, in at most MAX_CACHED_BYTES."""

    def __init__(self) -> None:
        self._known = Recent(MAX_CACHED_BYTES, lambda answer: len(answer.compressed))

    def get(self, key: Hashable, make: Callable[[], BaseModel]) -> Answer:
        """Return the answer under a key; `make` is called once where it is not known."""
        answer: Answer = self._known.get(key, lambda: answer_of(make()))
        return answer


def answer_of(content: BaseModel) -> Answer:
    """Return a model as an answer."""
    body = content.model_dump_json().encode()
    return Answer(f'W/"{hashlib.sha256(body).hexdigest()[:24]}"', gzip.compress(body, 5, mtime=0))


def respond(request: Request, answer: Answer) -> Response:
    """Return an answer, or 304 where the client has it."""
    headers = {**HEADERS, "ETag": answer.etag}
    if _has(request.headers.get("if-none-match", ""), answer.etag):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(answer.compressed, headers=headers, media_type="application/json")
    return Response(gzip.decompress(answer.compressed), headers=headers, media_type="application/json")


def _has(known: str, etag: str) -> bool:
    """Whether `If-None-Match` names an ETag; weak and strong ones are compared alike, as RFC 9110 says."""
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


class Pace:
    """Bounds the work for a run that goes on: it is read again after 4 times as long as reading it took."""

    def __init__(self) -> None:
        self._read: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def position(self, run: Hashable, newest: int) -> int:
        """Return the position of the newest event to show: for a while the one that was shown last."""
        with self._lock:
            shown, until = self._read.get(run, (newest, 0.0))
        return shown if time.monotonic() < until else newest

    def took(self, run: Hashable, newest: int, seconds: float) -> None:
        """Say how long it took to read a run up to a position."""
        with self._lock:
            self._read[run] = newest, time.monotonic() + 4 * seconds
            while len(self._read) > 1_000:  # noqa: PLR2004
                self._read.popitem(last=False)
