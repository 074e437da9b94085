"""Takes stored events on to a target: in the order of each run, at least once, for as long as it takes."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.delivery.consumer import Consumer
from airflow_lineage_provider.delivery.location import StoreError
from airflow_lineage_provider.delivery.targets import DeliveryError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from airflow_lineage_provider.delivery.records import StoredEvent
    from airflow_lineage_provider.delivery.store import EventStore
    from airflow_lineage_provider.delivery.targets import Target

_MOST_HELD = 20_000


@dataclass(frozen=True, slots=True)
class Policy:
    """How hard to try. Times in seconds."""

    tries: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0
    poll: float = 1.0
    threads: int = 4
    batch: int = 500


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: events sent and set aside, how long to wait before the next, and why."""

    sent: int = 0
    set_aside: int = 0
    wait: float = 0.0
    error: str = ""


@dataclass(slots=True)
class _Trouble:
    """A run whose next event the target did not take, or the target itself."""

    failures: int = 0
    tries: int = 0
    accepted: int = 0
    until: float = 0.0
    error: str = ""


@dataclass(slots=True)
class _Results:
    """What became of the events of one round; filled by several threads, an entry by one of them only."""

    sent: list[int] = field(default_factory=list)
    failed: dict[str, tuple[StoredEvent, DeliveryError]] = field(default_factory=dict)
    down: DeliveryError | None = None

    def nothing_but_unknown(self) -> DeliveryError | None:
        """Return a failure if there are some, and none that is surely an event's own."""
        errors = [error for _, error in self.failed.values()]
        return errors[0] if errors and all(error.fault == "unknown" for error in errors) else None


