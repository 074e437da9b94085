"""Publish lineage to DataHub as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.systems.datahub.plan import CatalogSink, Planned


class DataHubLineagePublisher(BaseOperator):
    """Publishes what a map documents, and what runs emitted, to DataHub: to a server, a file, or both.

    Datasets with schema, documentation, owners and tags; dashboards, features and models; table and column
    lineage, one entry an edge; the DAG, its tasks and dbt's nodes with their last runs; the results of tests.
    Only aspects that differ are written. What people and other producers added stays. Needs the `datahub`
    extra.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param environment: which of the map's environments names the datasets.
    :param datahub_conn_id: a connection of type `lineage_datahub`.
    :param file: a metadata file to write too, or instead; relative to the DAG file's folder.
    :param source: where the events are, as for `LineageValidationSensor`.
    :param days: the days of whose events are published; 0 for the map alone.
    :param env: DataHub's environment of the datasets.
    :param platform_instances: DataHub's platform instance of each platform.
    :param remove: soft-delete what earlier publications of the map registered and it no longer has.
    :param dry_run: log what would be written, and write nothing.

    Returns the number of aspects that were written to each place to XCom.
    """

    template_fields: Sequence[str] = ("map_path", "environment", "file", "source")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(  # noqa: PLR0913 - keyword arguments of a task
        self,
        *,
        map_path: str,
        environment: str | None = None,
        datahub_conn_id: str | None = None,
        file: str | None = None,
        source: str | None = None,
        days: int = 7,
        env: str = "PROD",
        platform_instances: Mapping[str, str] | None = None,
        remove: bool = False,
        dry_run: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.map_path = map_path
        self.environment = environment
        self.datahub_conn_id = datahub_conn_id
        self.file = file
        self.source = source
        self.days = days
        self.env = env
        self.platform_instances = platform_instances
        self.remove = remove
        self.only_print = dry_run

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002
        """Publish, and log each aspect that differs."""
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.reports.escape import one_line
        from airflow_lineage_provider.systems.datahub.publication import Publication, publish
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.event_source import recent_events
        from airflow_lineage_provider.utils.paths import path_beside_dag

        with expected_errors_fail_task():
            publication = Publication(
                load_map(path_beside_dag(self, self.map_path)),
                self.environment,
                tuple(recent_events(self.source, self.days)),
                self.env,
                self.platform_instances,
            )
            changes = publish(publication, self._sinks(), remove=self.remove, dry_run=self.only_print)
        for sink, planned in changes.items():
            self._log_changes(one_line(sink), planned)
        return {sink: len(planned) for sink, planned in changes.items()}

    def _log_changes(self, sink: str, planned: Sequence[Planned]) -> None:
        from airflow_lineage_provider.reports.escape import one_line

        for change in planned:
            self.log.info("%s", one_line(str(change)))
        verb = "would be written" if self.only_print else "written"
        self.log.info("%s: %s aspects %s", sink, len(planned), verb)

    def _sinks(self) -> list[CatalogSink]:
        from airflow_lineage_provider.hooks.openlineage import DataHubHook
        from airflow_lineage_provider.systems.datahub.sinks import FileSink, ServerSink
        from airflow_lineage_provider.utils.paths import path_beside_dag

        sinks: list[CatalogSink] = []
        if self.datahub_conn_id:
            sinks.append(ServerSink(DataHubHook(self.datahub_conn_id).get_api()))
        if self.file:
            sinks.append(FileSink(path_beside_dag(self, self.file)))
        if not sinks:
            raise InputError("name where to publish to: datahub_conn_id, file, or both")
        return sinks
