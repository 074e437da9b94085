"""Read the lineage of one DAG run from the event store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers.events import read_events
from airflow_lineage_provider.utils.dag_run_events import read_dag_run

if TYPE_CHECKING:
    from airflow_lineage_provider.readers import Evidence
    from airflow_lineage_provider.store import EventStore
    from airflow_lineage_provider.utils.dag_run import DagRunIds

MAX_EVENTS = 4_000
"""How many events of a DAG run the page reads, so that a large run costs a bounded time and memory."""


def lineage_of(ids: DagRunIds, store: EventStore) -> tuple[Evidence, bool]:
    """Return the jobs of a DAG run and its lineage, and whether there are more events than MAX_EVENTS.

    Datasets have the names that the events give. Raises StoreError.
    """
    found = read_dag_run(ids, store, MAX_EVENTS)
    return read_events(found.events, Bindings(())), found.is_truncated
