"""Stored events on to a lineage backend, as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ForwardLineageOperator(BaseOperator):
    """Sends a backend the stored events that it has not got: at least once, in the order of each run.

    What `airflow-lineage forward` does as a service, a task does when it is scheduled. Where another is at
    work for the same backend, it sends nothing and fails. An event at which the backend breaks (it answers
    500) is tried again by each run of the task, and what came after it is sent again; with
    `airflow-lineage outbox --skip` it becomes a dead letter.

    :param conn_id: the backend, a connection of type `openlineage` or `lineage_datahub`.
    :param deferrable: send inside the triggerer, and hold no worker.
    :param store_conn_id: the event store, a connection of type `lineage_store`. The default is the option
        `[airflow_lineage] store`.

    Returns how many events it took and refused to XCom. A backend in trouble fails the task, so that it is
    tried again.
    """

    template_fields: Sequence[str] = ("conn_id",)
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self, *, conn_id: str, deferrable: bool = True, store_conn_id: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.deferrable = deferrable
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> Any:
        """Send, or let the triggerer send."""
        from airflow_lineage_provider.utils.errors import bad_input_fails_the_task
        from airflow_lineage_provider.utils.forwarding import drain

        if self.deferrable:
            from airflow_lineage_provider.triggers.forward import ForwardTrigger

            self.defer(
                trigger=ForwardTrigger(self.conn_id, self.store_conn_id), method_name="execute_complete"
            )
        with bad_input_fails_the_task():
            return self.execute_complete(context, drain(self.conn_id, self.store_conn_id))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, int]:  # noqa: ARG002
        """Say what was sent, and raise where not all was."""
        if "bad_input" in event:
            raise AirflowFailException(event["bad_input"])
        self.log.info("%s took %s events", self.conn_id, event["sent"])
        if event["dead_letters"]:
            again = f"`airflow-lineage outbox --replay {self.conn_id}`"
            self.log.warning(
                "%s rejected %s events, which are now dead letters; to send them again: %s",
                self.conn_id,
                event["dead_letters"],
                again,
            )
        if event["error"]:
            raise AirflowException(
                f"{self.conn_id}: {event['error']}; what it did not take stays in the store"
            )
        return {"sent": event["sent"], "dead_letters": event["dead_letters"]}
