"""What owners were told about findings, so that each is told once, and again when it changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from airflow_lineage_provider.store.records import indexable, utc_text
from airflow_lineage_provider.store.schema import notice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.store.store import EventStore


@dataclass(frozen=True, slots=True)
class Told:
    """A finding that an owner was told about.

    `finding` identifies it, `content` is what makes it another when it changes, `message` is its text.
    """

    owner: str
    finding: str
    content: str
    message: str


class Notices:
    """The notices of one sender, such as a task, in the event store. All methods raise StoreError."""

    def __init__(self, store: EventStore, sender: str) -> None:
        self._database = store.database
        self._sender = indexable(sender)

    def told(self) -> list[Told]:
        """Return the findings that owners were told about and that were there when they were."""
        columns = (notice.c.owner, notice.c.finding, notice.c.content, notice.c.message)
        with self._database.write() as connection:  # makes the tables of a new store
            rows = connection.execute(select(*columns).where(notice.c.sender == self._sender)).mappings()
            return [Told(**row) for row in rows]

    def replace(self, owner: str, told: Iterable[Told]) -> None:
        """Remember what an owner has been told, in place of what was remembered before."""
        now = utc_text(datetime.now(UTC))
        rows = [
            {
                "sender": self._sender,
                "owner": owner,
                "finding": indexable(one.finding),
                "content": one.content,
                "message": one.message,
                "told_at": now,
            }
            for one in told
        ]
        with self._database.write() as connection:
            connection.execute(delete(notice).where(notice.c.sender == self._sender, notice.c.owner == owner))
            if rows:
                connection.execute(insert(notice), rows)
