"""Forward stored events from the triggerer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ForwardTrigger(BaseTrigger):
    """Sends a backend its pending events; fires when none is left or the backend is unavailable."""

    def __init__(self, conn_id: str, store_conn_id: str | None) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.store_conn_id = store_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments of this trigger."""
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        return name, {"conn_id": self.conn_id, "store_conn_id": self.store_conn_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Drain the outbox on a thread.

        Bad input is passed in the event, because Airflow retries a task whose trigger raises.
        """
        from airflow_lineage_provider.errors import LineageError
        from airflow_lineage_provider.utils.forwarding import drain

        try:
            done = await asyncio.to_thread(drain, self.conn_id, self.store_conn_id)
        except LineageError as error:
            done = {"bad_input": str(error)}
        yield TriggerEvent(done)
