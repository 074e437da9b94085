"""Reads ahead in a thread, so that a source is read while the target is written."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

AT_MOST = 2
POLL = 0.2


def ahead(items: Iterator[T]) -> Iterator[T]:  # noqa: C901 - two threads, side by side
    """Yield the items of an iterator that a thread advances, at most two items ahead.

    An error of the iterator is raised here. The thread ends with the iterator, or when this one is closed.
    """
    waiting: queue.Queue[tuple[str, Any]] = queue.Queue(AT_MOST)
    stopped = threading.Event()

    def put(kind: str, item: Any) -> bool:
        while not stopped.is_set():
            try:
                waiting.put((kind, item), timeout=POLL)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for item in items:
                if not put("item", item):
                    return
            put("end", None)
        except BaseException as error:  # noqa: BLE001 - raised in the other thread
            put("error", error)

    reader = threading.Thread(target=read, name="ingest-ahead", daemon=True)
    reader.start()
    try:
        while True:
            kind, item = waiting.get()
            if kind == "error":
                raise item
            if kind == "end":
                return
            yield item
    finally:
        stopped.set()
        reader.join()
