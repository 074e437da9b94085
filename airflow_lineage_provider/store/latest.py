"""The newest runs of DAGs, by the events of the DAGs themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.events.event import event_time, parent_and_root, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.store.source import EventSource


def latest_roots(source: EventSource, dag_ids: Iterable[str]) -> list[str]:
    """Return the id of the root run of the newest run of each DAG; a DAG that has not run is left out.

    Raises EventSourceError.
    """
    found = (_latest_root(source, dag_id) for dag_id in dict.fromkeys(dag_ids))
    return list(dict.fromkeys(root for root in found if root))


def _latest_root(source: EventSource, dag_id: str) -> str:
    newest = max(source.events(job_name=dag_id), key=event_time, default=None)
    return (parent_and_root(newest)[1] or text_at(newest, "run", "runId")) if newest else ""
