"""Reconcile documented, emitted and catalogued lineage as a task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.checks.reconcile import Reconciliation
    from airflow_lineage_provider.checks.trend import Trend
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.utils.notifications import Notify

SHOWN_FINDINGS = 20


class LineageReconciliationOperator(BaseOperator):
    """Compares what is documented with what all runs of a week emitted, and with other evidence.

    The other evidence is DataHub, a dbt project's manifest, or a query log. What only some of them have, what
    is stale, and what differs in columns, kinds or types is reported, with the trend since the last time,
    which the event store keeps. Where DataHub cannot be read as a whole the outcome is INCOMPLETE.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param environment: which of the map's environments binds its names to datasets.
    :param kinds: the kinds to compare, two or more of `map`, `event`, `manifest`, `datahub`, `query`. By
        default the map, the events, and each of the others that has a place.
    :param source: where the events are, as for `LineageValidationSensor`.
    :param days: the days of whose events are read; what DataHub alone has and is older is stale.
    :param manifest_path: a dbt project's `target/manifest.json`.
    :param datahub_conn_id: a connection of type `lineage_datahub`.
    :param datahub_file: a file of metadata instead: an ingestion's, or one that `publish` wrote.
    :param platforms: the platforms that are read from DataHub; all by default.
    :param query_log: a query log: a file, folder or glob, or several, as `logs` of `QueryLogAuditOperator`.
    :param log_options: what the files of the log do not say, as for `QueryLogAuditOperator`.
    :param report_path: a file for the report: `.html`, `.md`, `.json`, or text by any other name; a relative
        path is taken from the DAG file's folder.
    :param store_conn_id: the event store that keeps the trend, a connection of type `lineage_store`.
    :param notify: notifiers of Airflow that tell the owners of errors and warnings, as for
        `LineageValidationSensor`; the template context has `reconciliation`, the report as text, too.

    The map's policy says which findings fail the task. Returns a summary to XCom.
    """

    template_fields: Sequence[str] = (
        "map_path",
        "environment",
        "source",
        "manifest_path",
        "datahub_file",
        "query_log",
        "report_path",
    )
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(  # noqa: PLR0913 - keyword arguments of a task
        self,
        *,
        map_path: str,
        environment: str | None = None,
        kinds: Sequence[str] = (),
        source: str | None = None,
        days: int = 7,
        manifest_path: str | None = None,
        datahub_conn_id: str | None = None,
        datahub_file: str | None = None,
        platforms: Sequence[str] = (),
        query_log: str | Sequence[str] = (),
        log_options: Mapping[str, str] | None = None,
        report_path: str | None = None,
        store_conn_id: str | None = None,
        notify: Notify | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.map_path = map_path
        self.environment = environment
        self.kinds = kinds
        self.source = source
        self.days = days
        self.manifest_path = manifest_path
        self.datahub_conn_id = datahub_conn_id
        self.datahub_file = datahub_file
        self.platforms = platforms
        self.query_log = query_log
        self.log_options = log_options
        self.report_path = report_path
        self.store_conn_id = store_conn_id
        self.notify = notify

    def execute(self, context: Context) -> dict[str, Any]:
        """Read, compare, report; fail where the policy calls a finding an error."""
        from airflow_lineage_provider.checks.trend import keep_report, last_trend
        from airflow_lineage_provider.hooks.event_store import EventStoreHook
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.paths import path_beside_dag

        with expected_errors_fail_task():
            now = datetime.now(UTC)
            lineage_map = load_map(path_beside_dag(self, self.map_path))
            found = self._reconcile(lineage_map, now - timedelta(days=self.days))
            store = EventStoreHook(self.store_conn_id).get_conn()
            try:
                trend = last_trend(store, lineage_map, found, now)
                keep_report(store, lineage_map, found, trend, now)
            finally:
                store.close()
            self._report(context, lineage_map, found, trend)
        return self._outcome(found, trend)

    def _reconcile(self, lineage_map: LineageMap, since: datetime) -> Reconciliation:
        from airflow_lineage_provider.checks.compared_sources import chosen_kinds, compared_sources
        from airflow_lineage_provider.checks.dialects import warehouse_dialect
        from airflow_lineage_provider.checks.reconcile import reconcile
        from airflow_lineage_provider.utils.event_source import recent_events

        places = self._places(warehouse_dialect(lineage_map, self.environment))
        kinds = chosen_kinds(self.kinds, places)
        places |= {"map": lambda: None, "event": lambda: recent_events(self.source, self.days)}
        sources = compared_sources({kind: places[kind] for kind in kinds}, lineage_map, self.environment)
        return reconcile(sources, lineage_map, environment=self.environment, since=since.isoformat())

    def _places(self, dialect: str) -> dict[str, Callable[[], Any]]:
        """Return how to open each kind of evidence that has a location; `dialect` is the warehouse's."""
        from airflow_lineage_provider.hooks.openlineage import DataHubHook
        from airflow_lineage_provider.readers import load_manifest
        from airflow_lineage_provider.readers.datahub_aspects import load_catalog
        from airflow_lineage_provider.readers.query_log.files import open_log_files
        from airflow_lineage_provider.utils.paths import path_beside_dag

        places: dict[str, Callable[[], Any]] = {}
        if manifest := self.manifest_path:
            places["manifest"] = lambda: load_manifest(path_beside_dag(self, manifest))
        if logs := [self.query_log] if isinstance(self.query_log, str) else list(self.query_log):
            files = [path_beside_dag(self, log) for log in logs]
            options: dict[str, Any] = dict(self.log_options or {})
            places["query"] = lambda: open_log_files(files, **options, fallback_dialect=dialect)
        if conn_id := self.datahub_conn_id:
            places["datahub"] = lambda: DataHubHook(conn_id).get_conn().catalog(platforms=self.platforms)
        elif file := self.datahub_file:
            places["datahub"] = lambda: load_catalog(path_beside_dag(self, file))
        return places

    def _report(self, context: Context, lineage_map: LineageMap, found: Reconciliation, trend: Trend) -> None:
        """Write the report to the log and to the file, and tell the owners."""
        from airflow_lineage_provider.reports.reconciliation import (
            form_of,
            reconciliation_as,
            reconciliation_text,
        )
        from airflow_lineage_provider.utils.notifications import tell_owners
        from airflow_lineage_provider.utils.paths import path_beside_dag

        text = reconciliation_text(found, trend)
        for line in text.splitlines():
            self.log.info("%s", line)
        if self.report_path:
            path = path_beside_dag(self, self.report_path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(reconciliation_as(form_of(self.report_path), found, trend), encoding="utf-8")
            self.log.info("the report is in %s", path)
        told: Any = {**context, "reconciliation": text}
        tell_owners(self.notify, told, found.comparison.findings, lineage_map)

    def _outcome(self, found: Reconciliation, trend: Trend) -> dict[str, Any]:
        from airflow_lineage_provider.reports.escape import one_line
        from airflow_lineage_provider.reports.reconciliation import reconciliation_outcome

        findings = [str(finding) for finding in found.comparison.findings]
        if not found.comparison.agreed:
            errors = [str(f) for f in found.comparison.findings if f.severity == found.comparison.severity]
            more = f"; and {len(errors) - SHOWN_FINDINGS} more" if len(errors) > SHOWN_FINDINGS else ""
            raise AirflowFailException(one_line("; ".join(errors[:SHOWN_FINDINGS])) + more)
        return {
            "outcome": reconciliation_outcome(found),
            "compared": list(found.kinds),
            "edges": len(found.edges),
            "findings": findings[:SHOWN_FINDINGS],
            "incomplete": list(found.incomplete),
            "new": list(trend.new[:SHOWN_FINDINGS]),
            "gone": list(trend.gone[:SHOWN_FINDINGS]),
        }
