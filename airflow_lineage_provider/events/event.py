"""Parts of an OpenLineage event as a dict: its time, its parent and root run, whether it ends its run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

END_TYPES = frozenset({"COMPLETE", "FAIL", "ABORT"})
_UNKNOWN_TIME = datetime.min.replace(tzinfo=UTC)


def parent_and_root(event: Mapping[str, Any]) -> tuple[str, str]:
    """Return the ids of the parent run and of the root run.

    The root is what the parent facet names as such, else the parent, else the run itself.
    https://openlineage.io/docs/spec/facets/run-facets/parent_run
    """
    facet = ("run", "facets", "parent")
    parent = text_at(event, *facet, "run", "runId")
    root = text_at(event, *facet, "root", "run", "runId")
    return parent, root or parent or text_at(event, "run", "runId")


def is_end(event: Mapping[str, Any]) -> bool:
    """Return whether a run ends with this event: COMPLETE, FAIL or ABORT, in any case of letters."""
    return text_at(event, "eventType").upper() in END_TYPES


def root_job(event: Mapping[str, Any]) -> tuple[str, str]:
    """Return the namespace and name of the root job, from any event below it."""
    parent, root = parent_and_root(event)
    facet = ("run", "facets", "parent")
    if root == text_at(event, "run", "runId"):
        job: tuple[str, ...] = ("job",)
    elif root == parent:
        job = (*facet, "job")
    else:
        job = (*facet, "root", "job")
    return text_at(event, *job, "namespace"), text_at(event, *job, "name")


def text_at(value: Any, *path: str) -> str:
    """Return the text at a path of keys, or an empty text where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def event_time(event: Mapping[str, Any]) -> datetime:
    """Return the time of an event, aware (UTC if it has no offset); year 1 if it cannot be read."""
    try:
        return parsed_time(text_at(event, "eventTime"))
    except ValueError:
        return _UNKNOWN_TIME


def parsed_time(text: str) -> datetime:
    """Return an ISO 8601 time, aware (UTC if it has no offset). Raises ValueError."""
    time = datetime.fromisoformat(text.upper())
    return time if time.tzinfo else time.replace(tzinfo=UTC)
