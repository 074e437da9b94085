"""Takes stored events on to a target: in the order of each run, at least once, for as long as it takes."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from airflow_lineage_provider.events.event import text_at
from airflow_lineage_provider.forwarding.consumer import Consumer
from airflow_lineage_provider.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_lineage_provider.forwarding.target import Failure, Target
    from airflow_lineage_provider.store.records import StoredEvent
    from airflow_lineage_provider.store.store import EventStore

_MOST_HELD = 20_000


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How hard to try. Times in seconds."""

    tries: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0
    poll: float = 1.0
    batch: int = 500


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: events sent and set aside, and how long to wait before the next.

    `trouble` is what keeps events from going: "target" (nothing is sent until it takes something),
    "event" (one that is refused, and its run behind it), "lease" (another forwarder is at work), "store".
    `error` says more; both are empty where there is no trouble.
    """

    sent: int = 0
    dead_letters: int = 0
    wait: float = 0.0
    trouble: Literal["", "target", "event", "lease", "store"] = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A run whose next event the target did not take, or the target itself."""

    failures: int = 0
    tries: int = 0
    accepted: int = 0
    until: float = 0.0
    error: str = ""


@dataclass(slots=True)
class _Results:
    """What became of the events of one round."""

    sent: list[StoredEvent] = field(default_factory=list)
    failed: dict[str, tuple[StoredEvent, Failure]] = field(default_factory=dict)
    damaged: dict[int, str] = field(default_factory=dict)
    down: Failure | None = None

    def add(self, event: StoredEvent, failure: Failure | None) -> None:
        """Note an event's end."""
        if failure is None:
            self.sent.append(event)
            return
        self.failed[ordering_key(event)] = (event, failure)
        if failure.fault == "target":
            self.down = self.down or failure

    def outage(self) -> Failure | None:
        """Return what says that the target is down; where it took nothing, an unclear answer says so too."""
        failed = list(self.failed.values())
        if self.down or self.sent or any(failure.fault == "event" for _, failure in failed):
            return self.down
        return _about(*failed[0]) if failed else None


