"""Events to a file and to an endpoint, which may be away for a while: dbt never waits for either."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from openlineage.client.event_v2 import RunEvent

    from airflow_lineage_provider.forwarding.target import Failure, Target

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between attempts at an endpoint that is away; the last one is repeated."""
MOST_ATTEMPTS = 5
"""At one event that the endpoint answers with an error that may be the event's fault or its own."""


def http_target(url: str, endpoint: str, key: str) -> Target:
    """Return the HTTP endpoint. Raises InputError for a URL that cannot be used."""
    from airflow_lineage_provider.forwarding.http_target import HttpTarget

    parts = urlsplit(url)
    if parts.username or parts.password:
        raise InputError("the URL of the endpoint holds credentials; put the token into OPENLINEAGE_API_KEY")
    config: dict[str, Any] = {"type": "http", "url": f"{url.rstrip('/')}/", "endpoint": endpoint.strip("/")}
    if key:
        config["auth"] = {"type": "api_key", "apiKey": key}
    try:
        return HttpTarget(config)
    except ValueError as error:  # of the OpenLineage client
        raise InputError(f"{parts.hostname} is not an endpoint: {error}") from None


class Delivery:
    """Writes events to a file, from which a thread sends them in order.

    Without a `file` given, it is a temporary one, which stays where not all of it could be sent.
    """

    def __init__(
        self,
        target: Target | None,
        file: str | Path | None,
        redact: Callable[[str], str] | None,
        complain: Callable[[str], None],
    ) -> None:
        """`complain` gets a line for each event that is lost. Raises InputError for an unusable file."""
        self._target = target
        self._redact = redact
        self._complain = complain
        self._is_temporary = file is None
        try:
            self.file = Path(file) if file else _temporary_file()
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self.file.open("ab")
        except OSError as error:
            raise InputError(f"{file} cannot be written: {error.strerror}; name another --file") from None
        self._sent = self._written = self._writer.tell()
        self._more = threading.Condition()
        self._ended = False
        self._give_up = threading.Event()
        self._error = ""
        self._sender = threading.Thread(target=self._send_all, name="lineage", daemon=True)
        self._sender.start()

    def add(self, events: Iterable[RunEvent]) -> None:
        """Write events without their secrets, for the thread to send. Raises nothing."""
        from openlineage.client.serde import Serde

        from airflow_lineage_provider.events.masking import mask_event

        for event in events:
            try:
                masked = mask_event(Serde.to_dict(event), self._redact)
                self._writer.write(json.dumps(masked).encode() + b"\n")
                self._writer.flush()
            except Exception as error:  # noqa: BLE001 - lineage never fails the models
                self._complain(f"the event of {event.job.name} is lost: {error}")
        with self._more:
            self._written = self._writer.tell()
            self._more.notify()

    def end(self, patience: float) -> None:
        """Wait until everything is sent, at most `patience` seconds, and say what is not."""
        with self._more:
            self._ended = True
            self._more.notify()
        self._sender.join(patience)
        self._give_up.set()
        if self._target:
            self._target.interrupt()
            self._sender.join(1.0)
        self._writer.close()
        left = self._lines_left() if self._target else 0
        if left:
            reason = self._error or "there was no time"
            self._complain(f"{left} events were not sent: {reason}; they are the last lines of {self.file}")
        elif self._is_temporary:
            self.file.unlink(missing_ok=True)

    def _lines_left(self) -> int:
        with self.file.open("rb") as reader:
            reader.seek(self._sent)
            return sum(1 for _ in reader)

    def _send_all(self) -> None:
        """Send what is written, until there is nothing left after `end`, or it gives up."""
        if self._target is None:
            return
        with self.file.open("rb") as reader:
            reader.seek(self._sent)
            while not self._give_up.is_set():
                with self._more:
                    self._more.wait_for(lambda: self._written > self._sent or self._ended)
                    if self._written <= self._sent:
                        return
                batch = _of_other_runs(reader, self._written, self._target.max_batch)
                self._send(self._target, batch)
                self._sent = reader.tell() if not self._give_up.is_set() else self._sent

    def _send(self, target: Target, batch: list[bytes]) -> None:
        """Send events until each is accepted or rejected."""
        left, attempts = dict(enumerate(batch)), 0
        while left:
            failures = target.send(left)
            again = {}
            for number, failure in failures.items():
                if failure.fault == "event" or (failure.fault == "unknown" and attempts >= MOST_ATTEMPTS):
                    self._complain(f"the event of {_job(left[number])} was rejected: {failure.message}")
                else:
                    again[number] = failure
            left = {number: left[number] for number in again}
            if left and self._give_up.wait(self._pause(next(iter(again.values())), attempts)):
                return
            attempts += 1

    def _pause(self, failure: Failure, attempts: int) -> float:
        if failure.message != self._error:
            self._error = failure.message
            self._complain(f"{failure.message}; the events wait")
        return failure.wait or PAUSES[min(attempts, len(PAUSES) - 1)]


def _temporary_file() -> Path:
    descriptor, name = tempfile.mkstemp(prefix="lineage-", suffix=".jsonl")
    os.close(descriptor)
    return Path(name)


def _of_other_runs(reader: Any, end: int, most: int) -> list[bytes]:
    """Return the next events, each of another run, so that they may arrive in any order."""
    batch: list[bytes] = []
    runs: set[str] = set()
    for line in _lines(reader, end):
        run = json.loads(line)["run"]["runId"]
        if run in runs:
            reader.seek(-len(line), os.SEEK_CUR)
            break
        runs.add(run)
        batch.append(line.rstrip(b"\n"))
        if len(batch) >= most:
            break
    return batch


def _lines(reader: Any, end: int) -> Iterator[bytes]:
    while reader.tell() < end and (line := reader.readline()):
        yield line


def _job(event: bytes) -> str:
    return str(json.loads(event)["job"]["name"])
