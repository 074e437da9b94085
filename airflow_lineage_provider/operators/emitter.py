"""From dbt's records to committed events."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk.configuration import conf
from openlineage.client.serde import Serde

from airflow_lineage_provider.dbt.records import Invocation, NodeFinished, NodeStarted
from airflow_lineage_provider.delivery.dead_runs import abort_runs, open_runs
from airflow_lineage_provider.delivery.masking import mask_event
from airflow_lineage_provider.events.nodes import NodeEvents
from airflow_lineage_provider.hooks.dag_run import dag_run_ids, last_try_run_id, run_context
from airflow_lineage_provider.hooks.event_store import EventStoreHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_lineage_provider.dbt.records import Record

log = logging.getLogger(__name__)


class Emitter:
    """Commits the event of each record as it comes.

    A store that cannot be written is found before dbt begins, and raises StoreError. One that fails while
    dbt runs does not fail the models: what it did not take is given to it again with the next event and at
    the end, and what it has not taken by then is counted and said.
    """

    def __init__(self, context: Context, store_conn_id: str | None) -> None:
        self._store = EventStoreHook(store_conn_id).get_conn()
        self._store.append([])
        self._context = run_context(context)
        self._masks_literals = conf.getboolean("lineage", "mask_sql_literals", fallback=False)
        self._events: NodeEvents | None = None
        self._waiting: list[dict[str, Any]] = []
        self.invocation_id: str | None = None
        self.emitted = 0
        self.lost = 0
        self._close_last_try(context)

    def emit(self, record: Record) -> None:
        """Commit what `record` means in OpenLineage, before the next record is taken."""
        if isinstance(record, Invocation):
            self.invocation_id = record.invocation_id
            self._events = NodeEvents(record, self._context)
        elif isinstance(record, NodeStarted | NodeFinished) and self._events:
            event_of = self._events.start if isinstance(record, NodeStarted) else self._events.end
            try:
                event = Serde.to_dict(event_of(record))  # type: ignore[arg-type]
                self._waiting.append(mask_event(event, literals=self._masks_literals))
            except Exception as error:  # noqa: BLE001 - lineage never fails the models
                self._lose(record.node.label, error)
            self._commit()

    def finish(self) -> None:
        """Give the store a last chance to take what it has not taken."""
        if error := self._commit():
            for event in self._waiting:
                self._lose(event["job"]["name"], error)
            self._waiting.clear()

    def _commit(self) -> Exception | None:
        try:
            self._store.append(self._waiting)
        except Exception as error:  # noqa: BLE001 - lineage never fails the models
            log.warning("lineage: %s events wait for the store: %s", len(self._waiting), error)
            return error
        self.emitted += len(self._waiting)
        self._waiting.clear()
        return None

    def _lose(self, job: str, error: Exception) -> None:
        self.lost += 1
        log.error("lineage: the event of %s is lost: %s", job, error)

    def _close_last_try(self, context: Context) -> None:
        """Close the runs of nodes that the last try of this task left open: its worker died."""
        last_try = last_try_run_id(context)
        if last_try is None:
            return
        for root in dag_run_ids(context["dag_run"]).roots:
            left = [run for run in open_runs(self._store, root_run_id=root) if run.parent_run_id == last_try]
            reason = "The task was tried again: the worker that ran this died without saying so"
            if left and abort_runs(self._store, left, reason):
                log.warning("lineage: the last try left %s runs open; they are closed with ABORT", len(left))
