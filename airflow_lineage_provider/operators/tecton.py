"""The lineage of Tecton's feature views as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook, BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.systems.saved import SavedAnswer


class TectonLineageOperator(BaseOperator):
    """Emits the lineage of Tecton's feature views: sources, entities, and each feature with its window.

    Reads the JSON that Tecton's command line writes, so that its SDK is not needed here. A pipeline of the
    feature repository runs `tecton dump > definitions.json`, and `tecton plan --json-out plan.json`, which
    tells whether the workspace has these definitions. What a Python transformation makes is not known, and
    the events say so.

    :param definitions: the file that `tecton dump` printed; relative to the DAG file's folder.
    :param plan: the file of `tecton plan --json-out`.
    :param cluster: the URL of the cluster, such as `https://acme.tecton.ai`; it names the feature views.
    :param workspace: the workspace that the definitions are applied to.
    :param conn_id: a connection of type `http` to the cluster with an API key as its password, to read also
        which features are served.
    :param saved_answer: a file that `airflow-lineage fetch tecton` wrote, or a folder with one, in place of
        all of these; relative to the DAG file's folder.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: jobs by state, problems, events, the time of a saved answer.
    """

    template_fields: Sequence[str] = ("definitions", "plan", "cluster", "workspace", "saved_answer")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        definitions: str | None = None,
        plan: str | None = None,
        cluster: str = "",
        workspace: str = "",
        conn_id: str | None = None,
        saved_answer: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.definitions = definitions
        self.plan = plan
        self.cluster = cluster
        self.workspace = workspace
        self.conn_id = conn_id
        self.saved_answer = saved_answer
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the definitions or the saved answer, and commit the events."""
        from airflow_lineage_provider.utils.answers import commit_answer, read_answer
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task

        with expected_errors_fail_task():
            answer = read_answer(self, "tecton", self.saved_answer, self._fetch)
            return commit_answer(context, self.store_conn_id, answer)

    def _fetch(self) -> SavedAnswer:
        from airflow_lineage_provider.hooks.http_api import system_connection
        from airflow_lineage_provider.systems.tecton.fetch import files_answer
        from airflow_lineage_provider.utils.paths import path_beside_dag

        definitions, plan = (
            str(path_beside_dag(self, path)) if path else "" for path in (self.definitions, self.plan)
        )
        conn = system_connection(BaseHook.get_connection(self.conn_id)) if self.conn_id else None
        cluster = self.cluster or (conn.host if conn else "")
        return files_answer(definitions, plan, cluster=cluster, workspace=self.workspace, connection=conn)
