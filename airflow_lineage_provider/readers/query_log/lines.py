"""The lines and CSV records of log files: bounded, compressed or not, in whatever encoding."""

from __future__ import annotations

import csv
import io
import re
import zlib
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

LONGEST_RECORD = 8 * 1024 * 1024
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}
_GZIP = b"\x1f\x8b"
_OTHER_COMPRESSION = {b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}

csv.field_size_limit(LONGEST_RECORD)


class QueryLogError(LineageError):
    """A query log that cannot be read at all. `unreachable` says that trying again may help."""

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class LogFile:
    """One file of a log. `problems` grows while it is read: a line for each reason why it is not complete."""

    def __init__(self, path: Path, encoding: str, problems: list[str]) -> None:
        self.path = path
        self.encoding = encoding
        self.problems = problems
        self.left_out = 0
        """The number of lines that were no records."""
        self._is_csv = False

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends; one that is longer than `LONGEST_RECORD` is left out and reported.

        Raises QueryLogError for a file that cannot be opened, or is compressed other than by gzip.
        """
        try:
            with self.path.open("rb") as stream:
                yield from self._decoded(self._plain(stream))
        except OSError as error:
            raise QueryLogError(f"{self.path}: cannot be read: {error.strerror or error}") from None

    def records(self, start: re.Pattern[str] | None = None) -> Iterator[list[str]]:
        """Yield the CSV records; fields may contain line ends. See `lines`.

        `start` is what the first line of a record begins with; lines before the first such one are left out.
        """
        self._is_csv = True
        for text in self._record_texts(start):
            if _LEFT_OUT in text:  # one of its lines was too long
                continue
            try:
                row = next(csv.reader(io.StringIO(text), strict=True), [])
            except (csv.Error, StopIteration):
                self.left_out += 1
                continue
            if row:
                yield row

    def finish(self, what: str) -> None:
        """Report the lines that were left out."""
        if self.left_out:
            self._problem(f"{self.left_out:,} lines are no {what}")

    def _plain(self, stream: BinaryIO) -> BinaryIO | _Gzip:
        head = stream.read(6)
        stream.seek(0)
        for magic, name in _OTHER_COMPRESSION.items():
            if head.startswith(magic):
                raise QueryLogError(f"{self.path}: compressed by {name}; decompress it, or use gzip")
        return _Gzip(stream, self._problem) if head.startswith(_GZIP) else stream

    def _decoded(self, stream: BinaryIO | _Gzip) -> Iterator[str]:
        buffered: io.BufferedReader[Any] = io.BufferedReader(stream, 1 << 20)
        head = buffered.peek(3)[:3]
        for mark, encoding in _BYTE_ORDER_MARKS.items():
            if head.startswith(mark):
                buffered.read(len(mark))
                if encoding != "utf-8":
                    yield from self._wide(buffered, encoding)
                    return
        long = undecoded = 0
        while line := buffered.readline(LONGEST_RECORD + 1):
            if len(line) > LONGEST_RECORD and not line.endswith(b"\n"):
                long += 1
                quotes = line.count(b'"')
                while (rest := buffered.readline(LONGEST_RECORD)) and not rest.endswith(b"\n"):
                    quotes += rest.count(b'"')
                quotes += rest.count(b'"')
                if self._is_csv:
                    yield _LEFT_OUT + '"' * (quotes % 2) + "\n"
                continue
            try:
                yield line.decode(self.encoding)
            except UnicodeDecodeError:
                undecoded += 1
                yield line.decode("latin-1")
        self._limits(long, undecoded)

    def _wide(self, stream: io.BufferedReader[Any], encoding: str) -> Iterator[str]:
        text = io.TextIOWrapper(stream, encoding, errors="replace", newline="\n")
        long = 0
        while line := text.readline(LONGEST_RECORD + 1):
            if len(line) > LONGEST_RECORD and not line.endswith("\n"):
                long += 1
                while (rest := text.readline(LONGEST_RECORD)) and not rest.endswith("\n"):
                    pass
                continue
            yield line
        self._limits(long, 0)

    def _limits(self, long: int, undecoded: int) -> None:
        if long:
            self._problem(f"{long:,} lines longer than {LONGEST_RECORD >> 20} MiB were left out")
        if undecoded:
            self._problem(f"{undecoded:,} lines are not {self.encoding}; they were read as Latin-1")

    def _record_texts(self, start: re.Pattern[str] | None) -> Iterator[str]:
        """Yield the text of each CSV record: lines up to the one that closes the last quote."""
        parts: list[str] = []
        size, is_open, begun = 0, False, start is None
        for line in self.lines():
            begun = begun or (start is not None and start.match(line) is not None)
            if not begun:  # the rest of a record whose begin is in an earlier file
                self.left_out += 1
                continue
            is_open ^= line.count('"') % 2 == 1
            size += len(line)
            if size <= LONGEST_RECORD:
                parts.append(line)
            elif parts:
                self._problem(f"a record longer than {LONGEST_RECORD >> 20} MiB was left out")
                parts = []
            if not is_open:
                if parts:
                    yield parts[0] if len(parts) == 1 else "".join(parts)
                parts, size = [], 0
        if is_open:
            self._problem("its last record is half-written and was left out")

    def _problem(self, text: str) -> None:
        self.problems.append(f"{self.path.name}: {text}")


class _Gzip(io.RawIOBase):
    """Decompresses as far as the file goes; one that ends early, or is damaged, is reported."""

    def __init__(self, stream: BinaryIO, report: Callable[[str], None]) -> None:
        self._stream = stream
        self._report = report
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._input = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ended:
            try:
                data = self._next(len(buffer))
            except zlib.error as error:
                data, self._ended = b"", True
                self._report(f"the compressed file is damaged ({error})")
            if data:
                buffer[: len(data)] = data
                return len(data)
        return 0

    def _next(self, most: int) -> bytes:
        if self._member.eof:  # files may be appended to each other
            self._input = self._member.unused_data or self._stream.read(1 << 16)
            if not self._input:
                self._ended = True
                return b""
            self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        if not self._input:
            self._input = self._stream.read(1 << 16)
        if not self._input:
            self._ended = True
            self._report("the compressed file ends early")
            return b""
        data = self._member.decompress(self._input, most)
        self._input = self._member.unconsumed_tail
        return data


_LEFT_OUT = "\0"
"""Stands for a line that was too long, in the record that it is a part of."""
_ROTATED = re.compile(r"(\d+)")


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Return the files of a log from the oldest to the newest: by their time of change, then by name."""

    def key(path: Path) -> tuple[float, list[str | int]]:
        parts = [int(part) if part.isdigit() else part for part in _ROTATED.split(path.name)]
        try:
            return path.stat().st_mtime, parts
        except OSError:
            return 0.0, parts

    return sorted(paths, key=key)
