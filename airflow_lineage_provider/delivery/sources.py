"""Reading events back: from the event store, from files that OpenLineage wrote, or from Marquez."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from airflow_lineage_provider.delivery.location import StoreError
from airflow_lineage_provider.delivery.records import parent_and_root, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LARGEST_DOCUMENT = 64 * 2**20
_MARQUEZ_PAGE = 100


class EventSource(Protocol):
    """Something that events can be read from; `EventStore` is one. All methods raise StoreError."""

    def events(
        self, *, root_run_id: str | None = None, job_namespace: str | None = None, job_name: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the events that meet every condition, in the order in which they were kept."""

    def latest_root_run(self) -> str | None:
        """Return the id of the root run that the newest event belongs to."""


def open_source(location: str) -> EventSource:
    """Return what a location names.

    `http(s)://` is Marquez; `*.db`, `sqlite:` and `postgresql:` the event store; anything else a
    file, a folder, or the beginning of several files' names, local or by fsspec (`s3://...`).
    """
    if location.startswith(("http://", "https://")):
        return MarquezSource(location)
    if location.startswith(("sqlite:", "postgres")) or location.endswith(".db"):
        from airflow_lineage_provider.delivery.store import EventStore

        return EventStore(location)
    return FileSource(location)


class FileSource:
    """What OpenLineage's `file` transport wrote: JSON lines, or one event a file."""

    def __init__(self, location: str) -> None:
        self._location = location

    def events(
        self, *, root_run_id: str | None = None, job_namespace: str | None = None, job_name: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the events that meet every condition. Raises StoreError."""
        return _matching(self._read(), root_run_id, job_namespace, job_name)

    def latest_root_run(self) -> str | None:
        """Return the root run of the last event. Raises StoreError."""
        return _last_root(self._read())

    def _read(self) -> Iterator[dict[str, Any]]:
        from fsspec.core import url_to_fs

        try:
            system, path = url_to_fs(self._location)
            for file in self._files(system, path):
                yield from _read_file(system, file)
        except (OSError, ImportError, ValueError) as error:
            raise StoreError(f"Cannot read events from {self._location}: {error}") from error

    def _files(self, system: Any, path: str) -> list[str]:
        if system.isfile(path):
            return [path]
        pattern = f"{path.rstrip('/')}/**" if system.isdir(path) else f"{path}*"
        files = sorted(file for file in system.glob(pattern) if file.endswith((".json", ".jsonl", ".ndjson")))
        if not files:
            raise StoreError(f"There are no events at {self._location}: name a file, a folder or a prefix")
        return files


class MarquezSource:
    """The events that Marquez keeps: GET /api/v1/events/lineage (https://marquezproject.ai/api)."""

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self._url = f"{url.rstrip('/')}/api/v1/events/lineage"
        self._timeout = timeout

    def events(
        self, *, root_run_id: str | None = None, job_namespace: str | None = None, job_name: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the events that meet every condition, the oldest first. Raises StoreError."""
        return _matching(self._read("asc"), root_run_id, job_namespace, job_name)

    def latest_root_run(self) -> str | None:
        """Return the root run of the newest event. Raises StoreError."""
        newest = next(self._read("desc"), None)
        return parent_and_root(newest)[1] if newest else None

    def _read(self, direction: str) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            page = self._page({"limit": _MARQUEZ_PAGE, "offset": offset, "sortDirection": direction})
            yield from page
            if len(page) < _MARQUEZ_PAGE:
                return
            offset += len(page)

    def _page(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        import requests

        # Marquez leaves out what lies beyond `before`, and takes 2030 where none is given.
        bounds = {"after": "1970-01-01T00:00:00Z", "before": "9999-01-01T00:00:00Z"}
        try:
            answer = requests.get(f"{self._url}?{urlencode(query | bounds)}", timeout=self._timeout)
            answer.raise_for_status()
            events: list[dict[str, Any]] = answer.json()["events"]
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"Cannot read events from Marquez at {self._url}: {error}") from error
        return events


def _read_file(system: Any, file: str) -> Iterator[dict[str, Any]]:
    """Yield the events of a file: a line each, or the file as one document."""
    with system.open(file, "rb") as lines:
        first = lines.readline(_LARGEST_DOCUMENT)
        try:
            yield from _events(json.loads(first) if first.strip() else [])
        except ValueError:
            document = first + lines.read(_LARGEST_DOCUMENT)
            yield from _events(_parsed(document, file, 1))
            return
        for number, line in enumerate(lines, 2):
            if line.strip():
                yield from _events(_parsed(line, file, number))


def _parsed(text: bytes, file: str, line: int) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{file}, line {line}: not JSON: {error}") from error


def _events(found: Any) -> Iterator[dict[str, Any]]:
    yield from (event for event in (found if isinstance(found, list) else [found]) if isinstance(event, dict))


def _matching(
    events: Iterable[dict[str, Any]],
    root_run_id: str | None,
    job_namespace: str | None,
    job_name: str | None,
) -> Iterator[dict[str, Any]]:
    for event in events:
        found = (parent_and_root(event)[1], text_at(event, "job", "namespace"), text_at(event, "job", "name"))
        wanted = (root_run_id, job_namespace, job_name)
        if all(want is None or want == has for want, has in zip(wanted, found, strict=True)):
            yield event


def _last_root(events: Iterable[dict[str, Any]]) -> str | None:
    root = None
    for event in events:
        root = parent_and_root(event)[1] or root
    return root
