"""The lineage of DAG runs, from the event store and Airflow's database."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from fastapi import HTTPException
from sqlalchemy import func, select

from airflow_lineage_provider.graph import without_collection
from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.plugins.api.cache import Pace
from airflow_lineage_provider.plugins.api.permissions import readable
from airflow_lineage_provider.reports.views.detail import PastRun
from airflow_lineage_provider.reports.views.lineage import RunLineage, observed_run, validated_run
from airflow_lineage_provider.reports.views.models import RunSummary
from airflow_lineage_provider.reports.views.recent import Recent
from airflow_lineage_provider.reports.views.run_events import read_run_events
from airflow_lineage_provider.reports.views.saved import SavedValidation, from_bytes
from airflow_lineage_provider.store.progress import newest_event, newest_events
from airflow_lineage_provider.store.validations import (
    ValidationRow,
    latest_validations,
    validation_content,
    validations_of_runs,
)
from airflow_lineage_provider.utils.dag_run import dag_run_ids
from airflow_lineage_provider.utils.dag_run_events import read_dag_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from airflow_lineage_provider.store import EventStore
    from airflow_lineage_provider.utils.dag_run import DagRunIds

MAX_EVENTS = 20_000
"""How many events of a run are read."""
HISTORY = 20
"""How many runs the history of a dataset covers."""
LATEST = "~latest"
FINISHED = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """A DAG run, its validations, and what tells one state of its lineage from another.

    `hidden` are validations that hold lineage of a DAG that the user may not read.
    """

    dag_run: Any
    ids: DagRunIds
    validations: tuple[ValidationRow, ...]
    hidden: bool
    reference: ValidationRow | None
    """The newest validation of the DAG, of this run or another, whose map is shown."""
    newest: int
    """The position of the newest event."""

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for two users who see the same, and as long as nothing changes."""
        run = self.dag_run
        shown = tuple(row.id for row in self.validations)
        reference = self.reference.id if self.reference else 0
        return run.dag_id, run.run_id, str(run.state), self.newest, shown, self.hidden, reference


@cache
def event_store() -> EventStore:
    """Return the event store of Airflow's configuration; its connections are kept."""
    hook: Any = EventStoreHook()
    store: EventStore = hook.get_conn()
    return store


@contextmanager
def airflow_session() -> Iterator[Session]:
    """Yield a session of Airflow's database for a query or two.

    A session that is open for the whole request would keep its connection while lineage is read: with some
    requests at once none would be left for the checks of permissions.
    """
    with create_session() as session:
        yield session
        session.expunge_all()


def find_run(dag_id: str, run_id: str) -> Any:
    """Return a DAG run; `~latest` is the newest one. Raises HTTPException 404."""
    query = select(DagRun).where(DagRun.dag_id == dag_id)
    query = query.where(DagRun.run_id == run_id) if run_id != LATEST else _newest_first(query).limit(1)
    with airflow_session() as session:
        found = session.scalar(query)
    if found is None:
        which = "no run yet: trigger it" if run_id == LATEST else f"no run {run_id[:250]}: choose another"
        raise HTTPException(404, f"DAG {dag_id[:250]} has {which}")
    return found


def snapshot_of(dag_run: Any, user: Any) -> RunSnapshot:
    """Return what a user may see of a run now. Raises StoreError."""
    ids = dag_run_ids(dag_run)
    store = event_store()
    newest = _pace.position(ids.own[-1], newest_event(store, {*ids.roots, *ids.own}))
    rows = validations_of_runs(store, dag_run.dag_id, [dag_run.run_id])
    references = rows[-1:] or latest_validations(store, [dag_run.dag_id])
    others = {dag_id for row in (*rows, *references) for dag_id in row.reads} - {dag_run.dag_id}
    allowed = readable(others, user) | {dag_run.dag_id}
    shown = tuple(row for row in rows if allowed.issuperset(row.reads))
    reference = next((row for row in (*shown[-1:], *references) if allowed.issuperset(row.reads)), None)
    return RunSnapshot(dag_run, ids, shown, len(shown) < len(rows), reference, newest)


_pace = Pace()
_lineage = Recent(8)
_saved = Recent(8)
_past = Recent(200)


def lineage_of(state: RunSnapshot) -> RunLineage:
    """Return the lineage of a run. Raises StoreError, and SavedValidationError."""
    lineage: RunLineage = _lineage.get(state.key, lambda: _timed(state))
    return lineage


def _timed(state: RunSnapshot) -> RunLineage:
    begin = time.monotonic()
    with without_collection():
        lineage = _read(state)
        lineage.prepare()
    _pace.took(state.ids.own[-1], state.newest, time.monotonic() - begin)
    return lineage


