"""Validations of DAG runs, kept in the event store for the pages in Airflow's UI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, inspect, select

from airflow_lineage_provider.store.records import indexable, utc_text
from airflow_lineage_provider.store.schema import validation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from airflow_lineage_provider.store.store import EventStore

_c = validation.c
_SUMMARY = (
    *(_c.id, _c.dag_id, _c.run_id, _c.task_id, _c.made_at, _c.lineage_run_id),
    *(_c.outcome, _c.errors, _c.warnings, _c.title, _c.reads),
)


@dataclass(frozen=True, slots=True)
class ValidationRow:
    """The outcome of a validation; `id` grows with each one that is stored.

    `lineage_run_id` is the OpenLineage id of the DAG run, which changes when a task of it is cleared. `reads`
    are the ids of the DAGs whose lineage the content holds.
    """

    dag_id: str
    run_id: str
    task_id: str
    made_at: str
    lineage_run_id: str
    outcome: str
    errors: int
    warnings: int
    title: str
    reads: tuple[str, ...]
    id: int = 0


def add_validation(store: EventStore, row: ValidationRow, content: bytes) -> None:
    """Store a validation in place of an earlier one of this run by the same task. Raises StoreError."""
    values: dict[str, Any] = {
        **{name: indexable(getattr(row, name)) for name in ("dag_id", "run_id", "task_id")},
        **{name: getattr(row, name) for name in ("made_at", "outcome", "errors", "warnings")},
        "lineage_run_id": row.lineage_run_id,
        "title": indexable(row.title),
        "reads": json.dumps(row.reads),
        "content": content,
    }
    same = [_c[name] == values[name] for name in ("dag_id", "run_id", "task_id")]
    with store.database.write() as connection:
        connection.execute(delete(validation).where(*same))
        connection.execute(insert(validation).values(values))


def validations_of_runs(store: EventStore, dag_id: str, run_ids: Collection[str]) -> list[ValidationRow]:
    """Return the validations of these runs of a DAG, the oldest first. Raises StoreError."""
    wanted = [indexable(run_id) for run_id in run_ids]
    return _rows(
        store,
        select(*_SUMMARY).where(_c.dag_id == indexable(dag_id), _c.run_id.in_(wanted)).order_by(_c.id),
    )


def latest_validations(store: EventStore, dag_ids: Iterable[str] | None = None) -> list[ValidationRow]:
    """Return the newest validation of each of these DAGs, of all by default. Raises StoreError."""
    newest = select(func.max(_c.id)).group_by(_c.dag_id)
    if dag_ids is not None:
        newest = newest.where(_c.dag_id.in_([indexable(dag_id) for dag_id in dag_ids]))
    return _rows(store, select(*_SUMMARY).where(_c.id.in_(newest)).order_by(_c.dag_id))


def validation_content(store: EventStore, validation_id: int) -> bytes | None:
    """Return what was stored of a validation; None where it was replaced since. Raises StoreError."""
    with store.database.read() as connection:
        found: bytes | None = connection.scalar(select(_c.content).where(_c.id == validation_id))
    return found


def delete_validations(connection: Connection, before: datetime) -> None:
    """Delete the validations from before a time, except the newest of each DAG."""
    newest = select(func.max(_c.id)).group_by(_c.dag_id).subquery()
    connection.execute(delete(validation).where(_c.made_at < utc_text(before), _c.id.not_in(select(newest))))


def _rows(store: EventStore, query: Select[Any]) -> list[ValidationRow]:
    with store.database.read() as connection:
        if not inspect(connection).has_table(validation.name):
            return []  # a store of a version before this table, which the next write upgrades
        rows = connection.execute(query).mappings().all()
    return [ValidationRow(**{**row, "reads": tuple(json.loads(row["reads"]))}) for row in rows]
