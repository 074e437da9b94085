"""The DAGs whose runs have lineage, and how they stand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from sqlalchemy import func, select

from airflow_lineage_provider.plugins.api.permissions import readable
from airflow_lineage_provider.plugins.api.runs import (
    FINISHED,
    airflow_session,
    dag_runs_of,
    event_store,
    run_summaries,
)
from airflow_lineage_provider.reports.views.models import DagSummary, OutboxState
from airflow_lineage_provider.store.progress import dags_with_events, outbox
from airflow_lineage_provider.store.validations import latest_validations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_lineage_provider.store.validations import ValidationRow

RECHECK = 30.0
"""Seconds until a DAG that had no events is looked up again."""
_without_events: dict[str, float] = {}


def dags_with_lineage(user: Any) -> list[str]:
    """Return the ids of the DAGs that have lineage and that the user may read. Raises StoreError."""
    with airflow_session() as session:
        known = set(session.scalars(select(DagModel.dag_id)))
    validated = {row.dag_id for row in latest_validations(event_store())}
    now = time.monotonic()
    others = {one for one in known - validated if now - _without_events.get(one, -RECHECK) >= RECHECK}
    emitting = dags_with_events(event_store(), sorted(others))
    _without_events.update(dict.fromkeys(others - emitting, now))
    return sorted(readable((validated & known) | emitting, user))


def dag_summaries(dag_ids: Sequence[str], user: Any) -> list[DagSummary]:
    """Return how these DAGs stand. Raises StoreError."""
    state = _outbox()
    rows = {row.dag_id: row for row in latest_validations(event_store(), dag_ids)}
    allowed = readable({one for row in rows.values() for one in row.reads}, user)
    shown = {dag_id: row for dag_id, row in rows.items() if allowed.issuperset(row.reads)}
    return [_summary(dag_id, shown.get(dag_id), state, user) for dag_id in dag_ids]


def _summary(dag_id: str, row: ValidationRow | None, state: OutboxState, user: Any) -> DagSummary:
    newest, _ = dag_runs_of(dag_id, 1, 0)
    runs = run_summaries(newest, user)
    return DagSummary(
        dag_id=dag_id,
        map=row.title if row else None,
        last_run=runs[0] if runs else None,
        drift=row.errors + row.warnings if row else 0,
        map_is_stale=row is not None and _is_stale(dag_id, row),
        outbox=state,
    )


def _is_stale(dag_id: str, row: ValidationRow) -> bool:
    """Whether a run finished after the last one that was compared with the map."""
    validated = select(DagRun.run_after).where(DagRun.dag_id == dag_id, DagRun.run_id == row.run_id)
    later = select(func.count()).where(
        DagRun.dag_id == dag_id,
        DagRun.state.in_(FINISHED),
        DagRun.run_after > validated.scalar_subquery(),
    )
    with airflow_session() as session:
        return bool(session.scalar(later))


def _outbox() -> OutboxState:
    """Return the state of forwarding, without the texts of errors: they may name datasets of any DAG."""
    found = outbox(event_store())
    failing = [f"{name} has failed since {since[:16].replace('T', ' ')}" for name, since in found.failing]
    return OutboxState(waiting=found.waiting, trouble="; ".join(failing) or None)
