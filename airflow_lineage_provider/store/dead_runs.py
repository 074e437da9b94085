"""Ends runs whose worker died: without an end they would look as if they were still running."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from airflow_lineage_provider.events.context import PRODUCER
from airflow_lineage_provider.events.event import END_TYPES, event_time
from airflow_lineage_provider.store.records import from_payload, indexable, utc_text
from airflow_lineage_provider.store.schema import event, run
from airflow_lineage_provider.store.store import RunState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from airflow_lineage_provider.store.store import EventStore

_ERROR_SCHEMA = (
    "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"
)


def open_runs(
    store: EventStore, *, root_run_id: str | None = None, silent_since: datetime | None = None
) -> list[RunState]:
    """Return the runs without an end: of a root run, without an event since a time, or both.

    Raises StoreError.
    """
    columns = (run.c.run_id, run.c.parent_run_id, run.c.job_namespace, run.c.job_name, run.c.state)
    query = select(*columns).where(run.c.state.not_in(END_TYPES))
    if root_run_id is not None:
        query = query.where(run.c.root_run_id == indexable(root_run_id))
    if silent_since is not None:
        last = event.c.id == run.c.last_event_id
        query = query.join(event, last).where(event.c.stored_at < utc_text(silent_since))
    with store.database.read() as connection:
        found = connection.execute(query.order_by(run.c.first_event_id))
        return [RunState(**row) for row in found.mappings()]


def abort_runs(store: EventStore, runs: Iterable[RunState], reason: str) -> int:
    """Store an ABORT for each run, with the reason as its error message; return how many were stored.

    A run that has ended in the meantime is left as it is. Raises StoreError.
    """
    wanted = [state.run_id for state in runs]
    now = datetime.now(UTC)
    with store.database.read() as connection:
        aborts = [_abort(last, reason, now) for last in _last_events(connection, wanted)]
    return store.append(aborts)


def sweep(store: EventStore, silent: timedelta = timedelta(hours=24)) -> list[RunState]:
    """End the runs without an event for so long with an ABORT; return them. Raises StoreError."""
    dead = open_runs(store, silent_since=datetime.now(UTC) - silent)
    abort_runs(store, dead, f"No event came for {silent}: the worker seems to have died")
    return dead


def _last_events(connection: Connection, run_ids: list[str]) -> list[dict[str, Any]]:
    payloads = (
        select(event.c.payload)
        .join(run, run.c.last_event_id == event.c.id)
        .where(run.c.state.not_in(END_TYPES))
    )
    events = []
    for start in range(0, len(run_ids), 500):
        page = payloads.where(run.c.run_id.in_(run_ids[start : start + 500]))
        events += [from_payload(row.payload) for row in connection.execute(page)]
    return events


def _abort(last: dict[str, Any], reason: str, now: datetime) -> dict[str, Any]:
    """Return the ABORT of the run of the event `last`, at a time that is not before it."""
    facet = {
        "_producer": PRODUCER,
        "_schemaURL": _ERROR_SCHEMA,
        "message": reason,
        "programmingLanguage": "PYTHON",
    }
    run_of = last["run"]
    return last | {
        "eventType": "ABORT",
        "eventTime": max(now, event_time(last)).isoformat(),
        "producer": PRODUCER,
        "run": run_of | {"facets": {**(run_of.get("facets") or {}), "errorMessage": facet}},
    }
