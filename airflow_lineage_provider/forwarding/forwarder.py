"""Sends stored events to a target: at least once, in the order of each run, for as long as it takes."""

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
    """How often to try, and how long to wait. Times in seconds."""

    tries: int = 5
    first_wait: float = 0.5
    longest_wait: float = 60.0
    poll: float = 1.0
    batch: int = 500


@dataclass(frozen=True, slots=True)
class Round:
    """The result of one round: events sent, new dead letters, and the seconds to wait before the next.

    `trouble` is what blocks events: "target" (the target accepts nothing), "event" (one is rejected, and its
    run waits behind it), "lease" (another forwarder holds it), "store". `error` says more; both are empty
    without trouble.
    """

    sent: int = 0
    dead_letters: int = 0
    wait: float = 0.0
    trouble: Literal["", "target", "event", "lease", "store"] = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A run whose next event the target did not accept, or the target itself."""

    failures: int = 0
    tries: int = 0
    accepted: int = 0
    until: float = 0.0
    error: str = ""


@dataclass(slots=True)
class _Results:
    """The results of one round, event by event.

    `works`: the target has accepted an event since the last dead letter, so that a rejection is about the
    event. Otherwise a target that accepts nothing in this round is down, whatever it answers.
    """

    works: bool
    sent: list[StoredEvent] = field(default_factory=list)
    failed: dict[str, tuple[StoredEvent, Failure]] = field(default_factory=dict)
    damaged: dict[int, str] = field(default_factory=dict)
    down: Failure | None = None

    def add(self, event: StoredEvent, failure: Failure | None) -> None:
        """Add the result of one event."""
        if failure is None:
            self.sent.append(event)
            return
        self.failed[ordering_key(event)] = (event, failure)
        if failure.fault == "target":
            self.down = self.down or _about(event, failure)

    def outage(self) -> Failure | None:
        """Return the failure that shows that the target is down; None where it is not."""
        failed = list(self.failed.values())
        rejects = self.works and any(failure.fault == "event" for _, failure in failed)
        if self.down or self.sent or rejects:
            return self.down
        return _about(*failed[0]) if failed else None


class Forwarder:
    """Forwards the events of one store to one target. For one thread.

    The events of a run are sent one after the other: where one fails, those behind it wait. Events of
    different runs are sent together. An event that the target rejects `tries` times becomes a dead letter
    with the target's message, and its run goes on. An event that is damaged in the store becomes one at once.

    No outage makes dead letters, however long it is:

    - A target that has accepted nothing since the last dead letter makes no other. So a target that rejects
      everything is down, and rejections of single events need accepted events between them.
    - A response that may be the target's fault (500) counts as a try only if the target has accepted another
      event since the last try. No response (a timeout) never counts.

    The price: an event that breaks the target looks like an outage while there is nothing else to send. It is
    retried, at most `longest_wait` apart, and named in the error; newer events go before it.

    While the target is down, one event at a time is sent, each time another one, at growing intervals.

    The store keeps one position, the first event that is neither accepted nor a dead letter. A forwarder that
    starts again resends what the one before it had sent from there on.
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
        """Start again from the store: another process may have forwarded in the meantime."""
        self._read_to = 0
        self._recorded = -1
        self._held: dict[int, StoredEvent] = {}
        self._replays: dict[int, StoredEvent] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._outage = _Trouble()
        self._accepted = 0
        self._accepted_at_dead_letter = 0
        self._recorded_error = ""

    def run(self, stop: threading.Event, report: Callable[[Round], None] = lambda _: None) -> None:
        """Forward until `stop` is set. A failing store is retried as a failing target is."""
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
        """Send what can be sent now, and commit the new position. Raises StoreError.

        A position that cannot be committed is committed by the next round: a full disk resends nothing.
        """
        if not self._hold_lease():
            return Round(wait=self._policy.poll, trouble="lease", error="another forwarder holds the lease")
        position = self._consumer.position()
        if position != self._recorded:  # the first round, or an event was skipped by hand
            self._forget()
            self._read_to = self._recorded = position
        now = self._clock()
        if self._outage.until > now:
            return Round(wait=self._outage.until - now, trouble="target", error=self._outage.error)
        self._fill()
        results = self._send(self._ready(now))
        dead = self._judge(results, now)
        self._commit(results, dead)
        wait = 0.0 if results.sent or dead else self._next_wait(now)
        trouble, error = self._trouble()
        return Round(len(results.sent), len(dead), wait, trouble, error)

    def interrupt(self) -> None:
        """End a `send` that is under way in another thread."""
        self._target.interrupt()

    def close(self) -> None:
        """Release the lease and the target's connections."""
        self._consumer.lease.release()
        self._target.close()

    def _hold_lease(self) -> bool:
        held = False
        try:
            held = self._consumer.lease.acquire()
        finally:
            if not held:
                self._forget()
        return held

    def _fill(self) -> None:
        batch = self._policy.batch
        ready = sum(ordering_key(event) not in self._troubles for event in self._held.values())
        if ready < (1 if self._outage.failures else batch) and len(self._held) < _MOST_HELD:
            for event in self._consumer.after(self._read_to, batch):
                self._held[event.id] = event
                self._read_to = event.id
        if not self._replays:
            self._replays = {event.id: event for event in self._consumer.to_replay(self._read_to, batch)}

    def _ready(self, now: float) -> list[list[StoredEvent]]:
        """Return the events to send, a list for each ordering key.

        Those without trouble if there are any; a single event while the target is down.
        """
        # There may be more replays than were read, and an event goes after all replays of its run.
        behind_replays = len(self._replays) >= self._policy.batch
        pending = self._replays if behind_replays else self._held | self._replays
        runs: dict[str, list[StoredEvent]] = {}
        for at in sorted(pending):
            runs.setdefault(ordering_key(pending[at]), []).append(pending[at])
        until = {key: self._troubles[key].until if key in self._troubles else 0.0 for key in runs}
        if self._outage.failures:
            return [runs[key][:1] for key in sorted(runs, key=until.__getitem__)[:1]]
        free = [runs[key] for key in runs if key not in self._troubles]
        return free or [runs[key] for key in runs if until[key] <= now]

    def _send(self, runs: list[list[StoredEvent]]) -> _Results:
        """Send the first event of each run, then the second of those that go on, and so forth."""
        results = _Results(works=self._accepted > self._accepted_at_dead_letter)
        for step in zip_longest(*runs):
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
        """Record which runs are in trouble and whether the target is; return the new dead letters."""
        self._accepted += len(results.sent)
        for event in results.sent:
            self._troubles.pop(ordering_key(event), None)
        dead = dict(results.damaged)
        down = results.outage()
        for key, (event, failure) in results.failed.items():
            before = self._troubles.get(key, _Trouble())
            works = self._accepted > self._accepted_at_dead_letter
            others_accepted = self._accepted > before.accepted
            counts = works and (failure.fault == "event" or (failure.fault == "unknown" and others_accepted))
            trouble = self._after(before, _about(event, failure), now)
            self._troubles[key] = replace(trouble, tries=before.tries + counts, accepted=self._accepted)
            if counts and before.tries + 1 >= self._policy.tries:
                dead[event.id] = failure.message
                self._accepted_at_dead_letter = self._accepted
                del self._troubles[key]
        self._outage = self._after(self._outage, down, now) if down else _Trouble()
        return dead

    def _after(self, trouble: _Trouble, failure: Failure, now: float) -> _Trouble:
        failures = trouble.failures + 1
        wait = failure.wait if failure.wait is not None else self._backoff(failures)
        return replace(trouble, failures=failures, until=now + wait, error=failure.message)

    def _commit(self, results: _Results, dead: dict[int, str]) -> None:
        for event in results.sent:
            self._held.pop(event.id, None)
        replayed = [event.id for event in results.sent if event.id in self._replays]
        position = min((at for at in self._held if at not in dead), default=self._read_to + 1) - 1
        error = self._trouble()[1]
        if dead or replayed or position != self._recorded or error != self._recorded_error:
            self._consumer.record(position, error, dead_letters=dead, replayed=replayed)
            self._recorded, self._recorded_error = position, error
        for done in (*replayed, *dead):
            self._held.pop(done, None)
            self._replays.pop(done, None)

    def _trouble(self) -> tuple[Literal["", "target", "event"], str]:
        if self._outage.failures:
            return "target", self._outage.error
        rejected = next(iter(self._troubles.values()), None)
        return ("event", rejected.error) if rejected else ("", "")

    def _next_wait(self, now: float) -> float:
        if self._outage.failures:
            return max(self._outage.until - now, 0.01)
        soonest = min((trouble.until - now for trouble in self._troubles.values()), default=self._policy.poll)
        return min(max(soonest, 0.01), self._policy.poll)

    def _backoff(self, failures: int) -> float:
        """Return an exponential wait with jitter, from half of it to all of it."""
        longest = min(self._policy.first_wait * 2.0 ** min(failures - 1, 30), self._policy.longest_wait)
        return longest * (1 + random.random()) / 2  # noqa: S311


def ordering_key(event: StoredEvent) -> str:
    """Return what an event is ordered by: its run; an event without one is ordered by itself only."""
    return event.run_id or f"event {event.id}"


def _about(event: StoredEvent, failure: Failure) -> Failure:
    """Return the failure with the event that it is about."""
    sent = event.event
    job = f"{text_at(sent, 'job', 'namespace')}/{text_at(sent, 'job', 'name')}"
    return replace(failure, message=f"{failure.message}, to {text_at(sent, 'eventType')} of {job}")
