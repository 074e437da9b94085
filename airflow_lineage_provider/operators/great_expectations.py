"""Suites of Great Expectations as a task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_lineage_provider.links.data_docs import DATA_DOCS_KEY, DataDocsLink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.systems.observation import Observation
    from airflow_lineage_provider.systems.quality.expectations import SuiteRun


class GreatExpectationsOperator(BaseOperator):
    """Runs suites of Great Expectations (GX Core 1.x) and emits what each expectation found, with counts.

    On Postgres and Snowflake they run in SQL; of DuckDB the columns that they name are read into pandas. An
    expectation of severity critical that is not met fails the task, one of a lower severity warns. Events
    take counts, and no value of a row; data docs also show what an expectation observed as a whole, such as
    a maximum or the distinct values. Needs the extra `great_expectations`, and on Snowflake
    `snowflake-sqlalchemy` 2.1 or newer.

    :param suites: a folder of suites in JSON, or one of them; each is named by its table, `schema.table`.
        A relative path is taken from `project_dir`.
    :param project_dir: the dbt project whose profile names the warehouse, as for `DbtLayerOperator`.
    :param profiles_dir: the folder that holds `profiles.yml`.
    :param profile_conn_id: an Airflow connection in place of a `profiles.yml`.
    :param target: the profile's target.
    :param data_docs: the folder that keeps a page of data docs for each run of a suite; a relative path is
        taken from `project_dir`. None: no pages.
    :param data_docs_url: the URL at which that folder is served. Events and the extra link name it.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: jobs by state, problems, warnings, pages of data docs, events.
    """

    template_fields: Sequence[str] = (
        "suites",
        "project_dir",
        "profiles_dir",
        "target",
        "data_docs",
        "data_docs_url",
    )
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"
    operator_extra_links = (DataDocsLink(),)

    def __init__(
        self,
        *,
        project_dir: str,
        suites: str = "expectations",
        profiles_dir: str | None = None,
        profile_conn_id: str | None = None,
        target: str | None = None,
        data_docs: str | None = "target/data_docs",
        data_docs_url: str = "",
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_dir = project_dir
        self.suites = suites
        self.profiles_dir = profiles_dir
        self.profile_conn_id = profile_conn_id
        self.target = target
        self.data_docs = data_docs
        self.data_docs_url = data_docs_url
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the suites, commit the events, fail on a critical expectation that is not met."""
        from airflow_lineage_provider.systems.quality.expectations import warnings
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.observations import commit_observations, judge_observations

        with expected_errors_fail_task():
            observed = self._run()
            pages = [run.page for run, _ in observed if run.page]
            if self.data_docs_url and pages:
                context["ti"].xcom_push(DATA_DOCS_KEY, pages[0] if len(pages) == 1 else self.data_docs_url)
            observations = [observation for _, observation in observed]
            summary = commit_observations(context, self.store_conn_id, observations)
            warned = [line for observation in observations for line in warnings(observation)]
            for line in warned:
                self.log.warning("%s", line)
            for page in pages:
                self.log.info("data docs: %s", page)
            judge_observations(observations)
            return summary | {"warnings": warned, "data_docs": pages}

    def _run(self) -> list[tuple[SuiteRun, Observation]]:
        from airflow_lineage_provider.dbt.credentials import target_credentials
        from airflow_lineage_provider.dbt.records import Relation
        from airflow_lineage_provider.dbt.warehouse import warehouse_at
        from airflow_lineage_provider.events.naming import dataset_name
        from airflow_lineage_provider.systems.quality.expectations import load_suites, suite_observation
        from airflow_lineage_provider.systems.quality.great_expectations import run_suite
        from airflow_lineage_provider.utils.dbt_profile import dbt_profile

        project = Path(self.project_dir)
        docs = project / self.data_docs if self.data_docs else None
        suites = load_suites(project / self.suites)
        found = []
        with dbt_profile(self.profile_conn_id, self.project_dir, self.target) as profiles_dir:
            credentials = target_credentials(self.project_dir, profiles_dir or self.profiles_dir, self.target)
            warehouse = warehouse_at(credentials)
            for suite in suites:
                run = run_suite(suite, credentials, docs, self.data_docs_url)
                schema, table = suite.table.split(".", 1)
                relation = Relation("", credentials.database, schema, table)
                found.append((run, suite_observation(run, dataset_name(relation, warehouse))))
        return found
