"""Takes stored events on, in the triggerer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ForwardTrigger(BaseTrigger):
    """Sends what a backend has not got, and fires when nothing is left or the backend is in trouble."""

    def __init__(self, conn_id: str, store_conn_id: str | None) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.store_conn_id = store_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments that make this trigger anew in the triggerer."""
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        return name, {"conn_id": self.conn_id, "store_conn_id": self.store_conn_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Drain the outbox on a thread, off the event loop.

        Bad input is told in the event: what a trigger raises, Airflow takes for something that passes.
        """
        from airflow_lineage_provider.errors import LineageError
        from airflow_lineage_provider.utils.forwarding import drain

        try:
            done = await asyncio.to_thread(drain, self.conn_id, self.store_conn_id)
        except (LineageError, ValueError) as error:
            done = {"bad_input": str(error)}
        yield TriggerEvent(done)
