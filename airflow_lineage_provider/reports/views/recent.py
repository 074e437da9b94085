"""A cache for threads: a value that several callers ask for at once is made by one of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


def _one(_: Any) -> int:
    return 1


class Recent:
    """The values that were used last; one caller makes a value, and the others wait for it.

    `weigh` returns the size of a value, 1 by default; all of them together have at most `size`.
    """

    def __init__(self, size: int, weigh: Callable[[Any], int] = _one) -> None:
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._left = size
        self._weigh = weigh
        self._lock = threading.Lock()

    def put(self, key: Hashable, value: Any) -> None:
        """Keep a value."""
        with self._lock:
            if key in self._known:
                self._left += self._weigh(self._known.pop(key))
            self._known[key] = value
            self._left -= self._weigh(value)
            while self._left < 0 and len(self._known) > 1:
                _, dropped = self._known.popitem(last=False)
                self._left += self._weigh(dropped)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the value under a key; `make` is called where it is not known."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
            making = self._locks.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._known:
                    return self._known[key]
            try:
                made = make()
                self.put(key, made)
            finally:
                with self._lock:
                    self._locks.pop(key, None)
        return made
