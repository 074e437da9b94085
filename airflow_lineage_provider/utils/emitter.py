"""From dbt's records and other movements of data to committed events."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf
from openlineage.client.serde import Serde

from airflow_lineage_provider.dbt.records import Idle, Invocation, NodeFinished, NodeStarted
from airflow_lineage_provider.events.masking import mask_event
from airflow_lineage_provider.events.movement import movement_event
from airflow_lineage_provider.events.nodes import NodeEvents
from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.store.dead_runs import abort_runs, open_runs
from airflow_lineage_provider.store.errors import StoreError, StoreLocationError
from airflow_lineage_provider.utils.dag_run import dag_run_ids, last_try_run_id, run_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from airflow.sdk import Context
    from openlineage.client.event_v2 import RunEvent, RunState

    from airflow_lineage_provider.dbt.records import Record
    from airflow_lineage_provider.events.movement import Movement

log = logging.getLogger(__name__)

BATCH = 50  # events of one transaction at most
BATCH_SECONDS = 0.1
PAUSE = 30.0  # seconds in which a store that fails is not asked again, because asking can take some


class Emitter:
    """Commits the event of each record as it comes.

    Where there can be no store, StoreLocationError is raised before dbt begins. A store that is there and
    fails does not fail the models: what it did not take waits, and is given to it again every half minute
    and at the end; what it has not taken by then is counted and said.
    """

    def __init__(self, context: Context, store_conn_id: str | None) -> None:
        self._store = EventStoreHook(store_conn_id).get_conn()
        self._context = run_context(context)
        self._masks_literals = conf.getboolean("airflow_lineage", "mask_sql_literals", fallback=False)
        self._events: NodeEvents | None = None
        self._waiting: list[dict[str, Any]] = []
        self._ask_again = self._batch_since = 0.0
        self.invocation_id: str | None = None
        self.emitted = 0
        self.lost = 0
        error = self._commit()
        if isinstance(error, StoreLocationError):
            raise error
        if error is None:
            self._close_last_try(context)

    def emit(self, record: Record) -> None:
        """Commit the event of a record, or several in one transaction where the records come faster."""
        if isinstance(record, Invocation):
            self.invocation_id = record.invocation_id
            self._events = NodeEvents(record, self._context)
        elif isinstance(record, NodeStarted | NodeFinished) and self._events:
            event_of: Any = self._events.start if isinstance(record, NodeStarted) else self._events.end
            self._add(record.node.label, lambda: event_of(record), batch=True)
        elif isinstance(record, Idle):
            self._commit_if_due()

    def emit_movement(self, movement: Movement, state: RunState, at: datetime, error: str = "") -> None:
        """Commit the event of a movement that reached `state` at the time `at`."""
        self._add(movement.job_name, lambda: movement_event(movement, state, at, self._context, error))

    def finish(self) -> None:
        """Give the store a last chance to take what it has not taken."""
        if error := self._commit():
            for event in self._waiting:
                self._lose(event["job"]["name"], error)
            self._waiting.clear()

    def _add(self, job: str, make: Callable[[], RunEvent], *, batch: bool = False) -> None:
        """Make an event and commit it, unless the store failed a moment ago: then it waits."""
        try:
            self._waiting.append(mask_event(Serde.to_dict(make()), literals=self._masks_literals))
        except Exception as error:  # noqa: BLE001 - lineage never fails the models
            self._lose(job, error)
        now = time.monotonic()
        self._batch_since = self._batch_since or now
        if not batch or len(self._waiting) >= BATCH or now - self._batch_since > BATCH_SECONDS:
            self._commit_if_due()

    def _commit_if_due(self) -> None:
        if self._waiting and time.monotonic() >= self._ask_again:
            self._commit()

    def _commit(self) -> Exception | None:
        try:
            self._store.append(self._waiting)
        except Exception as error:  # noqa: BLE001 - lineage never fails the models
            log.warning("lineage: %s; %s events wait for it", error, len(self._waiting))
            self._ask_again = time.monotonic() + PAUSE
            return error
        self._batch_since = 0.0
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
        reason = "The task was tried again: the worker that ran this died without saying so"
        try:
            for root in dag_run_ids(context["dag_run"]).roots:
                runs = open_runs(self._store, root_run_id=root)
                left = [run for run in runs if run.parent_run_id == last_try]
                if left and abort_runs(self._store, left, reason):
                    log.warning(
                        "lineage: the last try left %s runs open; they are closed with ABORT", len(left)
                    )
        except StoreError as error:
            log.warning("lineage: what the last try left open is not closed: %s", error)
