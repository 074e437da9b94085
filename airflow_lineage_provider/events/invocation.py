"""The events of one dbt invocation, record by record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.dbt.records import HooksFinished, Invocation, NodeFinished, NodeStarted
from airflow_lineage_provider.events.nodes import NodeEvents

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

    from airflow_lineage_provider.dbt.records import Record
    from airflow_lineage_provider.events.context import RunContext


class InvocationEvents:
    """Makes the events of each record of an invocation, whose first record says which it is."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._nodes: NodeEvents | None = None

    def of(self, record: Record) -> list[RunEvent]:
        """Return the events of a record; none for a record of dbt's log or of its progress."""
        if isinstance(record, Invocation):
            self._nodes = NodeEvents(record, self._context)
        elif self._nodes is None:
            return []
        elif isinstance(record, NodeStarted):
            return [self._nodes.start(record)]
        elif isinstance(record, NodeFinished):
            return [self._nodes.end(record)]
        elif isinstance(record, HooksFinished):
            return self._nodes.hooks(record)
        return []
