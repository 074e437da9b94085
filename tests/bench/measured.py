"""A figure beside its bar, and what the parts of a benchmark share."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A figure and its bar; `of_bar` is at most 1 where the bar is met."""

    what: str
    figure: float
    bar: float
    unit: str
    more_is_better: bool = True

    @property
    def of_bar(self) -> float:
        return self.bar / self.figure if self.more_is_better else self.figure / self.bar

    def __str__(self) -> str:
        bar = f"at {'least' if self.more_is_better else 'most'} {self.bar:,g} {self.unit}"
        return f"{'ok  ' if self.of_bar <= 1 else 'MISS'} {self.what}: {self.figure:,.4g} {self.unit} ({bar})"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"nothing listens on port {port}")


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
