"""From dbt's records to committed events."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from openlineage.client.serde import Serde

from airflow_lineage_provider.dbt.records import Invocation, NodeFinished, NodeStarted
from airflow_lineage_provider.events.nodes import NodeEvents
from airflow_lineage_provider.hooks.dag_run import run_context
from airflow_lineage_provider.hooks.event_store import EventStoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_lineage_provider.dbt.records import Record

log = logging.getLogger(__name__)


class Emitter:
    """Commits the event of each record as it comes.

    A store that cannot be written is found before dbt begins, and raises StoreError. One that fails while
    dbt runs does not fail the models: the events that it did not take are counted and said.
    """

    def __init__(self, context: Context, store_conn_id: str | None) -> None:
        self._store = EventStoreHook(store_conn_id).get_conn()
        self._store.append([])
        self._context = run_context(context)
        self._events: NodeEvents | None = None
        self.invocation_id: str | None = None
        self.emitted = 0
        self.lost = 0

    def emit(self, record: Record) -> None:
        """Commit what `record` means in OpenLineage, before the next record is taken."""
        if isinstance(record, Invocation):
            self.invocation_id = record.invocation_id
            self._events = NodeEvents(record, self._context)
        elif isinstance(record, NodeStarted | NodeFinished) and self._events:
            event_of = self._events.start if isinstance(record, NodeStarted) else self._events.end
            try:
                self._store.append(Serde.to_dict(event_of(record)))  # type: ignore[arg-type]
                self.emitted += 1
            except Exception as error:  # noqa: BLE001 - lineage never fails the models
                self.lost += 1
                log.error("lineage: the event of %s is lost: %s", record.node.label, error)  # noqa: TRY400