class Forwarder:
    """Forwards the events of one store to one target. For one thread.

    Each run is a lane: its events go one after the other, and where one fails, those behind it
    wait; events of different runs go together. An event that the target refuses `tries` times is set
    aside with what the target said, and its lane goes on; one that is damaged in the store at once.

    An answer that could be the target's fault (500) counts as a try only if the target has taken another
    event since the last one, and none at all (a timeout) never does: no outage sets an event aside, however
    long it is. That has a price: an event that breaks the target looks like an outage while there is nothing
    else to send. It is tried again, at most `longest_wait` apart, and named; events that come go before it.

    While the target is down the circuit is open: nothing is sent but one event at a time, another one each
    time, further and further apart.

    The store remembers one position, the first event that is neither taken nor set aside: a forwarder that
    begins anew sends again what the one before had sent from there on.
    """

    def __init__(
        self,
        store: EventStore,
        name: str,
        target: Target,
        policy: RetryPolicy = RetryPolicy(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = Consumer(store, name)
        self._target = target
        self._policy = policy
        self._clock = clock
        self._stop = threading.Event()
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
        self._stop = stop
        failures = 0
        while not stop.is_set():
            try:
                done = self.round()
                failures = 0
            except StoreError as error:
                failures += 1
                done = Round(wait=self._backoff(failures), trouble="store", error=str(error))
            report(done)
            stop.wait(done.wait)

    def drain(self, report: Callable[[Round], None] = lambda _: None) -> Round:
        """Forward until nothing is left that can be sent now; return the sum. Raises StoreError."""
        total = Round()
        while True:
            done = self.round()
            total = replace(
                done, sent=total.sent + done.sent, dead_letters=total.dead_letters + done.dead_letters
            )
            if done.wait > 0:
                return total
            report(total)

    def round(self) -> Round:
        """Send what can be sent now, and commit how far that went. Raises StoreError.

        Where that cannot be committed, the next round commits it: nothing is sent twice for a full disk.
        """
        if not self._hold_lease():
            return Round(wait=self._policy.poll, trouble="lease", error="another forwarder holds the lease")
        position = self._consumer.position()
        if position != self._recorded:  # the first round, or someone skipped an event
            self._forget()
            self._read_to = self._recorded = position
        now = self._clock()
        if self._outage.until > now:
            return Round(wait=self._outage.until - now, trouble="target", error=self._outage.error)
        self._fill()
        results = self._send(self._ready_lanes(now))
        aside = self._judge(results, now)
        self._commit(results, aside)
        wait = 0.0 if results.sent or aside else self._next_wait(now)
        trouble, error = self._trouble()
        return Round(len(results.sent), len(aside), wait, trouble, error)

    def close(self) -> None:
        """Let another forwarder have the turn."""
        self._consumer.lease.release()
        self._target.close()

    def _hold_lease(self) -> bool:
        mine = False
        try:
            mine = self._consumer.lease.acquire()
        finally:
            if not mine:
                self._forget()
        return mine

    def _fill(self) -> None:
        batch = self._policy.batch
        ready = sum(ordering_key(event) not in self._troubles for event in self._held.values())
        if ready < (1 if self._outage.failures else batch) and len(self._held) < _MOST_HELD:
            for event in self._consumer.after(self._read_to, batch):
                self._held[event.id] = event
                self._read_to = event.id
        if not self._replays:
            self._replays = {event.id: event for event in self._consumer.to_replay(batch)}

    def _ready_lanes(self, now: float) -> list[list[StoredEvent]]:
        """Return what to send: lanes without trouble if there are any; one event while the target is down."""
        lanes: dict[str, list[StoredEvent]] = {}
        for event in (*self._replays.values(), *self._held.values()):
            lanes.setdefault(ordering_key(event), []).append(event)
        until = {lane: self._troubles[lane].until if lane in self._troubles else 0.0 for lane in lanes}
        if self._outage.failures:
            return [lanes[lane][:1] for lane in sorted(lanes, key=until.__getitem__)[:1]]
        free = [lanes[lane] for lane in lanes if lane not in self._troubles]
        return free or [lanes[lane] for lane in lanes if until[lane] <= now]

    def _send(self, lanes: list[list[StoredEvent]]) -> _Results:
        """Send the first event of each lane, then the second of those that go on, and so forth."""
        results = _Results()
        for step in zip_longest(*lanes):
            ready = [event for event in step if event and ordering_key(event) not in results.failed]
            for start in range(0, len(ready), self._target.max_batch):
                if results.outage() or self._stop.is_set():
                    return results
                self._send_together(ready[start : start + self._target.max_batch], results)
        return results

    def _send_together(self, events: Sequence[StoredEvent], results: _Results) -> None:
        bodies: dict[int, bytes] = {}
        for event in events:
            try:
                bodies[event.id] = event.body
            except StoreError as error:
                results.damaged[event.id] = str(error)
        failures = self._target.send(bodies) if bodies else {}
        for event in events:
            if event.id in bodies:
                results.add(event, failures.get(event.id))

    def _judge(self, results: _Results, now: float) -> dict[int, str]:
        """Note which lanes and whether the target are in trouble; return the events to set aside."""
        self._accepted += len(results.sent)
        for event in results.sent:
            self._troubles.pop(ordering_key(event), None)
        aside = dict(results.damaged)
        for lane, (event, failure) in results.failed.items():
            before = self._troubles.get(lane, _Trouble())
            others_taken = self._accepted > before.accepted
            counts = failure.fault == "event" or (failure.fault == "unknown" and others_taken)
            trouble = self._after(before, _about(event, failure), now)
            self._troubles[lane] = replace(trouble, tries=before.tries + counts, accepted=self._accepted)
            if before.tries + counts >= self._policy.tries:
                aside[event.id] = failure.message
                del self._troubles[lane]
        down = results.outage()
        self._outage = self._after(self._outage, down, now) if down else _Trouble()
        return aside

    def _after(self, trouble: _Trouble, failure: Failure, now: float) -> _Trouble:
        failures = trouble.failures + 1
        wait = failure.wait if failure.wait is not None else self._backoff(failures)
        return replace(trouble, failures=failures, until=now + wait, error=failure.message)

    def _commit(self, results: _Results, aside: dict[int, str]) -> None:
        for event in results.sent:
            self._held.pop(event.id, None)
        replayed = [event.id for event in results.sent if event.id in self._replays]
        position = min((at for at in self._held if at not in aside), default=self._read_to + 1) - 1
        error = self._trouble()[1]
        if aside or replayed or position != self._recorded or error != self._recorded_error:
            self._consumer.record(position, error, dead_letters=aside, replayed=replayed)
            self._recorded, self._recorded_error = position, error
        for done in (*replayed, *aside):
            self._held.pop(done, None)
            self._replays.pop(done, None)

    def _trouble(self) -> tuple[Literal["", "target", "event"], str]:
        if self._outage.failures:
            return "target", self._outage.error
        refused = next(iter(self._troubles.values()), None)
        return ("event", refused.error) if refused else ("", "")

    def _next_wait(self, now: float) -> float:
        if self._outage.failures:
            return max(self._outage.until - now, 0.01)
        soonest = min((trouble.until - now for trouble in self._troubles.values()), default=self._policy.poll)
        return min(max(soonest, 0.01), self._policy.poll)

    def _backoff(self, failures: int) -> float:
        """Return an exponential wait with jitter, from a half to all of it."""
        longest = min(self._policy.first_wait * 2.0 ** min(failures - 1, 30), self._policy.longest_wait)
        return longest * (1 + random.random()) / 2  # noqa: S311


def ordering_key(event: StoredEvent) -> str:
    """Return what orders an event: its run; an event without one is ordered by nothing but itself."""
    return event.run_id or f"event {event.id}"


def _about(event: StoredEvent, failure: Failure) -> Failure:
    """Return the failure with the event that it was the answer to."""
    told = event.event
    job = f"{text_at(told, 'job', 'namespace')}/{text_at(told, 'job', 'name')}"
    return replace(failure, message=f"{failure.message}, to {text_at(told, 'eventType')} of {job}")
