"""Deletes old events that every target has received."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select

from airflow_lineage_provider.store.errors import StoreError
from airflow_lineage_provider.store.records import StoredEvent, datasets_of, utc_text
from airflow_lineage_provider.store.schema import consumer, dead_letter, event, event_dataset, run
from airflow_lineage_provider.store.validations import delete_validations

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from airflow_lineage_provider.store.store import EventStore

# Small, so that writers wait for milliseconds only.
_PAGE = 200

log = logging.getLogger(__name__)


def delete_events(store: EventStore, before: datetime, report: Callable[[int], None] = lambda _: None) -> int:
    """Delete the events that were stored before a time; return how many. Raises StoreError.

    The validations from before that time are deleted with them, except the newest of each DAG.

    Events stay that a target has not received yet or has as a dead letter. Damaged events are deleted like
    others. `report` is called with the number so far.

    An event that is stored with a later time than newer ones stays too, and a warning says so: the clock of
    its writer was ahead, or was set back since.
    """
    limit = utc_text(before)
    with store.database.read() as connection:
        last = _last_old_event(connection, limit)
        _warn_of_future_events(connection, last, limit)
    with store.database.write() as connection:
        delete_validations(connection, before)
    deleted = after = 0
    while True:
        with store.database.write() as connection:
            page = _old_events(connection, after, last, limit)
            _delete(connection, page)
        if not page:
            return deleted
        deleted, after = deleted + len(page), page[-1].id
        report(deleted)


def _last_old_event(connection: Connection, before: str) -> int:
    """Return the position of the newest old event that every target has received; 0 without one."""
    old = select(event.c.id).where(event.c.stored_at < before)
    received = connection.scalar(select(func.min(consumer.c.position)))
    if received is not None:
        old = old.where(event.c.id <= received)
    return connection.scalar(old.order_by(event.c.id.desc()).limit(1)) or 0


def _warn_of_future_events(connection: Connection, last: int, before: str) -> None:
    young = (event.c.id <= last) & (event.c.stored_at >= before)
    count, latest = connection.execute(select(func.count(), func.max(event.c.stored_at)).where(young)).one()
    if count:
        log.warning(
            "%d events have a later time than events that were stored after them, up to %s, and are kept: "
            "check the clocks of the machines that write to the store",
            count,
            latest,
        )


def _old_events(connection: Connection, after: int, last: int, before: str) -> list[StoredEvent]:
    query = select(event.c.id, event.c.run_id, event.c.payload).where(
        event.c.id > after,
        event.c.id <= last,
        event.c.stored_at < before,
        event.c.id.not_in(select(dead_letter.c.event_id)),
    )
    rows = connection.execute(query.order_by(event.c.id).limit(_PAGE))
    return [StoredEvent(**row) for row in rows.mappings()]


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
