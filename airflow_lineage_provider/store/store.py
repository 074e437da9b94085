"""The event store: every OpenLineage event, committed before anything else happens to it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from airflow_lineage_provider.events.masking import mask_event
from airflow_lineage_provider.store.database import PATIENCE, Database
from airflow_lineage_provider.store.errors import StoreError
from airflow_lineage_provider.store.records import (
    EventRecord,
    from_payload,
    indexable,
    to_record,
    utc_text,
)
from airflow_lineage_provider.store.schema import event as event_table
from airflow_lineage_provider.store.schema import event_dataset, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.engine.interfaces import DBAPICursor

_PAGE = 500

# Text, and given to the driver's own cursor: SQLAlchemy's execution costs several times what these do.
_ADD_EVENT = """
INSERT INTO event (stored_at, event_time, event_type, run_id, root_run_id, parent_run_id,
                   job_namespace, job_name, content_hash, payload)
VALUES (:stored_at, :event_time, :event_type, :run_id, :root_run_id, :parent_run_id,
        :job_namespace, :job_name, :content_hash, :payload)
ON CONFLICT DO NOTHING RETURNING id
"""
_ADD_DATASET = "INSERT INTO event_dataset (namespace, name, event_id) VALUES (:namespace, :name, :event_id)"
_ADD_RUN = """
INSERT INTO run (run_id, root_run_id, parent_run_id, job_namespace, job_name, state,
                 first_event_id, last_event_id)
VALUES (:run_id, :root_run_id, :parent_run_id, :job_namespace, :job_name, :event_type,
        :event_id, :event_id)
ON CONFLICT (run_id) DO UPDATE SET last_event_id = excluded.last_event_id,
    state = CASE WHEN run.state IN ('COMPLETE', 'FAIL', 'ABORT') THEN run.state ELSE excluded.state END
"""


@dataclass(frozen=True, slots=True)
class RunState:
    """A run by its events; `state` is the type of the last one, and an end is final."""

    run_id: str
    parent_run_id: str
    job_namespace: str
    job_name: str
    state: str


class EventStore:
    """OpenLineage events in SQLite (a file's path, `sqlite:///PATH`) or Postgres (`postgresql://...`).

    The first `append` creates the file, its folder and the tables. Safe to use from threads, from several
    processes at once, and after a fork. Every method raises StoreError.
    """

    def __init__(self, url: str, redact: Callable[[str], str] | None = None) -> None:
        self.database = Database(url)
        self.redact = redact
        self._away_since: float | None = None

    def __str__(self) -> str:
        """Name the store without its credentials."""
        return str(self.database)

    def close(self) -> None:
        """Close the connections. The store can be used again."""
        self.database.disconnect()

    def append(self, events: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> int:
        """Mask and commit an event, or several in one transaction; return how many were new.

        Secrets of known forms are masked here, for emitted and for received events, and those that `redact`
        replaces.

        An event that is already in the store, equal in every byte, is not stored again. So a store that is
        away or locked is retried for some seconds: once, and not for each event while it stays away.
        """
        now, started = datetime.now(UTC), time.monotonic()
        given = [events] if isinstance(events, Mapping) else events
        records = [to_record(mask_event(event, self.redact), now) for event in given]
        while True:
            try:
                added = self._append(records)
            except StoreError as error:
                self._away_since = self._away_since or started
                if not error.unreachable or time.monotonic() > self._away_since + PATIENCE:
                    raise
                time.sleep(0.1)
            else:
                self._away_since = None
                return added

    def _append(self, records: Sequence[EventRecord]) -> int:
        with self.database.cursor() as cursor:
            return sum(self._insert(cursor, record) for record in records)

    def events(
        self,
        *,
        root_run_id: str | None = None,
        run_id: str | None = None,
        job_namespace: str | None = None,
        job_name: str | None = None,
        dataset: str | None = None,
        dataset_namespace: str | None = None,
        since: datetime | None = None,
        after: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Yield the events that meet every condition, in the order in which they were stored.

        `dataset` is the name of an input, an output or the subject of a dataset event; `since` leaves out
        the events of an earlier time. Memory is constant, and nothing is locked between two pages.
        """
        wanted = {
            event_table.c.root_run_id: root_run_id,
            event_table.c.run_id: run_id,
            event_table.c.job_namespace: job_namespace,
            event_table.c.job_name: job_name,
        }
        query = select(event_table.c.id, event_table.c.payload).order_by(event_table.c.id).limit(_PAGE)
        for column, value in wanted.items():
            if value is not None:
                query = query.where(column == indexable(value))
        if since is not None:
            query = query.where(event_table.c.event_time >= utc_text(since))
        if dataset is not None:
            named = select(event_dataset.c.event_id).where(event_dataset.c.name == indexable(dataset))
            if dataset_namespace is not None:
                named = named.where(event_dataset.c.namespace == indexable(dataset_namespace))
            query = query.where(event_table.c.id.in_(named))
        while True:
            with self.database.read() as connection:
                page = connection.execute(query.where(event_table.c.id > after)).all()
            for row in page:
                yield from_payload(row.payload)
            if len(page) < _PAGE:
                return
            after = page[-1].id

    def latest_root_run(self) -> str | None:
        """Return the id of the root run that the newest event belongs to; None in an empty store."""
        query = select(event_table.c.root_run_id).where(event_table.c.root_run_id != "")
        with self.database.read() as connection:
            return connection.scalar(query.order_by(event_table.c.id.desc()).limit(1))

    def run_states(self, root_run_id: str) -> dict[str, RunState]:
        """Return the state of every run below this root run, and of the root itself, by run id."""
        columns = (run.c.run_id, run.c.parent_run_id, run.c.job_namespace, run.c.job_name, run.c.state)
        query = (
            select(*columns).where(run.c.root_run_id == indexable(root_run_id)).order_by(run.c.first_event_id)
        )
        with self.database.read() as connection:
            return {row["run_id"]: RunState(**row) for row in connection.execute(query).mappings()}

    @cached_property
    def _inserts(self) -> list[str]:
        return [self.database.compiled(statement) for statement in (_ADD_EVENT, _ADD_DATASET, _ADD_RUN)]

    def _insert(self, cursor: DBAPICursor, record: EventRecord) -> int:
        add_event, add_dataset, add_run = self._inserts
        self.database.extend_limit()
        cursor.execute(add_event, record.columns)
        new = cursor.fetchall()
        for (event_id,) in new:
            rows = [
                {"namespace": namespace, "name": name, "event_id": event_id}
                for namespace, name in record.datasets
            ]
            if rows:
                cursor.executemany(add_dataset, rows)
            if record.run_id:
                cursor.execute(add_run, record.columns | {"event_id": event_id})
        return len(new)
