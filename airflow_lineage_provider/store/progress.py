"""Whether an event store can be read by this version, and how far it and its consumers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, inspect, select

from airflow_lineage_provider.store.errors import StoreError
from airflow_lineage_provider.store.records import indexable
from airflow_lineage_provider.store.schema import REVISION, consumer, event, version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from airflow_lineage_provider.store.store import EventStore


class NewerStoreError(StoreError):
    """The event store was made by a newer version of this package."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """The events that the slowest consumer has not received, and the consumers that fail, with since when."""

    waiting: int
    failing: tuple[tuple[str, str], ...]


def newest_events(store: EventStore, root_run_ids: Iterable[str]) -> dict[str, int]:
    """Return the position of the newest event below each of these root runs; nothing for one without events.

    Raises NewerStoreError, and StoreError where there is no store.
    """
    roots = {indexable(root): root for root in root_run_ids}
    query = select(event.c.root_run_id, func.max(event.c.id)).where(event.c.root_run_id.in_(roots))
    with store.database.read() as connection:
        require_known_revision(store, connection)
        found = connection.execute(query.group_by(event.c.root_run_id))
        return {roots[str(root)]: int(position) for root, position in found.tuples()}


def newest_event(store: EventStore, root_run_ids: Iterable[str]) -> int:
    """Return the position of the newest event below these root runs; 0 without one. Raises alike."""
    return max(newest_events(store, root_run_ids).values(), default=0)


def require_known_revision(store: EventStore, connection: Connection) -> None:
    """Raise NewerStoreError for a store of a newer version, and StoreError for one without tables."""
    tables = inspect(connection)
    if not tables.has_table(version.name):
        raise StoreError(f"The event store {store} is empty: run a pipeline first")
    found = connection.scalar(select(version.c.version_num))
    if found is not None and found > REVISION:
        raise NewerStoreError(
            f"The event store {store} was made by a newer version of this package: upgrade it here too"
        )


def dags_with_events(store: EventStore, dag_ids: Iterable[str]) -> set[str]:
    """Return which of these DAGs have events of their tasks. Raises StoreError."""
    found = set()
    with store.database.read() as connection:
        require_known_revision(store, connection)
        for dag_id in dag_ids:
            name = indexable(dag_id)
            # All names that begin with `DAG_ID.`, by the index: `/` is the character after the point.
            tasks = (event.c.job_name >= f"{name}.") & (event.c.job_name < f"{name}/")
            if connection.scalar(select(event.c.id).where(tasks).limit(1)):
                found.add(dag_id)
    return found


def outbox(store: EventStore) -> Outbox:
    """Return the state of forwarding. Raises StoreError."""
    with store.database.read() as connection:
        newest = connection.scalar(select(func.max(event.c.id))) or 0
        rows = connection.execute(
            select(consumer.c.name, consumer.c.position, consumer.c.error, consumer.c.error_since)
        ).all()
    waiting = max((newest - row.position for row in rows), default=0)
    return Outbox(waiting, tuple((row.name, row.error_since) for row in rows if row.error))
