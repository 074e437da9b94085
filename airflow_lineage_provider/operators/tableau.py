"""The lineage of Tableau as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.systems.saved import SavedAnswer


class TableauLineageOperator(BaseOperator):
    """Emits the lineage of a Tableau site: published data sources, and dashboards with the fields they use.

    Reads the Metadata API and the schedules of extracts, and changes nothing. What the user may not see makes
    the answer incomplete: the events say so with the reason, and a validation reports it.

    :param tableau_conn_id: a connection of type `tableau`. With `{"auth": "pat"}` in its extra, login and
        password are the name and the secret of a personal access token.
    :param site_id: the site's content URL; the connection's without it.
    :param saved_answer: a file that `airflow-lineage fetch tableau` wrote, or a folder with one, which is
        read in place of Tableau; relative to the DAG file's folder.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: jobs by state, problems, events, the time of a saved answer.
    """

    template_fields: Sequence[str] = ("tableau_conn_id", "site_id", "saved_answer")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        tableau_conn_id: str = "tableau_default",
        site_id: str | None = None,
        saved_answer: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tableau_conn_id = tableau_conn_id
        self.site_id = site_id
        self.saved_answer = saved_answer
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read Tableau or the saved answer, and commit the events."""
        from airflow_lineage_provider.utils.answers import commit_answer, read_answer
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task

        with expected_errors_fail_task():
            answer = read_answer(self, "tableau", self.saved_answer, self._fetch)
            return commit_answer(context, self.store_conn_id, answer)

    def _fetch(self) -> SavedAnswer:
        from airflow_lineage_provider.systems.connection import Connection
        from airflow_lineage_provider.systems.errors import SystemReadError, one_line
        from airflow_lineage_provider.systems.tableau.client import TableauClient, credentials

        try:
            from airflow.providers.tableau.hooks.tableau import TableauHook
        except ModuleNotFoundError:
            raise InputError(
                "Tableau's provider is missing: pip install airflow-lineage-provider[tableau]"
            ) from None
        name = f"Tableau (connection {self.tableau_conn_id!r})"
        try:
            hook = TableauHook(self.site_id, self.tableau_conn_id)
        except OSError as error:
            raise SystemReadError(
                f"{name} cannot be reached ({one_line(error)}): check its host and schema", unreachable=True
            ) from None
        conn, sign_in = hook.conn, hook.get_conn
        if conn.extra_dejson.get("auth") == "pat":
            extra = {**conn.extra_dejson, "site_id": hook.site_id}
            login, password = conn.login or "", conn.password or ""
            given = Connection(self.tableau_conn_id, login=login, password=password, extra=extra)
            sign_in = lambda: hook.server.auth.sign_in(credentials(given))  # noqa: E731 - one call
        return TableauClient(hook.server, sign_in, name).answer()
