"""What all events of one dbt invocation share: parent and root run, nominal time, masking of secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider import __version__
from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

# OpenLineage asks for a URI that identifies the code that made the event.
PRODUCER = f"urn:python:airflow-lineage-provider:{__version__}"

CONTEXT_VARIABLE = "OPENLINEAGE_CONTEXT"
"""The environment variable that names the parent run of what a task starts elsewhere."""

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


def context_text(context: RunContext) -> str:
    """Return the context as JSON for OPENLINEAGE_CONTEXT, which dbt-ol reads too.

    Beside OpenLineage's `parent`, it has `nominalTime` and `severalProjects`.
    """
    found: dict[str, Any] = {}
    if context.parent:
        root = context.root or context.parent
        found["parent"] = {**_as_json(context.parent), "root": _as_json(root)}
    if context.nominal_start:
        times = {"nominalStartTime": context.nominal_start, "nominalEndTime": context.nominal_end}
        found["nominalTime"] = {name: time.isoformat() for name, time in times.items() if time}
    if context.several_projects:
        found["severalProjects"] = True
    return json.dumps(found)


def context_of_text(text: str, mask: Callable[[str], str] = str) -> RunContext:
    """Return the context in the value of OPENLINEAGE_CONTEXT; one without a parent for an empty text.

    Raises InputError for text that is not of this form.
    """
    try:
        found = json.loads(text or "{}")
        parent, times = found.get("parent"), found.get("nominalTime") or {}
        return RunContext(
            parent=_run_ref(parent) if parent else None,
            root=_run_ref(parent["root"]) if parent and parent.get("root") else None,
            nominal_start=_time(times.get("nominalStartTime")),
            nominal_end=_time(times.get("nominalEndTime")),
            mask=mask,
            several_projects=bool(found.get("severalProjects")),
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise InputError(
            f"{CONTEXT_VARIABLE} is not JSON with parent.run.runId and parent.job: {text!r:.200}; "
            "in Airflow set it to {{ macros.lineage.openlineage_context(task_instance) }}"
        ) from None


def _as_json(run: RunRef) -> dict[str, Any]:
    return {"run": {"runId": run.run_id}, "job": {"namespace": run.namespace, "name": run.name}}


def _run_ref(found: Any) -> RunRef:
    return RunRef(str(found["job"]["namespace"]), str(found["job"]["name"]), str(found["run"]["runId"]))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
