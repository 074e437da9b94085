"""Check a dbt project against the documented map, and the impact of a change, as tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class LineageCheckOperator(BaseOperator):
    """Checks a dbt project's manifest against the documented map, before anything runs.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param manifest_path: the project's `target/manifest.json`, with compiled code (`dbt compile`).
    :param environment: which of the map's environments binds its names to the project's relations.
    :param scope: the layers, or dataset globs, to check; all without it.

    The map's policy says which findings are errors; an error fails the task. Returns a summary as XCom.
    """

    template_fields: Sequence[str] = ("map_path", "manifest_path", "environment", "scope")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        map_path: str,
        manifest_path: str,
        environment: str | None = None,
        scope: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.map_path = map_path
        self.manifest_path = manifest_path
        self.environment = environment
        self.scope = scope

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Compare the manifest with the map. Raises AirflowFailException on an error."""
        from airflow_lineage_provider.checks import validate
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers import load_manifest, read_evidence
        from airflow_lineage_provider.reports.text import validation_text
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.paths import path_beside_dag
        from airflow_lineage_provider.utils.validation_result import summary_or_fail

        with expected_errors_fail_task():
            lineage_map = load_map(path_beside_dag(self, self.map_path))
            manifest = load_manifest(path_beside_dag(self, self.manifest_path))
            evidence = read_evidence("manifest", manifest, lineage_map, self.environment)
            validation = validate(evidence, lineage_map, environment=self.environment, scope=self.scope)
            for line in validation_text(validation).splitlines():
                self.log.info(line)
            return summary_or_fail(validation)


class LineageImpactOperator(BaseOperator):
    """Fails when a planned change affects more dashboards, feature views and models than are allowed.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param column: the column to change, as `bronze.raw_orders.amount`, or a whole dataset.
    :param change: type, rename or drop. With it, the log has the effect on each downstream column.
    :param allowed: the number of consumers that the change may affect.
    :param warn_only: log a warning instead of failing the task.

    Returns what is affected as XCom.
    """

    template_fields: Sequence[str] = ("map_path", "column", "change")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        map_path: str,
        column: str,
        change: str | None = None,
        allowed: int = 0,
        warn_only: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.map_path = map_path
        self.column = column
        self.change = change
        self.allowed = allowed
        self.warn_only = warn_only

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Return what is downstream of the column. Raises AirflowFailException for more than is allowed."""
        from airflow_lineage_provider.checks.impact import planned_change
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers.documented import read_map
        from airflow_lineage_provider.reports.impact import impact_json, impact_text
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.paths import path_beside_dag

        with expected_errors_fail_task():
            graph = read_map(load_map(path_beside_dag(self, self.map_path))).graph
            found, effects = planned_change(graph, self.column, self.change)
        for line in impact_text(graph, found, effects).splitlines():
            self.log.info(line)
        impact = impact_json(graph, found, effects)
        consumers = impact["consumers"]
        if len(consumers) > self.allowed:
            message = (
                f"changing {self.column} affects {len(consumers)} consumers, {self.allowed} are allowed: "
                f"{', '.join(consumers)}"
            )
            if not self.warn_only:
                raise AirflowFailException(message)
            self.log.warning(message)
        return impact
