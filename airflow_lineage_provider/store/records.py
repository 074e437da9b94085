"""An OpenLineage event as a row of the store, and back."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_lineage_provider.events.event import parent_and_root, parsed_time, text_at
from airflow_lineage_provider.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LONGEST_INDEXED = 400  # bytes
_encoder = msgspec.json.Encoder(order="sorted", enc_hook=str)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """What the store keeps of one event: the columns it is found by, and the event itself."""

    columns: dict[str, Any]
    datasets: frozenset[tuple[str, str]]

    @property
    def run_id(self) -> str:
        """The run that the event belongs to; empty for a job event or a dataset event."""
        run_id: str = self.columns["run_id"]
        return run_id


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it stands in the store; `id` is its position there."""

    id: int
    run_id: str
    payload: bytes

    @property
    def body(self) -> bytes:
        """The event as JSON. Raises StoreError where the payload is damaged."""
        return _unpacked(self.payload)

    @property
    def event(self) -> dict[str, Any]:
        """The event. Raises StoreError where the payload is damaged."""
        return from_payload(self.payload)


def to_record(event: Mapping[str, Any], now: datetime) -> EventRecord:
    """Return the row for an OpenLineage RunEvent, JobEvent or DatasetEvent.

    Columns that the event does not fill are empty, never NULL: NULLs are not equal to each other,
    and the same event twice would be two rows.
    """
    body = _to_json(event)
    run_id = text_at(event, "run", "runId")
    parent_run_id, root_run_id = parent_and_root(event)
    columns = {
        "stored_at": utc_text(now),
        "event_time": _utc(text_at(event, "eventTime")),
        "event_type": indexable(text_at(event, "eventType").upper()),
        "run_id": indexable(run_id),
        "root_run_id": indexable(root_run_id),
        "parent_run_id": indexable(parent_run_id),
        "job_namespace": indexable(text_at(event, "job", "namespace")),
        "job_name": indexable(text_at(event, "job", "name")),
        "content_hash": hashlib.sha256(body).digest()[:16],
        "payload": zlib.compress(body, 1),
    }
    return EventRecord(columns, frozenset(datasets_of(event)))


def from_payload(payload: bytes) -> dict[str, Any]:
    """Return the event that `to_record` put into a payload. Raises StoreError where that is damaged."""
    body = _unpacked(payload)
    try:
        event: dict[str, Any] = msgspec.json.decode(body)
    except msgspec.DecodeError:
        event = json.loads(body)
    return event


def indexable(text: str) -> str:
    """Return text that every database can index: what it cannot hold is escaped, what is too long is hashed.

    SQLite refuses lone surrogates, Postgres also NUL and an index entry over 2,704 bytes.
    """
    if len(text) <= _LONGEST_INDEXED and text.isascii() and "\0" not in text:
        return text
    clean = text.encode("utf-8", "backslashreplace").replace(b"\0", b"\\0")
    if len(clean) <= _LONGEST_INDEXED:
        return clean.decode()
    start = clean[:_LONGEST_INDEXED].decode(errors="ignore")
    return f"{start}#{hashlib.blake2b(clean, digest_size=16).hexdigest()}"


def utc_text(time: datetime) -> str:
    """Return a time as text of fixed width that sorts: 2026-11-22T07:28:01.000000Z."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _unpacked(payload: bytes) -> bytes:
    try:
        return zlib.decompress(payload)
    except zlib.error as error:
        raise StoreError(
            f"An event in the store is damaged ({error}): restore the store, or delete it"
        ) from error


def _to_json(event: Mapping[str, Any]) -> bytes:
    """Return canonical JSON. What UTF-8 cannot carry (a lone surrogate) is escaped, as `json` does it."""
    try:
        return _encoder.encode(event)
    except (UnicodeEncodeError, TypeError):
        return json.dumps(event, sort_keys=True, separators=(",", ":"), default=str).encode()


def _utc(text: str) -> str:
    try:
        return utc_text(parsed_time(text))
    except (ValueError, OverflowError):
        return indexable(text)


def datasets_of(event: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return namespace and name of every dataset of an event, as they are indexed."""
    return {
        (indexable(text_at(dataset, "namespace")), indexable(text_at(dataset, "name")))
        for dataset in _datasets(event)
    }


def _datasets(event: Mapping[str, Any]) -> Iterator[Any]:
    for side in ("inputs", "outputs"):
        found = event.get(side)
        yield from found if isinstance(found, list) else ()
    if isinstance(event.get("dataset"), dict):
        yield event["dataset"]
