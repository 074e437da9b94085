"""The lineage of MLflow's registered models as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook, BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.systems.saved import SavedAnswer


class MlflowLineageOperator(BaseOperator):
    """Emits the lineage of MLflow's registered models: the data sets that the run of a version logged.

    Reads the REST API and changes nothing. The version with the alias `champion` counts, else the newest. A
    model whose run logged no data set fails the task, because what it was trained on is not known.

    :param models: names of registered models; all of the server without it.
    :param conn_id: a connection of type `http` to the server. Login and password are basic authentication, a
        password alone is a bearer token; `verify` in its extra is the path of a CA bundle, or false.
    :param saved_answer: a file that `airflow-lineage fetch mlflow` wrote, or a folder with one, which is read
        in place of MLflow; relative to the DAG file's folder.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: jobs by state, problems, events, the time of a saved answer.
    """

    template_fields: Sequence[str] = ("models", "saved_answer")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        models: Sequence[str] | str | None = None,
        conn_id: str = "mlflow_default",
        saved_answer: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.models = models
        self.conn_id = conn_id
        self.saved_answer = saved_answer
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read MLflow or the saved answer, and commit the events."""
        from airflow_lineage_provider.utils.answers import commit_answer, read_answer
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task

        with expected_errors_fail_task():
            answer = read_answer(self, "mlflow", self.saved_answer, self._fetch)
            return commit_answer(context, self.store_conn_id, answer)

    def _fetch(self) -> SavedAnswer:
        from airflow_lineage_provider.hooks.http_api import json_api
        from airflow_lineage_provider.systems.mlflow import DEFAULT_PORT, TITLE, api_answer

        api = json_api(BaseHook.get_connection(self.conn_id), TITLE, DEFAULT_PORT)
        return api_answer(api, (self.models,) if isinstance(self.models, str) else self.models or ())
