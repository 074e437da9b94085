"""A deadline for calls that have none of their own: a thread interrupts what takes too long."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_TICK = 0.25  # seconds between two looks at the deadline


class Watchdog:
    """Calls `interrupt` once the deadline has passed; what it interrupts must then return or raise.

    Setting the deadline is an assignment, so that it can be done for each event. The thread is started with
    the first one, again after a fork, and ends when there has been no deadline for a while.
    """

    def __init__(self, interrupt: Callable[[], None]) -> None:
        self._interrupt = interrupt
        self._deadline = math.inf
        self._idle_ticks = 0
        self._thread: threading.Thread | None = None
        self.expired = False

    def start(self, seconds: float) -> None:
        """Set the deadline, so many seconds from now."""
        self.expired = False
        self._idle_ticks = 0
        self._deadline = time.monotonic() + seconds
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._watch, name="lineage-watchdog", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Remove the deadline."""
        self._deadline = math.inf

    def _watch(self) -> None:
        while self._idle_ticks < 4 / _TICK:
            time.sleep(_TICK)
            self._idle_ticks += self._deadline == math.inf
            if time.monotonic() > self._deadline:
                self.expired = True
                self._interrupt()
