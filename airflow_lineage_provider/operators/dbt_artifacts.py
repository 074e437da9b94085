"""The lineage of a dbt run that happened elsewhere, as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_lineage_provider.links.lineage import LineageLink, LineageReportLink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context


class DbtArtifactsLineageOperator(BaseOperator):
    """Emits the lineage of a dbt run that is over: dbt Cloud, Cosmos, a Makefile, a container.

    Reads `manifest.json`, `run_results.json` and, for the columns of tables, `catalog.json` (written by
    `dbt docs generate`), runs no dbt, and succeeds whatever the outcome of the dbt run was. The events equal
    those of `DbtLayerOperator`, and their runs have the tag `after_the_fact`, apart from:

    - run ids, and times: dbt's timings of compiling and executing in place of the begin and end of the node;
      a node without timings, such as a skipped one, has the time at which the artifact was written;
    - columns without `catalog.json`: only those of models with an enforced contract are known, and the
      column lineage through `select *` is not; with it, they are those at the time of `dbt docs generate`,
      so that START has them too;
    - rows written, where dbt's adapter does not report them (DuckDB), and whether a relation was new;
    - tables that hooks wrote, and what a hook's failure said;
    - the batches of a microbatch model that failed.

    :param target_path: dbt's `target` folder: a path, or a URL of an object store.
    :param storage_conn_id: the connection of the object store.
    :param project_dir: the folder with `dbt_project.yml`, which names the profile.
    :param profiles_dir: the folder with `profiles.yml`.
    :param profile_conn_id: an Airflow connection to the warehouse instead of a `profiles.yml`.
    :param target: the profile's target.
    :param warehouse: where the warehouse is, instead of a project with a profile: the `type` of dbt's
        adapter and `host`, `port`, `account`, `region` or `path`, as far as OpenLineage's name needs them.
    :param sources: read `sources.json` too, the results of `dbt source freshness`.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: nodes by status, events, dbt's invocation id.
    """

    template_fields: Sequence[str] = (
        "target_path",
        "project_dir",
        "profiles_dir",
        "target",
        "warehouse",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"warehouse": "json"}
    ui_color = "#fbe9e2"
    ui_fgcolor = "#3b2b26"
    operator_extra_links = (LineageLink(), LineageReportLink())

    def __init__(  # noqa: PLR0913 - where the artifacts are, and where the warehouse is
        self,
        *,
        target_path: str,
        storage_conn_id: str | None = None,
        project_dir: str | None = None,
        profiles_dir: str | None = None,
        profile_conn_id: str | None = None,
        target: str | None = None,
        warehouse: Mapping[str, Any] | None = None,
        sources: bool = False,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.target_path = target_path
        self.storage_conn_id = storage_conn_id
        self.project_dir = project_dir
        self.profiles_dir = profiles_dir
        self.profile_conn_id = profile_conn_id
        self.target = target
        self.warehouse = warehouse
        self.sources = sources
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the artifacts and commit their events. Fails for artifacts that cannot be read."""
        from airflow_lineage_provider.utils.dbt_artifacts import commit_artifacts
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task

        with expected_errors_fail_task():
            return commit_artifacts(
                context,
                self.target_path,
                storage_conn_id=self.storage_conn_id,
                project_dir=self.project_dir,
                profiles_dir=self.profiles_dir,
                profile_conn_id=self.profile_conn_id,
                target=self.target,
                warehouse=self.warehouse,
                sources=self.sources,
                store_conn_id=self.store_conn_id,
            )

    def get_openlineage_facets_on_start(self) -> Any:
        """Return no datasets: a task's event relates all inputs to all outputs; the nodes' do not."""
        from airflow.providers.openlineage.extractors import OperatorLineage

        return OperatorLineage()
