"""Commit an OpenLineage event for each record of a dbt run and for each movement of data."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf
from openlineage.client.serde import Serde

from airflow_lineage_provider.dbt.records import HooksFinished, Idle, Invocation, NodeFinished, NodeStarted
from airflow_lineage_provider.events.invocation import InvocationEvents
from airflow_lineage_provider.events.masking import mask_event_literals, redact_values, secret_values
from airflow_lineage_provider.events.movement import movement_event
from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.reports.escape import one_line
from airflow_lineage_provider.store.dead_runs import abort_runs, open_runs
from airflow_lineage_provider.store.errors import StoreError, StoreLocationError
from airflow_lineage_provider.utils.dag_run import dag_run_ids, earlier_try_run_ids, run_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from airflow.sdk import Context
    from openlineage.client.event_v2 import RunEvent, RunState

    from airflow_lineage_provider.dbt.records import Record
    from airflow_lineage_provider.events.movement import Movement

log = logging.getLogger(__name__)

BATCH = 50
"""The largest number of events in one transaction."""
BATCH_SECONDS = 0.1
RETRY_SECONDS = 30.0
"""Pause between attempts at a store that fails, because an attempt can take seconds."""


class Emitter:
    """Commits the event of each record as it arrives.

    Raises StoreLocationError before dbt starts when the configured store can never work. A failing store
    never fails the models: events are buffered and retried every 30 s and once at the end; those that are
    not committed by then are logged and counted in `lost`.
    """

    def __init__(
        self, context: Context, store_conn_id: str | None, variables: Mapping[str, Any] | None = None
    ) -> None:
        self._store = EventStoreHook(store_conn_id).get_conn()
        # dbt's env_var() and var() put such values into SQL, where nothing tells that they are secret.
        self._store.redact = redact_values(secret_values({**os.environ, **(variables or {})}))
        self._context = run_context(context)
        self._masks_literals = conf.getboolean("airflow_lineage", "mask_sql_literals", fallback=False)
        self._events = InvocationEvents(self._context)
        self._pending: list[dict[str, Any]] = []
        self._retry_at = self._batch_since = 0.0
        self.invocation_id: str | None = None
        self.on_event: Callable[[dict[str, Any]], None] | None = None
        """Called with each event of a dbt node."""
        self.emitted = 0
        self.lost = 0
        error = self._commit()
        if isinstance(error, StoreLocationError):
            raise error
        if error is None:
            self._abort_earlier_tries(context)

    def emit(self, record: Record) -> None:
        """Commit the event of `record`, together with others if the records arrive faster than commits."""
        if isinstance(record, Invocation):
            self.invocation_id = record.invocation_id
            self._events.of(record)
        elif isinstance(record, NodeStarted | NodeFinished):
            self._add(record.node.label, lambda: self._events.of(record), batch=True, of_node=True)
        elif isinstance(record, HooksFinished):
            self._add(record.label, lambda: self._events.of(record), batch=True)
        elif isinstance(record, Idle):
            self._commit_if_due()

    def emit_movement(
        self, movement: Movement, state: RunState, at: datetime, error: str = "", *, batch: bool = False
    ) -> None:
        """Commit the event of a movement that reached `state` at the time `at`; `batch`: with others."""
        made = (movement, state, at, self._context, error)
        self._add(movement.job_name, lambda: [movement_event(*made)], batch=batch)

    def finish(self) -> None:
        """Try once more to commit the pending events, and count what stays uncommitted as lost."""
        if error := self._commit():
            for event in self._pending:
                self._lose(event["job"]["name"], error)
            self._pending.clear()

    def _add(
        self, job: str, make: Callable[[], list[RunEvent]], *, batch: bool = False, of_node: bool = False
    ) -> None:
        """Make an event and commit it; while the store fails, it stays pending until the next retry."""
        try:
            made = [Serde.to_dict(event) for event in make()]
            made = list(map(mask_event_literals, made)) if self._masks_literals else made
            self._pending += made
            if of_node and self.on_event:
                for event in made:
                    self.on_event(event)
        except Exception as error:  # noqa: BLE001 - lineage never fails the models
            self._lose(job, error)
        now = time.monotonic()
        self._batch_since = self._batch_since or now
        if not batch or len(self._pending) >= BATCH or now - self._batch_since > BATCH_SECONDS:
            self._commit_if_due()

    def _commit_if_due(self) -> None:
        if self._pending and time.monotonic() >= self._retry_at:
            self._commit()

    def _commit(self) -> Exception | None:
        try:
            self._store.append(self._pending)
        except Exception as error:  # noqa: BLE001 - lineage never fails the models
            log.warning("lineage: %s; %s events are pending", one_line(str(error)), len(self._pending))
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return error
        self._batch_since = 0.0
        self.emitted += len(self._pending)
        self._pending.clear()
        return None

    def _lose(self, job: str, error: Exception) -> None:
        self.lost += 1
        log.error("lineage: the event of %s is lost: %s", one_line(job), one_line(str(error)))

    def _abort_earlier_tries(self, context: Context) -> None:
        """End with ABORT the node runs that earlier tries left open because their workers died."""
        earlier_tries = earlier_try_run_ids(context)
        if not earlier_tries:
            return
        reason = "The task was retried: the worker of this try died before the run ended"
        try:
            for root in dag_run_ids(context["dag_run"]).roots:
                runs = open_runs(self._store, root_run_id=root)
                unended = [run for run in runs if run.parent_run_id in earlier_tries]
                if unended and abort_runs(self._store, unended, reason):
                    log.warning("lineage: ended %s runs of earlier tries with ABORT", len(unended))
        except StoreError as error:
            log.warning("lineage: the open runs of earlier tries are not ended: %s", one_line(str(error)))
