"""What the forwarder needs of a target, and how a target reports what it did not accept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from airflow_lineage_provider.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Mapping


SLOWEST_SEND = 60.0  # seconds that a target without a timeout of its own may take for one `send`


class TargetConfigError(LineageError):
    """A target whose configuration cannot be used."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a target did not accept an event.

    `fault`: "event" where the target rejects this event, "target" where the target cannot be reached, is
    busy or denies access, "unknown" where its response can mean either (500). `wait`: for how many seconds
    the target asks not to be called.
    """

    message: str
    fault: Literal["event", "target", "unknown"]
    wait: float | None = None


class Target(Protocol):
    """A place that events are sent to; used by one thread."""

    max_batch: int
    """The largest number of events for one call of `send`."""

    def send(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        """Send events (JSON by id), each of another run; return the failures by id. Raises nothing."""

    def interrupt(self) -> None:
        """End a `send` that is under way in another thread, which then returns failures."""

    def close(self) -> None:
        """Release connections."""
