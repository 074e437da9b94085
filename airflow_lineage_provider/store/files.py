"""Events from files that OpenLineage's `file` transport wrote.

https://openlineage.io/docs/client/python/configuration#file: with `append` one file of JSON lines; without,
a file for each event, named by the local time; with `debug_mode` such files are indented.
"""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_lineage_provider.events.event import event_time, parent_and_root
from airflow_lineage_provider.events.masking import mask_text
from airflow_lineage_provider.store.errors import EventSourceError
from airflow_lineage_provider.store.source import matching

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST_EVENT = 64 * 2**20
_LARGEST_FILES = 2**30
_ENDINGS = (".json", ".jsonl", ".ndjson")
_CUT_SHORT = "Input data was truncated"

log = logging.getLogger(__name__)


class FileSource:
    """A file, a folder, or the beginning of several files' names; `*` stands for any part of a name.

    Local, or where fsspec reaches (`s3://...`), whose credentials come from its own places. Files that were
    last written before `since` are not opened.
    """

    def __init__(self, location: str, *, since: datetime | None = None) -> None:
        self._location = location
        self._since = since

    def __str__(self) -> str:
        """Name the location without credentials."""
        return mask_text(self._location)

    def events(
        self, *, root_run_id: str | None = None, job_namespace: str | None = None, job_name: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the events that meet every condition: of one file as they stand, of several by time.

        Raises EventSourceError.
        """
        system, files = self._files()
        events = matching(self._read(system, files), root_run_id, job_namespace, job_name)
        yield from events if len(files) == 1 else sorted(events, key=event_time)

    def latest_root_run(self) -> str | None:
        """Return the root run of the newest event. Raises EventSourceError."""
        newest, latest = None, None
        for event in self._read(*self._files()):
            time, root = event_time(event), parent_and_root(event)[1]
            if root and (newest is None or time >= newest):
                newest, latest = time, root
        return latest

    def close(self) -> None:
        """Return at once: nothing is held between two readings."""

    def _files(self) -> tuple[Any, list[str]]:
        """Return the file system, and the paths of the files that may hold what is wanted."""
        from fsspec.core import url_to_fs

        try:
            system, path = url_to_fs(self._location)
            system.invalidate_cache()  # what S3 listed at the last look is not what is there now
            found = _found(system, path)
        except Exception as error:  # a file system may raise anything
            raise self._unreadable(error) from error
        if not found:
            kinds = ", ".join(_ENDINGS)
            raise EventSourceError(
                f"There are no events at {self}: name a file, or a folder or prefix of {kinds} files",
                unreachable=True,
            )
        recent = {file: info["size"] for file, info in found.items() if self._is_recent(info)}
        if (size := sum(recent.values())) > _LARGEST_FILES:
            raise EventSourceError(
                f"{self} holds {size >> 20:,} MiB of events, more than {_LARGEST_FILES >> 20:,}: "
                "move old files away, or use the event store"
            )
        return system, list(recent)

    def _is_recent(self, info: dict[str, Any]) -> bool:
        written = info.get("mtime", info.get("LastModified"))
        if isinstance(written, float):
            written = datetime.fromtimestamp(written, UTC)
        return self._since is None or not isinstance(written, datetime) or written >= self._since

    def _read(self, system: Any, files: list[str]) -> Iterator[dict[str, Any]]:
        try:
            for file in files:
                with system.open(file, "rb") as opened, io.BufferedReader(opened) as stream:
                    yield from _read_file(stream, mask_text(file))
        except EventSourceError:
            raise
        except Exception as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> EventSourceError:
        said = mask_text(" ".join(str(error).split()))
        for_good = isinstance(error, (ImportError, PermissionError, ValueError))
        return EventSourceError(f"Cannot read events from {self}: {said}", unreachable=not for_good)


def _found(system: Any, path: str) -> dict[str, dict[str, Any]]:
    """Return the files that a path names, in the order of their names.

    In a folder, or behind a prefix, files of other endings may stand beside the events.
    """
    endings: tuple[str, ...] = ("",)
    if "*" in path:
        found = system.glob(path, detail=True)
    elif system.isfile(path):
        found = {path: system.info(path)}
    else:
        found, endings = system.find(path, detail=True) or system.glob(f"{path}*", detail=True), _ENDINGS
    return {
        file: info
        for file, info in sorted(found.items())
        if info["type"] == "file" and file.endswith(endings)
    }


def _read_file(stream: Any, name: str) -> Iterator[dict[str, Any]]:
    """Yield the events of a file: a line each, or the file as one document.

    An event that the file ends in the middle of is left out, and the log says so: while its writer lives, it
    is whole at the next look.
    """
    for number, text in _texts(stream):
        try:
            yield _event(text)
        except _CutShortError as error:
            if stream.read(1):
                raise EventSourceError(f"{name}, line {number}: {error}") from None
            log.warning("%s, line %d: left out, for the file ends before the event does", name, number)
        except ValueError as error:
            raise EventSourceError(f"{name}, line {number}: {error}") from None


def _texts(stream: Any) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number, or all at once where the first line is no event by itself."""
    number = 0
    while line := stream.readline(_LARGEST_EVENT):
        number += 1
        if number == 1 and line.strip() == b"{":
            line += stream.read(_LARGEST_EVENT)
        if line.strip():
            yield number, line


class _CutShortError(ValueError):
    """JSON that is right as far as it goes."""


def _event(text: bytes) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        try:
            event = json.loads(text)  # NaN and lone surrogates, which the OpenLineage client writes too
        except (ValueError, RecursionError):
            kind = _CutShortError if str(error) == _CUT_SHORT else ValueError
            raise kind(f"not JSON: {error}") from None
    if not isinstance(event, dict):
        raise ValueError("not an OpenLineage event")  # noqa: TRY004 - of what a file holds, not of a type
    return event
