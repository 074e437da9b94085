"""What a target has received: its position among the stored events, and the events set aside for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from airflow_lineage_provider.forwarding.lease import open_lease
from airflow_lineage_provider.store.records import StoredEvent, utc_text
from airflow_lineage_provider.store.schema import consumer, dead_letter, event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from airflow_lineage_provider.store.store import EventStore

_COLUMNS = (event.c.id, event.c.run_id, event.c.payload)


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How far one target is behind, and why. Times are UTC ISO 8601, or empty."""

    target: str
    pending: int
    oldest_pending: str
    dead_letters: int
    error: str
    error_since: str
    progress_at: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a target refused for good, and what it said."""

    target: str
    event_id: int
    job: str
    event_type: str
    error: str
    dead_at: str
    replay: bool


class Consumer:
    """One target's place in the store. All methods raise StoreError."""

    def __init__(self, store: EventStore, name: str) -> None:
        self.name = name
        self._database = store.database
        self.lease = open_lease(store.database, name)

    def position(self) -> int:
        """Return the id up to which every event is delivered or set aside; a new consumer begins at 0."""
        query = select(consumer.c.position).where(consumer.c.name == self.name)
        with self._database.read() as connection:
            found = connection.scalar(query)
        if found is None:
            blank = {"position": 0, "error": "", "error_since": "", "progress_at": ""}
            with self._database.write() as connection:
                connection.execute(insert(consumer).values(name=self.name, **blank))
        return found or 0

    def after(self, position: int, limit: int) -> list[StoredEvent]:
        """Return the next events behind a position."""
        query = select(*_COLUMNS).where(event.c.id > position).order_by(event.c.id).limit(limit)
        with self._database.read() as connection:
            return [StoredEvent(**row) for row in connection.execute(query).mappings()]

    def to_replay(self, limit: int) -> list[StoredEvent]:
        """Return events that were set aside and are to be sent again."""
        wanted = (dead_letter.c.consumer == self.name) & dead_letter.c.replay
        query = select(*_COLUMNS).join(dead_letter, dead_letter.c.event_id == event.c.id).where(wanted)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(event.c.id).limit(limit))
            return [StoredEvent(**row) for row in found.mappings()]

    def record(
        self, position: int, error: str, *, dead_letters: dict[int, str], replayed: Sequence[int] = ()
    ) -> None:
        """Commit how far the target is, what it says, and what was set aside or sent at last."""
        now = utc_text(datetime.now(UTC))
        mine = dead_letter.c.consumer == self.name
        with self._database.write() as connection:
            if replayed:
                connection.execute(delete(dead_letter).where(mine, dead_letter.c.event_id.in_(replayed)))
            _add_dead_letters(connection, self.name, dead_letters)
            old = connection.execute(select(consumer).where(consumer.c.name == self.name)).one()
            since = "" if not error else old.error_since or now
            moved = now if position > old.position or replayed else old.progress_at
            change = {"position": position, "error": error, "error_since": since, "progress_at": moved}
            connection.execute(update(consumer).where(consumer.c.name == self.name).values(change))


def outbox_status(store: EventStore) -> list[OutboxStatus]:
    """Return how far every target is behind. Raises StoreError.

    Positions are subtracted rather than events counted: a count would read all that is pending.
    """
    of_this = dead_letter.c.consumer == consumer.c.name
    aside = select(func.count()).where(of_this).correlate(consumer).scalar_subquery()
    next_id = select(func.min(event.c.id)).where(event.c.id > consumer.c.position).correlate(consumer)
    oldest = select(event.c.stored_at).where(event.c.id == next_id.scalar_subquery()).correlate(consumer)
    query = select(consumer, aside.label("aside"), oldest.scalar_subquery().label("oldest"))
    with store.database.read() as connection:
        last = connection.scalar(select(func.max(event.c.id))) or 0
        targets = connection.execute(query.order_by(consumer.c.name)).all()
    return [
        OutboxStatus(
            target=row.name,
            pending=max(last - row.position, 0),
            oldest_pending=row.oldest or "",
            dead_letters=row.aside,
            error=row.error,
            error_since=row.error_since,
            progress_at=row.progress_at,
        )
        for row in targets
    ]


def dead_letters(store: EventStore) -> list[DeadLetter]:
    """Return the events that targets refused. Raises StoreError."""
    job = (event.c.job_namespace + "/" + event.c.job_name).label("job")
    columns = (dead_letter.c.consumer.label("target"), dead_letter.c.event_id, job, event.c.event_type)
    query = select(*columns, dead_letter.c.error, dead_letter.c.dead_at, dead_letter.c.replay)
    query = query.join(event, event.c.id == dead_letter.c.event_id)
    with store.database.read() as connection:
        ordered = query.order_by(dead_letter.c.consumer, dead_letter.c.event_id)
        return [DeadLetter(**row) for row in connection.execute(ordered).mappings()]


def replay(store: EventStore, target: str) -> int:
    """Ask for the set-aside events of a target to be sent again; return how many. Raises StoreError."""
    with store.database.write() as connection:
        mine = dead_letter.c.consumer == target
        return connection.execute(update(dead_letter).where(mine).values(replay=True)).rowcount


def discard(store: EventStore, target: str) -> int:
    """Give up the set-aside events of a target; they stay in the store. Raises StoreError."""
    with store.database.write() as connection:
        return connection.execute(delete(dead_letter).where(dead_letter.c.consumer == target)).rowcount


def skip(store: EventStore, target: str) -> int:
    """Set aside the first event that a target has not got; return how many there were, 1 or 0.

    For an event that breaks the target, or that it never answers: nobody but a person can tell that from
    an outage, while there is nothing else to send. Raises StoreError.
    """
    mine = consumer.c.name == target
    with store.database.write() as connection:
        found = connection.execute(select(consumer.c.position, consumer.c.error).where(mine)).one()
        pending = event.c.id > found.position
        first: int | None = connection.scalar(select(func.min(event.c.id)).where(pending))
        if first is not None:
            _add_dead_letters(connection, target, {first: found.error or "skipped"})
            connection.execute(update(consumer).where(mine).values(position=first))
    return int(first is not None)


def forget(store: EventStore, target: str) -> None:
    """Drop a target that is used no more; retention waits for those that are known. Raises StoreError."""
    with store.database.write() as connection:
        connection.execute(delete(dead_letter).where(dead_letter.c.consumer == target))
        connection.execute(delete(consumer).where(consumer.c.name == target))


def _add_dead_letters(connection: Connection, target: str, errors: Mapping[int, str]) -> None:
    now = utc_text(datetime.now(UTC))
    of_target = dead_letter.c.consumer == target
    rows = [
        {"consumer": target, "event_id": at, "error": said, "dead_at": now, "replay": False}
        for at, said in errors.items()
    ]
    if rows:
        connection.execute(delete(dead_letter).where(of_target, dead_letter.c.event_id.in_(errors)))
        connection.execute(insert(dead_letter), rows)
