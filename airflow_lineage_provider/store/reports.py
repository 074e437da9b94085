"""Reports of checks that run regularly, kept in the event store for their trend."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, inspect, select

from airflow_lineage_provider.store.errors import StoreError
from airflow_lineage_provider.store.records import indexable, utc_text
from airflow_lineage_provider.store.schema import report

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_lineage_provider.store.store import EventStore


def add_report(store: EventStore, kind: str, subject: str, at: datetime, content: dict[str, Any]) -> None:
    """Keep a report: `kind` of check, such as `reconciliation`, and what it is about. Raises StoreError."""
    row = {
        "kind": indexable(kind),
        "subject": indexable(subject),
        "made_at": utc_text(at),
        "content": zlib.compress(json.dumps(content).encode(), 1),
    }
    with store.database.write() as connection:
        connection.execute(insert(report).values(row))


def reports(store: EventStore, kind: str, subject: str, *, last: int = 100) -> list[dict[str, Any]]:
    """Return the last reports of a kind about a subject, the newest first, each with its time as `made_at`.

    None where the store has none yet. Raises StoreError.
    """
    query = (
        select(report.c.made_at, report.c.content)
        .where(report.c.kind == indexable(kind), report.c.subject == indexable(subject))
        .order_by(report.c.made_at.desc(), report.c.id.desc())
        .limit(last)
    )
    with store.database.read() as connection:
        if not inspect(connection).has_table(report.name):
            return []  # a store of a version before this table, which the next write upgrades
        rows = connection.execute(query).all()
    return [{"made_at": row.made_at, **_content(row.content)} for row in rows]


def _content(payload: bytes) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(zlib.decompress(payload))
    except (zlib.error, ValueError) as error:
        raise StoreError(f"A report in the event store is damaged: {error}") from error
    return content