class Forwarder:
    """Forwards the events of one store to one target. Not for use by two threads.

    Each run is a lane: its events go one after the other, and where one fails, those behind it
    wait. An event that the target refuses `tries` times is set aside with what the target said, and
    its lane goes on. A failure that could be the target's counts as a try only if the target has
    taken another event since, so an outage never sets an event aside. While the target cannot be
    reached the circuit is open: nothing is sent but one event at a time, further and further apart.
    """

    def __init__(
        self,
        store: EventStore,
        name: str,
        target: Target,
        policy: Policy = Policy(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = Consumer(store, name)
        self._target = target
        self._policy = policy
        self._clock = clock
        self._threads = ThreadPoolExecutor(policy.threads, f"forward-{name}")
        self._forget()

    def _forget(self) -> None:
        """Begin anew from what the store says: another process may have gone on since."""
        self._read_to = 0
        self._recorded = -1
        self._held: dict[int, StoredEvent] = {}
        self._replays: dict[int, StoredEvent] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._outage = _Trouble()
        self._accepted = 0
        self._recorded_error = ""

    def run(self, stop: threading.Event, report: Callable[[Round], None] = lambda _: None) -> None:
        """Forward until told to stop. A store that fails is tried again, as a target is."""
        failures = 0
        while not stop.is_set():
            try:
                done = self.round()
                failures = 0
            except StoreError as error:
                failures += 1
                self._forget()
                done = Round(wait=self._backoff(failures), error=str(error))
            report(done)
            stop.wait(done.wait)

    def drain(self) -> Round:
        """Forward until nothing is left that can be sent now; return the sum."""
        sent = aside = 0
        while True:
            done = self.round()
            sent, aside = sent + done.sent, aside + done.set_aside
            if done.wait > 0:
                return Round(sent, aside, done.wait, done.error)

    def round(self) -> Round:
        """Send what can be sent now, and commit how far that went. Raises StoreError."""
        if not self._consumer.turn.take():
            self._forget()
            return Round(wait=self._policy.poll, error="another forwarder has the turn")
        position = self._consumer.position()
        if position != self._recorded:  # the first round, or someone asked for a rewind
            self._forget()
            self._read_to = self._recorded = position
        now = self._clock()
        if self._outage.until > now:
            return Round(wait=self._outage.until - now, error=self._outage.error)
        self._fill()
        lanes = self._ready_lanes(now)
        results = self._send(lanes)
        aside = self._judge(results, now)
        self._commit(results, aside)
        wait = 0.0 if results.sent or aside else self._next_wait(now)
        return Round(len(results.sent), len(aside), wait, self._error())

    def close(self) -> None:
        """Let another forwarder have the turn, and free the threads."""
        self._threads.shutdown(cancel_futures=True)
        self._consumer.turn.end()
        self._target.close()

    def _fill(self) -> None:
        batch = self._policy.batch
        waiting = sum(lane_of(event) in self._troubles for event in self._held.values())
        if len(self._held) - waiting < batch and len(self._held) < _MOST_HELD:
            for event in self._consumer.after(self._read_to, batch):
                self._held[event.id] = event
                self._read_to = event.id
        if not self._replays:
            self._replays = {event.id: event for event in self._consumer.to_replay(batch)}

    def _ready_lanes(self, now: float) -> list[list[StoredEvent]]:
        lanes: dict[str, list[StoredEvent]] = {}
        for event in (*self._replays.values(), *self._held.values()):
            lane = lane_of(event)
            trouble = self._troubles.get(lane)
            if trouble is None or trouble.until <= now:
                lanes.setdefault(lane, []).append(event)
        if lanes and self._outage.failures:
            probe = min(lanes, key=lambda lane: lane in self._troubles)
            return [lanes[probe][:1]]
        return list(lanes.values())

    def _send(self, lanes: Iterable[list[StoredEvent]]) -> _Results:
        results = _Results()
        list(self._threads.map(lambda lane: self._send_lane(lane, results), lanes))
        return results

    def _send_lane(self, lane: list[StoredEvent], results: _Results) -> None:
        for event in lane:
            if results.down is not None:
                return
            try:
                self._target.send(event)
            except DeliveryError as error:
                if error.fault == "target":
                    results.down = error
                else:
                    results.failed[lane_of(event)] = (event, error)
                return
            except StoreError as error:  # the event itself is damaged
                results.failed[lane_of(event)] = (event, DeliveryError(str(error), "event"))
                return
            results.sent.append(event.id)

    def _judge(self, results: _Results, now: float) -> dict[int, str]:
        """Note which lanes and whether the target are in trouble; return the events to set aside."""
        self._accepted += len(results.sent)
        down = results.down or (None if results.sent else results.nothing_but_unknown())
        self._outage = self._after_failure(self._outage, down, now) if down else _Trouble()
        aside = {}
        for event_id in results.sent:
            self._troubles.pop(lane_of(self._event(event_id)), None)
        for lane, (event, error) in results.failed.items():
            trouble = self._after_failure(self._troubles.get(lane, _Trouble()), error, now)
            if error.fault == "event" or self._accepted > trouble.accepted:
                trouble.tries += 1
            trouble.accepted = self._accepted
            self._troubles[lane] = trouble
            if trouble.tries >= self._policy.tries:
                aside[event.id] = str(error)
                del self._troubles[lane]
        return aside

    def _after_failure(self, trouble: _Trouble, error: DeliveryError, now: float) -> _Trouble:
        failures = trouble.failures + 1
        wait = error.wait if error.wait is not None else self._backoff(failures)
        return _Trouble(failures, trouble.tries, trouble.accepted, now + wait, str(error))

    def _commit(self, results: _Results, aside: dict[int, str]) -> None:
        replayed = [event_id for event_id in results.sent if event_id in self._replays]
        for event_id in (*results.sent, *aside):
            self._held.pop(event_id, None)
            self._replays.pop(event_id, None)
        position = min(self._held, default=self._read_to + 1) - 1
        error = self._error()
        if aside or replayed or position != self._recorded or error != self._recorded_error:
            self._consumer.record(position, error, set_aside_now=aside, replayed=replayed)
            self._recorded, self._recorded_error = position, error

    def _event(self, event_id: int) -> StoredEvent:
        return self._held.get(event_id) or self._replays[event_id]

    def _error(self) -> str:
        return self._outage.error or next((trouble.error for trouble in self._troubles.values()), "")

    def _next_wait(self, now: float) -> float:
        if self._outage.failures:
            return max(self._outage.until - now, 0.01)
        soonest = min((trouble.until - now for trouble in self._troubles.values()), default=self._policy.poll)
        return min(max(soonest, 0.01), self._policy.poll)

    def _backoff(self, failures: int) -> float:
        """Return an exponential wait with jitter, from a half to all of it."""
        longest = min(self._policy.first_wait * 2.0 ** min(failures - 1, 30), self._policy.longest_wait)
        return longest * (1 + random.random()) / 2  # noqa: S311


def lane_of(event: StoredEvent) -> str:
    """Return what orders an event: its run; an event without one is ordered by nothing but itself."""
    return event.run_id or f"event {event.id}"
