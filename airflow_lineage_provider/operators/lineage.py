"""Check a dbt project against the documented map, and the impact of a change, as tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.utils.notifications import Notify


class LineageCheckOperator(BaseOperator):
    """Checks a dbt project's manifest against the documented map, before anything runs.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param manifest_path: the project's `target/manifest.json`, with compiled code (`dbt compile`).
    :param environment: which of the map's environments binds its names to the project's relations.
    :param scope: the layers, or dataset globs, to check; all without it.
    :param notify: a notifier of Airflow, or several, that tells the owners of the consumers that errors and
        warnings reach. Each owner is told once a finding, again when it changes, and when it is gone. The
        templates of the notifier may name `lineage_owner`, `lineage_message`, and the lists `lineage_new`,
        `lineage_changed` and `lineage_gone`.

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
        notify: Notify | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.map_path = map_path
        self.manifest_path = manifest_path
        self.environment = environment
        self.scope = scope
        self.notify = notify

    def execute(self, context: Context) -> dict[str, Any]:
        """Compare the manifest with the map. Raises AirflowFailException on an error."""
        from airflow_lineage_provider.checks import validate
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers import load_manifest, read_evidence
        from airflow_lineage_provider.reports.text import validation_text
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.notifications import tell_owners
        from airflow_lineage_provider.utils.paths import path_beside_dag
        from airflow_lineage_provider.utils.validation_result import summary_or_fail

        with expected_errors_fail_task():
            lineage_map = load_map(path_beside_dag(self, self.map_path))
            manifest = load_manifest(path_beside_dag(self, self.manifest_path))
            evidence = read_evidence("manifest", manifest, lineage_map, self.environment)
            validation = validate(evidence, lineage_map, environment=self.environment, scope=self.scope)
            for line in validation_text(validation).splitlines():
                self.log.info(line)
            tell_owners(self.notify, context, validation.comparison.findings, lineage_map, evidence.graph)
            return summary_or_fail(validation)


class LineageImpactOperator(BaseOperator):
    """Fails when a planned change affects more dashboards, feature views and models than are allowed.

    The change is one of a column, the SQL of a migration, or a new version of a dbt project: give `column`,
    `migration_path`, or `manifest_path` with `against_path`. Of a migration and a project only the consumers
    count that the map's policy calls an error (finding `consumer-affected`) and does not accept.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param column: the column to change, as `bronze.raw_orders.amount`, or a whole dataset.
    :param change: type, rename or drop. With it, the log has the effect on each downstream column.
    :param migration_path: a file of SQL with ALTER, DROP, RENAME, CREATE OR REPLACE.
    :param dialect: the dialect of that SQL; by default that of the environment's warehouse.
    :param manifest_path: the manifest of the new version of a dbt project, with compiled code.
    :param against_path: the manifest of the old version.
    :param environment: which of the map's environments binds its names to tables.
    :param allowed: the number of consumers that the change may affect.
    :param warn_only: log a warning instead of failing the task.

    Returns what is affected as XCom.
    """

    template_fields: Sequence[str] = (
        *("map_path", "column", "change", "migration_path", "manifest_path", "against_path", "environment"),
    )
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(  # noqa: PLR0913 - three kinds of change
        self,
        *,
        map_path: str,
        column: str | None = None,
        change: str | None = None,
        migration_path: str | None = None,
        dialect: str | None = None,
        manifest_path: str | None = None,
        against_path: str | None = None,
        environment: str | None = None,
        allowed: int = 0,
        warn_only: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.map_path = map_path
        self.column = column
        self.change = change
        self.migration_path = migration_path
        self.dialect = dialect
        self.manifest_path = manifest_path
        self.against_path = against_path
        self.environment = environment
        self.allowed = allowed
        self.warn_only = warn_only

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Return what is affected. Raises AirflowFailException for more than is allowed."""
        from airflow_lineage_provider.errors import InputError
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.paths import path_beside_dag

        with expected_errors_fail_task():
            ways = (self.column, self.migration_path, self.manifest_path and self.against_path)
            if sum(map(bool, ways)) != 1:
                raise InputError("give one of column, migration_path, and manifest_path with against_path")
            lineage_map = load_map(path_beside_dag(self, self.map_path))
            if self.column:
                found, affected = self._column(lineage_map, self.column)
            else:
                found, affected = self._migration(lineage_map)
        if len(affected) > self.allowed:
            message = (
                f"changing {self.column or self.migration_path or self.manifest_path} affects "
                f"{len(affected)} consumers, {self.allowed} are allowed: {', '.join(affected)}"
            )
            if not self.warn_only:
                raise AirflowFailException(message)
            self.log.warning(message)
        return found

    def _column(self, lineage_map: LineageMap, column: str) -> tuple[dict[str, Any], list[str]]:
        from airflow_lineage_provider.checks.impact import planned_change
        from airflow_lineage_provider.readers.documented import read_map
        from airflow_lineage_provider.reports.impact import impact_json, impact_text

        graph = read_map(lineage_map).graph
        found, effects = planned_change(graph, column, self.change)
        self._print(impact_text(graph, found, effects))
        impact = impact_json(graph, found, effects)
        return impact, impact["consumers"]

    def _migration(self, lineage_map: LineageMap) -> tuple[dict[str, Any], list[str]]:
        """Return the impact as data, and the consumers affected; a migration that cannot be read is one."""
        from airflow_lineage_provider.checks.gate import gated_impact
        from airflow_lineage_provider.reports.migration import affected, migration_data, migration_text
        from airflow_lineage_provider.utils.paths import path_beside_dag

        paths = (self.migration_path, self.manifest_path, self.against_path)
        migration, manifest, against = (path_beside_dag(self, path) if path else None for path in paths)
        found = gated_impact(
            lineage_map,
            migrations=[migration] if migration else [],
            manifest=manifest,
            against=against,
            dialect=self.dialect,
            environment=self.environment,
        )
        self._print(migration_text(found))
        return migration_data(found), affected(found)

    def _print(self, text: str) -> None:
        for line in text.splitlines():
            self.log.info(line)
