"""What the answers of outside systems say of themselves: what they lack, and how fresh their extracts are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_lineage_provider.events.event import event_time
from airflow_lineage_provider.events.tags import INCOMPLETE, LAST_REFRESH
from airflow_lineage_provider.graph import Code, Finding, Provenance
from airflow_lineage_provider.lineage_map.refresh import parse_refresh

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from datetime import datetime

    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.readers import JobRun

GRACE = timedelta(hours=1)
"""How long a refresh may take after the time that the map documents."""


def incomplete_answers(jobs: Iterable[JobRun], documented: Container[str]) -> Iterator[Finding]:
    """Yield a finding for each system whose answer is not complete, with the reasons.

    A job that lists what the system has, and names no output, speaks for the system; any other one counts
    where its output is documented.
    """
    for job in jobs:
        outputs = [output.logical for output in job.outputs if output.logical in documented]
        if (reasons := job.tags.get(INCOMPLETE, "")) and (outputs or not job.outputs):
            subject = outputs[0] if outputs else job.namespace
            message = f"the answer of {job.namespace} is incomplete: {reasons}"
            yield Finding(Code.ANSWER_INCOMPLETE, subject, message, observed=(_provenance(job),))


def late_refreshes(jobs: Iterable[JobRun], lineage_map: LineageMap) -> Iterator[Finding]:
    """Yield a finding for each documented dashboard that was not refreshed when the map says.

    Its extracts are as old as they were when the answer was saved, or when the job ended.
    """
    for job in jobs:
        last, seen = job.tags.get(LAST_REFRESH, ""), job.saved or job.ended or job.started
        for name in dict.fromkeys(output.logical for output in job.outputs):
            board = lineage_map.content.dashboards.get(name)
            schedule = parse_refresh(board.refresh) if board and last else None
            if board is None or schedule is None:
                continue
            refreshed, due = _time(last), schedule.due(_time(seen) - GRACE)
            if refreshed < due:
                message = (
                    f"{name} was last refreshed at {refreshed:%Y-%m-%d %H:%M} UTC, and {board.refresh!r} is "
                    f"documented: there was no refresh since {due:%Y-%m-%d %H:%M} UTC"
                )
                where = (lineage_map.where("dashboards", name, "refresh"),)
                yield Finding(Code.REFRESH_LATE, name, message, where, (_provenance(job),))


def _time(text: str) -> datetime:
    return event_time({"eventTime": text})


def _provenance(job: JobRun) -> Provenance:
    return Provenance("event", job=job.label, run_id=job.run_id, saved=job.saved)
