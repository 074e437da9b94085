"""Waits in the triggerer for a DAG run's events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_lineage_provider.hooks.arrival import Awaited, arrived
from airflow_lineage_provider.hooks.event_store import EventStoreHook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class LineageTrigger(BaseTrigger):
    """Fires when the awaited events are in the store, or when there is no point in waiting longer."""

    def __init__(self, awaited: dict[str, Any], store_conn_id: str | None, poke_interval: float) -> None:
        super().__init__()
        self.awaited = awaited
        self.store_conn_id = store_conn_id
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments that make this trigger anew in the triggerer."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "awaited": self.awaited,
                "store_conn_id": self.store_conn_id,
                "poke_interval": self.poke_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look into the store, off the event loop, until `arrived` says so."""
        awaited = Awaited(**self.awaited)
        # The writers are other processes, on other machines perhaps: nobody can wake us.
        while not await asyncio.to_thread(self._arrived, awaited):  # noqa: ASYNC110
            await asyncio.sleep(self.poke_interval)
        yield TriggerEvent({"root_run_ids": awaited.root_run_ids})

    def _arrived(self, awaited: Awaited) -> bool:
        return arrived(awaited, EventStoreHook(self.store_conn_id).get_conn())
