"""The jobs of a run, by the time they started."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_lineage_provider.reports.views.lineage import RunLineage
    from airflow_lineage_provider.reports.views.models import Job


@lru_cache(maxsize=8)
def jobs_view(lineage: RunLineage) -> list[Job]:
    """Return the jobs with their outputs by the names of the graph."""
    ids = {f"{pair[0].rstrip('/')}/{pair[1].lstrip('/')}": name for name, pair in lineage.names.items()}
    jobs = (
        job.model_copy(update={"outputs": [ids.get(name, name) for name in job.outputs]})
        for job in lineage.events.jobs
    )
    return sorted(jobs, key=lambda job: (job.started or "", job.name))
