"""Where an event stands: the run that it belongs to, the time that it is for, what must not be said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

# OpenLineage asks for a URI that identifies the code that made the event.
PRODUCER = f"urn:python:airflow-lineage-provider:{__version__}"

JOB_NAMESPACE = "dbt"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a job, by OpenLineage's names."""

    namespace: str
    name: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all events of one dbt invocation share."""

    parent: Run | None = None
    """The Airflow task's run."""
    root: Run | None = None
    """The DAG's run."""
    nominal_start: datetime | None = None
    nominal_end: datetime | None = None
    mask: Callable[[str], str] = field(default=str)
    """Hides known secrets in free text: SQL, messages and descriptions; never in a name."""
