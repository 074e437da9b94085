"""What the answers of outside systems say of themselves: what they lack, and how fresh their extracts are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_lineage_provider.events.event import event_time
from airflow_lineage_provider.events.tags import INCOMPLETE, LAST_REFRESH
from airflow_lineage_provider.graph import Code, Finding, Provenance
from airflow_lineage_provider.lineage_map.refresh import parse_refresh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.readers import JobRun

_DASHBOARD, _SHOWN = "dashboard", 5
GRACE = timedelta(hours=1)
"""How long a refresh may take after the time that the map documents."""


def incomplete_answers(jobs: Iterable[JobRun]) -> Iterator[Finding]:
    """Yield a finding for each system whose answer is not complete, with the reasons."""
    for job in jobs:
        if reasons := job.tags.get(INCOMPLETE, ""):
            message = f"the answer of {job.namespace} is incomplete: {reasons}"
            yield Finding(Code.ANSWER_INCOMPLETE, job.namespace, message, observed=(_provenance(job),))


def unknown_sources(expected: Graph, observed: Graph) -> Iterator[Finding]:
    """Yield a finding for each documented dashboard with fields whose sources are not known."""
    for name, dataset in expected.datasets.items():
        seen = observed.datasets.get(name)
        unknown = [column.name for column in seen.columns.values() if column.gap] if seen else []
        if seen and unknown and dataset.kind == _DASHBOARD:
            more = f" and {len(unknown) - _SHOWN} others" if len(unknown) > _SHOWN else ""
            message = f"it is not known what {name} makes {', '.join(unknown[:_SHOWN])}{more} from"
            yield Finding(Code.ANSWER_INCOMPLETE, name, message, dataset.provenance, seen.provenance)


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
