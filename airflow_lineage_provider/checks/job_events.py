"""The events of one job: jobs of several dbt projects may share a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.readers.event_runs import identity_of, job_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.store.source import EventSource


def events_of_job(source: EventSource, job: str, root_run_id: str | None = None) -> Iterator[dict[str, Any]]:
    """Return the events of the job, which is named as `JobIdentity.spellings` has it.

    Nothing is yielded for a job without events. Raises InputError for a name that several jobs have.
    """
    for name in _names_in(job):
        events = source.events(root_run_id=root_run_id, job_name=name)
        known = {identity for event in events if job in (identity := identity_of(event)).spellings()}
        if known:
            break
    else:
        return iter(())
    if len(known) > 1:
        labels = ", ".join(sorted(job_labels(known).values()))
        raise InputError(f"{job} is the name of {len(known)} jobs: {labels}; name one of them")
    (wanted,) = known
    events = source.events(root_run_id=root_run_id, job_namespace=wanted.namespace, job_name=wanted.name)
    return (event for event in events if identity_of(event) == wanted)


def _names_in(job: str) -> Iterator[str]:
    """Yield the job names that a spelling may hold: `name`, `namespace/name`, `project: name (details)`."""
    yield job
    plain = job.partition(": ")[2] or job
    yield plain.partition(" (")[0]
    parts = plain.partition(" (")[0].split("/")
    for number in range(1, len(parts)):
        yield "/".join(parts[number:])
