"""Forward stored events to a lineage backend as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class ForwardLineageOperator(BaseOperator):
    """Sends a backend the stored events that it has not received: at least once, in the order of each run.

    It does once what `airflow-lineage forward` does as a service. While another forwarder serves the same
    backend, the task sends nothing and fails. An event that makes the backend answer 500 is tried again by
    each run of the task, with the events behind it; `airflow-lineage outbox --skip` makes it a dead letter.

    :param conn_id: the backend, a connection of type `openlineage` or `lineage_datahub`.
    :param deferrable: send from the triggerer instead of a worker.
    :param store_conn_id: the event store, a connection of type `lineage_store`. The default is the option
        `[airflow_lineage] store`.

    Returns the numbers of accepted and rejected events as XCom. An unavailable backend fails the task, so
    that it is retried.
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
        """Send the events, or defer to the triggerer."""
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.forwarding import drain

        if self.deferrable:
            from airflow_lineage_provider.triggers.forward import ForwardTrigger

            self.defer(
                trigger=ForwardTrigger(self.conn_id, self.store_conn_id), method_name="execute_complete"
            )
        with expected_errors_fail_task():
            return self.execute_complete(context, drain(self.conn_id, self.store_conn_id))

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, int]:  # noqa: ARG002
        """Log the result. Raises AirflowException where events remain to be sent."""
        if "bad_input" in event:
            raise AirflowFailException(event["bad_input"])
        self.log.info("%s accepted %s events", self.conn_id, event["sent"])
        if event["dead_letters"]:
            self.log.warning(
                "%s rejected %s events, now dead letters; resend with `airflow-lineage outbox --replay %s`",
                self.conn_id,
                event["dead_letters"],
                self.conn_id,
            )
        if event["error"]:
            raise AirflowException(
                f"{self.conn_id}: {event['error']}; the events that it did not accept stay in the store"
            )
        return {"sent": event["sent"], "dead_letters": event["dead_letters"]}
