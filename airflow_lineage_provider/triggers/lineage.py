"""Wait in the triggerer for the events of a DAG run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_lineage_provider.store import EventSourceError
from airflow_lineage_provider.utils.event_wait import EventWait, EventWaitConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class LineageTrigger(BaseTrigger):
    """Fires when the events are complete, at the deadline, or on an error of the event source."""

    def __init__(self, config: dict[str, Any], poke_interval: float) -> None:
        super().__init__()
        self.config = config
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments of this trigger."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {"config": self.config, "poke_interval": self.poke_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll on a thread until the wait is over."""
        wait = await asyncio.to_thread(EventWait, EventWaitConfig(**self.config))
        # The writers are other processes, possibly on other machines: nothing can wake this one.
        while not await asyncio.to_thread(_is_over, wait):  # noqa: ASYNC110
            await asyncio.sleep(self.poke_interval)
        yield TriggerEvent({"dag_runs": self.config["dag_runs"]})


def _is_over(wait: EventWait) -> bool:
    try:
        return wait.is_over()
    except EventSourceError:  # the task gets the same error when it compares, and logs it
        return True
