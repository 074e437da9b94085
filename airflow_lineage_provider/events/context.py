"""What all events of one dbt invocation share: parent and root run, nominal time, masking of secrets."""

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
"""The namespace of dbt nodes' jobs; `dbt.<project>` in a DAG that runs several dbt projects."""


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run of a job: OpenLineage's namespace and name of the job, and the id of the run."""

    namespace: str
    name: str
    run_id: str


@dataclass(frozen=True, slots=True)
class RunContext:
    """Parent and root run, nominal time and masking of the events of one dbt invocation."""

    parent: RunRef | None = None
    """The Airflow task's run."""
    root: RunRef | None = None
    """The DAG's run."""
    nominal_start: datetime | None = None
    nominal_end: datetime | None = None
    mask: Callable[[str], str] = field(default=str)
    """Masks known secrets in free text (SQL, messages, descriptions), never in names."""
    several_projects: bool = False
    """Whether the DAG runs more than one dbt project, so that a job's namespace names its project."""