def _read(state: RunSnapshot) -> RunLineage:
    found = read_dag_run(state.ids, event_store(), MAX_EVENTS)
    run = state.dag_run
    details = read_run_events(found.events, run.dag_id)
    _past.put((run.dag_id, run.run_id, state.newest), (len(found.events), PastRun(run.run_id, details)))
    notes = []
    if found.is_truncated:
        notes.append(f"Only the first {MAX_EVENTS:,} events of this run were read.")
    current = [row for row in state.validations if row.lineage_run_id == state.ids.own[-1]]
    if state.hidden:
        notes.append("A validation of this run also read DAGs that you may not read, and is not shown.")
    elif state.validations and not current:
        notes.append("A task was cleared after the validation: edges are compared with the map as they come.")
    reference = current[-1] if current else state.reference
    saved = _validation(reference.id) if reference else None
    if current and saved is not None:
        return _with_others(validated_run(saved, details), current[:-1], notes)
    if not found.events and saved is None:
        notes.append("The event store has no events of this run, and no run of this DAG was validated yet.")
    return observed_run(found.events, details, saved, notes)


def _with_others(lineage: RunLineage, others: Sequence[ValidationRow], notes: Sequence[str]) -> RunLineage:
    """Add the findings of the run's other validations."""
    more = [saved for row in others if (saved := _validation(row.id)) is not None]
    findings = dict.fromkeys((*lineage.findings, *(one for saved in more for one in saved.findings)))
    return replace(lineage, findings=tuple(findings), notes=(*lineage.notes, *notes))


def _validation(validation_id: int) -> SavedValidation | None:
    def read() -> SavedValidation | None:
        content = validation_content(event_store(), validation_id)
        return from_bytes(content) if content is not None else None

    saved: SavedValidation | None = _saved.get(validation_id, read)
    return saved


def _newest_first(query: Select[Any]) -> Select[Any]:
    return query.order_by(DagRun.run_after.desc(), DagRun.id.desc())


@dataclass(frozen=True, slots=True)
class History:
    """The last runs of a DAG that have events, the newest first, and where the events of each end."""

    runs: tuple[tuple[Any, DagRunIds, int], ...]

    @property
    def key(self) -> tuple[tuple[str, int], ...]:
        """Equal as long as no run gets an event."""
        return tuple((run.run_id, newest) for run, _, newest in self.runs)

    def read(self) -> list[PastRun]:
        """Return what the events of each run say. Raises StoreError."""
        found = []
        left = MAX_EVENTS
        for run, ids, newest in self.runs:
            if left > 0:
                count, past = _past.get((run.dag_id, run.run_id, newest), partial(_past_run, run, ids))
                left -= count
                found.append(past)
        return found


def history_of(dag_run: Any) -> History:
    """Return the last runs up to this one. Raises StoreError."""
    query = select(DagRun).where(DagRun.dag_id == dag_run.dag_id, DagRun.run_after <= dag_run.run_after)
    with airflow_session() as session:
        runs = list(session.scalars(_newest_first(query).limit(HISTORY)))
    every = [(run, dag_run_ids(run)) for run in runs]
    newest = newest_events(event_store(), {root for _, ids in every for root in (*ids.roots, *ids.own)})
    ends = [max(newest.get(root, 0) for root in (*ids.roots, *ids.own)) for _, ids in every]
    return History(tuple((*one, end) for one, end in zip(every, ends, strict=True) if end))


def _past_run(dag_run: Any, ids: DagRunIds) -> tuple[int, PastRun]:
    events = read_dag_run(ids, event_store(), MAX_EVENTS).events
    return len(events), PastRun(dag_run.run_id, read_run_events(events, dag_run.dag_id))


def run_summaries(dag_runs: Sequence[Any], user: Any) -> list[RunSummary]:
    """Return the outcome of runs of one DAG. Raises StoreError."""
    if not dag_runs:
        return []
    dag_id = dag_runs[0].dag_id
    rows = validations_of_runs(event_store(), dag_id, [run.run_id for run in dag_runs])
    allowed = readable({one for row in rows for one in row.reads} - {dag_id}, user) | {dag_id}
    by_run: dict[str, list[ValidationRow]] = {}
    for row in rows:
        if allowed.issuperset(row.reads):
            by_run.setdefault(row.run_id, []).append(row)
    return [run_summary(run, by_run.get(run.run_id, ())) for run in dag_runs]


def run_summary(dag_run: Any, rows: Iterable[ValidationRow]) -> RunSummary:
    """Return a run with the gravest outcome of its validations."""
    validations = list(rows)
    outcomes: dict[str, Any] = dict.fromkeys(row.outcome for row in validations)
    return RunSummary(
        run_id=dag_run.run_id,
        state=str(getattr(dag_run.state, "value", dag_run.state)),
        started=_time(dag_run.start_date),
        ended=_time(dag_run.end_date),
        outcome=next((one for one in ("DRIFT", "WARN", "PASS") if one in outcomes), None),
        errors=sum(row.errors for row in validations),
        warnings=sum(row.warnings for row in validations),
    )


def dag_runs_of(dag_id: str, limit: int, offset: int) -> tuple[list[Any], int]:
    """Return runs of a DAG, the newest first, and how many there are."""
    query = select(DagRun).where(DagRun.dag_id == dag_id)
    with airflow_session() as session:
        total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
        return list(session.scalars(_newest_first(query).limit(limit).offset(offset))), total


def _time(time: Any) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None
