"""The newest runs of DAGs, by the events of the DAGs themselves and of what runs below them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.events.event import event_time, parent_and_root, text_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.store.source import EventSource


def latest_roots(source: EventSource, dag_ids: Iterable[str]) -> list[str]:
    """Return the id of the root run of the newest run of each DAG; a DAG that has not run is left out.

    A run that is going on, or was killed, may have no event of the DAG itself: the newest of all root runs is
    recognized by the events below it. Raises EventSourceError.
    """
    found = {dag_id: _latest_root(source, dag_id) for dag_id in dag_ids}
    newest = source.latest_root_run()
    dag_id = _root_job(source, newest) if newest else ""
    if newest and dag_id in found:
        found[dag_id] = newest
    return list(dict.fromkeys(root for root in found.values() if root))


def _latest_root(source: EventSource, dag_id: str) -> str:
    newest = max(source.events(job_name=dag_id), key=event_time, default=None)
    return (parent_and_root(newest)[1] or text_at(newest, "run", "runId")) if newest else ""


def _root_job(source: EventSource, root: str) -> str:
    names = (
        text_at(event, "run", "facets", "parent", "root", "job", "name")
        for event in source.events(root_run_id=root)
    )
    return next(filter(None, names), "")
