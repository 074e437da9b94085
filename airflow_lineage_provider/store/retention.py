"""Deletes events that are old and that every target has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select

from airflow_lineage_provider.store.errors import StoreError
from airflow_lineage_provider.store.records import StoredEvent, datasets_of, utc_text
from airflow_lineage_provider.store.schema import consumer, dead_letter, event, event_dataset, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from airflow_lineage_provider.store.store import EventStore

# Small, so that writers wait for milliseconds only.
_PAGE = 200


def delete_events(store: EventStore, before: datetime, report: Callable[[int], None] = lambda _: None) -> int:
    """Delete the events that were stored before a time; return how many. Raises StoreError.

    Events stay that a target has not received yet or has refused, and all behind the first event
    that is not old. One that is damaged goes with the others. `report` is called with the number so far.
    """
    deleted = after = 0
    while True:
        with store.database.write() as connection:
            page = _old_events(connection, after, utc_text(before))
            _delete(connection, page)
        if not page:
            return deleted
        deleted, after = deleted + len(page), page[-1].id
        report(deleted)


def _old_events(connection: Connection, after: int, before: str) -> list[StoredEvent]:
    received = connection.scalar(select(func.min(consumer.c.position)))
    wanted = event.c.id > after if received is None else event.c.id.between(after + 1, received)
    query = select(event.c.id, event.c.run_id, event.c.payload, event.c.stored_at).where(
        wanted, event.c.id.not_in(select(dead_letter.c.event_id))
    )
    rows = connection.execute(query.order_by(event.c.id).limit(_PAGE)).all()
    young = next((n for n, row in enumerate(rows) if row.stored_at >= before), len(rows))
    return [StoredEvent(row.id, row.run_id, row.payload) for row in rows[:young]]


def _delete(connection: Connection, events: list[StoredEvent]) -> None:
    keys, damaged = _keys(events)
    if keys:
        by_key = [column == bindparam(f"{column.name}_") for column in event_dataset.primary_key.columns]
        connection.execute(delete(event_dataset).where(*by_key), keys)
    if damaged:  # by no key: the whole table is read
        connection.execute(delete(event_dataset).where(event_dataset.c.event_id.in_(damaged)))
    connection.execute(delete(event).where(event.c.id.in_([old.id for old in events])))
    left = select(event.c.run_id).where(event.c.run_id == run.c.run_id).exists()
    connection.execute(delete(run).where(run.c.run_id.in_({old.run_id for old in events}), ~left))


def _keys(events: list[StoredEvent]) -> tuple[list[dict[str, object]], list[int]]:
    """Return the keys of the events' datasets, and which events are damaged and do not name them."""
    keys: list[dict[str, object]] = []
    damaged = []
    for old in events:
        try:
            named = datasets_of(old.event)
        except StoreError:
            damaged.append(old.id)
        else:
            keys += [{"name_": name, "namespace_": space, "event_id_": old.id} for space, name in named]
    return keys, damaged
