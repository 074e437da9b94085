"""Saved answers of outside systems against the age that a map allows them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.event import event_time
from airflow_lineage_provider.graph import Code, Finding, Provenance
from airflow_lineage_provider.lineage_map import MapError, MapProblem
from airflow_lineage_provider.lineage_map.sla import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.readers import JobRun


def old_answers(jobs: Iterable[JobRun], lineage_map: LineageMap, now: datetime) -> Iterator[Finding]:
    """Yield a finding for each system whose saved answer is older than the map allows.

    The system is named by the namespace of the jobs that were read from its answer. Raises MapError where
    the map's limit names no duration.
    """
    limit = _limit(lineage_map)
    if limit is None:
        return
    oldest: dict[str, JobRun] = {}
    for job in jobs:
        if job.saved and job.saved < oldest.setdefault(job.namespace, job).saved:
            oldest[job.namespace] = job
    words = lineage_map.content.document.saved_answers
    for namespace, job in oldest.items():
        age = now - event_time({"eventTime": job.saved})
        if age > limit:
            message = (
                f"the saved answer of {namespace} is of {job.saved[:10]}, {age / timedelta(days=1):.1f} days "
                f"old, and {words!r} is documented; fetch it again"
            )
            where = Provenance("event", job=job.label, run_id=job.run_id, saved=job.saved)
            documented = lineage_map.where("document", "saved_answers")
            yield Finding(Code.SAVED_ANSWER_OLD, namespace, message, (documented,), (where,))


def _limit(lineage_map: LineageMap) -> timedelta | None:
    words = lineage_map.content.document.saved_answers
    if not words:
        return None
    try:
        return parse_duration(words)
    except InputError as error:
        line = lineage_map.where("document", "saved_answers").line
        raise MapError([MapProblem(lineage_map.file, line, 1, str(error))]) from None
