"""The lineage of Feast's feature views as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.systems.saved import SavedAnswer


class FeastLineageOperator(BaseOperator):
    """Emits the lineage of a Feast project: its feature views with sources, entities and features.

    Reads the registry by Feast's library, in this process or by the Python of another environment, and
    changes nothing. What an on-demand view computes is not known, and the events say so.

    :param repository: the folder with `feature_store.yaml`; relative to the DAG file's folder.
    :param python: the Python interpreter of the environment that has Feast; this one's without it.
    :param saved_answer: a file that `airflow-lineage fetch feast` wrote, or a folder with one, which is read
        in place of the registry; relative to the DAG file's folder.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: jobs by state, problems, events, the time of a saved answer.
    """

    template_fields: Sequence[str] = ("repository", "python", "saved_answer")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        repository: str | None = None,
        python: str | None = None,
        saved_answer: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.repository = repository
        self.python = python
        self.saved_answer = saved_answer
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the registry or the saved answer, and commit the events."""
        from airflow_lineage_provider.utils.answers import commit_answer, read_answer
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task

        with expected_errors_fail_task():
            answer = read_answer(self, "feast", self.saved_answer, self._fetch)
            return commit_answer(context, self.store_conn_id, answer)

    def _fetch(self) -> SavedAnswer:
        from airflow_lineage_provider.systems.feast.lineage import repository_answer
        from airflow_lineage_provider.utils.paths import path_beside_dag

        if not self.repository:
            raise InputError("give repository, the folder of feature_store.yaml, or saved_answer")
        return repository_answer(str(path_beside_dag(self, self.repository)), self.python)
