"""Waits in the triggerer for a DAG run's events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_lineage_provider.store import EventSourceError
from airflow_lineage_provider.utils.event_wait import Awaited, Wait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class LineageTrigger(BaseTrigger):
    """Fires when the awaited events are there, or when there is no point in waiting longer."""

    def __init__(self, awaited: dict[str, Any], poke_interval: float) -> None:
        super().__init__()
        self.awaited = awaited
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments that make this trigger anew in the triggerer."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {"awaited": self.awaited, "poke_interval": self.poke_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look for the events, off the event loop, until the wait is over."""
        wait = await asyncio.to_thread(Wait, Awaited(**self.awaited))
        # The writers are other processes, on other machines perhaps: nobody can wake us.
        while not await asyncio.to_thread(_is_over, wait):  # noqa: ASYNC110
            await asyncio.sleep(self.poke_interval)
        yield TriggerEvent({"root_run_ids": self.awaited["root_run_ids"]})


def _is_over(wait: Wait) -> bool:
    try:
        return wait.is_over()
    except EventSourceError:  # the task meets it again when it compares, and says it in its own log
        return True
