"""The listing of a system's dashboards, feature views or models as a job, beside the jobs that it lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.movement import Movement
from airflow_lineage_provider.events.tags import INCOMPLETE
from airflow_lineage_provider.systems.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

SHOWN = 10
"""The number of reasons that a finding names."""


def listing(
    namespace: str, integration: str, system: str, now: datetime, incomplete: Sequence[str] = ()
) -> Observation:
    """Return the listing of all consumers of a system, so that a documented one that is not in it is gone.

    `system` is what a map calls it. `incomplete` are the reasons why it may not be complete.
    """
    more = f"; and {len(incomplete) - SHOWN} more" if len(incomplete) > SHOWN else ""
    movement = Movement(
        job_namespace=namespace,
        job_name="listing",
        started_at=now,
        integration=integration,
        job_type="LISTING",
        engine=system,
        problems=tuple(incomplete),
        lists_all="" if incomplete else system,
        tags={INCOMPLETE: "; ".join(incomplete[:SHOWN]) + more} if incomplete else {},
    )
    return Observation(movement, RunState.COMPLETE)
