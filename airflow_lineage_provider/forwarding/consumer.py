"""What a target has received: its position among the stored events, and its dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, literal, select, update

from airflow_lineage_provider.forwarding.lease import open_lease
from airflow_lineage_provider.store.records import StoredEvent, utc_text
from airflow_lineage_provider.store.schema import consumer, dead_letter, event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Insert

    from airflow_lineage_provider.store.store import EventStore

_COLUMNS = (event.c.id, event.c.run_id, event.c.payload)


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How many events one target has still to receive, and its error. Times are UTC ISO 8601, or empty."""

    target: str
    pending: int
    oldest_pending: str
    dead_letters: int
    error: str
    error_since: str
    progress_at: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a target rejected, with its error. `replay`: it is to be sent again."""

    target: str
    event_id: int
    job: str
    event_type: str
    error: str
    dead_at: str
    replay: bool


class Consumer:
    """The position of one target in the store. All methods raise StoreError."""

    def __init__(self, store: EventStore, name: str) -> None:
        self.name = name
        self._database = store.database
        self.lease = open_lease(store.database, name)

    def position(self) -> int:
        """Return the id up to which every event is delivered or a dead letter; a new consumer begins at 0."""
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

    def to_replay(self, read_to: int, limit: int) -> list[StoredEvent]:
        """Return dead letters that are to be sent again, in their order, with what was sent behind them.

        A run went on behind its dead letter. So that the target receives the run in order, its events behind
        the dead letter, up to `read_to`, are sent again too.
        """
        wanted = (dead_letter.c.consumer == self.name) & dead_letter.c.replay
        with self._database.read() as connection:
            if connection.scalar(select(dead_letter.c.event_id).where(wanted).limit(1)) is None:
                return []
        with self._database.write() as connection:
            connection.execute(_events_behind_replays(self.name, read_to))
        query = select(*_COLUMNS).join(dead_letter, dead_letter.c.event_id == event.c.id).where(wanted)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(event.c.id).limit(limit))
            return [StoredEvent(**row) for row in found.mappings()]

    def record(
        self, position: int, error: str, *, dead_letters: dict[int, str], replayed: Sequence[int] = ()
    ) -> None:
        """Commit the position and the error of the target, its new dead letters, and what was replayed."""
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


def _events_behind_replays(name: str, read_to: int) -> Insert:
    mine, behind = dead_letter.c.consumer == name, event.alias()
    first = (
        select(event.c.run_id, func.min(event.c.id).label("id"))
        .join(dead_letter, dead_letter.c.event_id == event.c.id)
        .where(mine, dead_letter.c.replay, event.c.run_id != "")
        .group_by(event.c.run_id)
        .subquery()
    )
    known = select(dead_letter.c.event_id).where(mine)
    sent = (
        select(
            literal(name),
            behind.c.id,
            literal("sent again behind a dead letter of its run"),
            literal(utc_text(datetime.now(UTC))),
            literal(value=True),
        )
        .join(first, first.c.run_id == behind.c.run_id)
        .where(behind.c.id > first.c.id, behind.c.id <= read_to, behind.c.id.not_in(known))
    )
    return insert(dead_letter).from_select(["consumer", "event_id", "error", "dead_at", "replay"], sent)


def outbox_status(store: EventStore) -> list[OutboxStatus]:
    """Return the status of every target. Raises StoreError.

    `pending` is a difference of positions, because a count would read all pending events.
    """
    of_this = dead_letter.c.consumer == consumer.c.name
    dead = select(func.count()).where(of_this).correlate(consumer).scalar_subquery()
    next_id = select(func.min(event.c.id)).where(event.c.id > consumer.c.position).correlate(consumer)
    oldest = select(event.c.stored_at).where(event.c.id == next_id.scalar_subquery()).correlate(consumer)
    query = select(consumer, dead.label("dead"), oldest.scalar_subquery().label("oldest"))
    with store.database.read() as connection:
        last = connection.scalar(select(func.max(event.c.id))) or 0
        targets = connection.execute(query.order_by(consumer.c.name)).all()
    return [
        OutboxStatus(
            target=row.name,
            pending=max(last - row.position, 0),
            oldest_pending=row.oldest or "",
            dead_letters=row.dead,
            error=row.error,
            error_since=row.error_since,
            progress_at=row.progress_at,
        )
        for row in targets
    ]


def dead_letters(store: EventStore) -> list[DeadLetter]:
    """Return the dead letters of all targets. Raises StoreError."""
    job = (event.c.job_namespace + "/" + event.c.job_name).label("job")
    columns = (dead_letter.c.consumer.label("target"), dead_letter.c.event_id, job, event.c.event_type)
    query = select(*columns, dead_letter.c.error, dead_letter.c.dead_at, dead_letter.c.replay)
    query = query.join(event, event.c.id == dead_letter.c.event_id)
    with store.database.read() as connection:
        ordered = query.order_by(dead_letter.c.consumer, dead_letter.c.event_id)
        return [DeadLetter(**row) for row in connection.execute(ordered).mappings()]


def replay(store: EventStore, target: str) -> int:
    """Mark the dead letters of a target to be sent again; return how many. Raises StoreError."""
    with store.database.write() as connection:
        mine = dead_letter.c.consumer == target
        return connection.execute(update(dead_letter).where(mine).values(replay=True)).rowcount


def discard(store: EventStore, target: str) -> int:
    """Delete the dead letters of a target; the events stay in the store. Raises StoreError."""
    with store.database.write() as connection:
        return connection.execute(delete(dead_letter).where(dead_letter.c.consumer == target)).rowcount


def skip(store: EventStore, target: str) -> int:
    """Make the first pending event of a target a dead letter; return the number of events, 1 or 0.

    For an event that breaks the target, or that gets no response: the forwarder cannot tell that from an
    outage while there is nothing else to send. Raises StoreError.
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
    """Remove a target that is no longer used, so that retention stops waiting for it. Raises StoreError."""
    with store.database.write() as connection:
        connection.execute(delete(dead_letter).where(dead_letter.c.consumer == target))
        connection.execute(delete(consumer).where(consumer.c.name == target))


def _add_dead_letters(connection: Connection, target: str, errors: Mapping[int, str]) -> None:
    now = utc_text(datetime.now(UTC))
    of_target = dead_letter.c.consumer == target
    rows = [
        {"consumer": target, "event_id": at, "error": error, "dead_at": now, "replay": False}
        for at, error in errors.items()
    ]
    if rows:
        connection.execute(delete(dead_letter).where(of_target, dead_letter.c.event_id.in_(errors)))
        connection.execute(insert(dead_letter), rows)
