"""The error of a map that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class MapProblem:
    """One problem: file, line and column (from 1; 0 if unknown), what is wrong and what to do."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        message = "".join(c if c.isprintable() else repr(c)[1:-1] for c in self.message)
        return f"{where}: {message}"


class MapError(LineageError):
    """A map that cannot be read. `str()` has one line for each problem."""

    def __init__(self, problems: Iterable[MapProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
