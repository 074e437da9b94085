"""What was seen of a job in an outside system: its movement of data, and the state that it is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunState

    from airflow_lineage_provider.events.movement import Movement


@dataclass(frozen=True, slots=True)
class Observation:
    """A job of an outside system as it is now.

    COMPLETE: data flows or has flowed. FAIL: the system says that it failed. ABORT: nothing has flowed,
    because it is stopped or has not begun. `error` says why, in the two last states.
    """

    movement: Movement
    state: RunState
    error: str = ""
