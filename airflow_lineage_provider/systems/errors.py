"""The error of a system that cannot be read."""

from __future__ import annotations

from airflow_lineage_provider.errors import LineageError

LONGEST = 300


def one_line(text: object) -> str:
    """Return the text of another system's error on one line of bounded length."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else line[:LONGEST] + "..."


class SystemReadError(LineageError):
    """An outside system did not give a usable answer; one line: what, which system, what to do.

    `unreachable`: another try may succeed (the system is down, slow or rate-limits).
    """

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable
