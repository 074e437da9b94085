"""What the moves have in common: their errors, and what a move reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.events.naming import DatasetName


class IngestError(LineageError):
    """A move that cannot go on; the message names the system and what to do."""

    def __init__(self, message: str, *, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable
        """A system did not answer, or its files are locked: the same call may pass later."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One dataset that was moved into another: what a move reports, and what its lineage is made of."""

    source: DatasetName
    target: DatasetName
    source_columns: Mapping[str, str]
    """Types by name, in the source's order and words."""
    target_columns: Mapping[str, str]
    columns: Mapping[str, str]
    """The source's column of which each target column is a copy; columns that the move fills are absent."""
    rows: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    """What else was counted: deleted rows, dead letters."""
