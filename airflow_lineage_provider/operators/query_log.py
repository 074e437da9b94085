"""The audit of a warehouse's query log as a task."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.checks.audit import Audit
    from airflow_lineage_provider.readers.query_log import QueryLog
    from airflow_lineage_provider.utils.notifications import Notify

SHOWN_FINDINGS = 20


class QueryLogAuditOperator(BaseOperator):
    """Compares what a warehouse really ran, by its query log, with the documented map.

    The log is files (`logs`), Postgres's pg_stat_statements (`conn_id`), or that of the warehouse of a dbt
    profile (`project_dir`): Snowflake's ACCESS_HISTORY and QUERY_HISTORY, or pg_stat_statements. Writes
    outside of the documented jobs, and documented edges that no statement shows, are findings; the map's
    policy weighs them, and an error fails the task.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param environment: which of the map's environments binds its names to tables.
    :param scope: the layers, or globs of datasets, to audit; all without it.
    :param logs: a file, folder or glob, or several, of csvlog, jsonlog, DuckDB's QueryLog, or JSON lines;
        relative to the DAG file's folder.
    :param log_options: what files do not say: `kind`, `dialect`, `namespace`, `database`, `encoding`.
    :param conn_id: an Airflow connection of type postgres whose pg_stat_statements is read.
    :param project_dir: the dbt project whose profile names the warehouse, as for `DbtLayerOperator`.
    :param profiles_dir: the folder that holds `profiles.yml`.
    :param profile_conn_id: an Airflow connection in place of a `profiles.yml`.
    :param target: the profile's target.
    :param since: how far back Snowflake's history is read.
    :param store_conn_id: the event store that keeps the outcome, a connection of type `lineage_store`.
    :param notify: a notifier of Airflow, or several, that tells the owners of the consumers that findings
        reach, as for `LineageValidationSensor`.

    Returns a summary as XCom: the outcome, findings, writes outside of the jobs, and what is incomplete.
    """

    template_fields: Sequence[str] = (
        *(
            "map_path",
            "environment",
            "scope",
            "logs",
            "log_options",
            "project_dir",
            "profiles_dir",
            "target",
            "since",
        ),
    )
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(  # noqa: PLR0913 - three kinds of logs
        self,
        *,
        map_path: str,
        environment: str | None = None,
        scope: Sequence[str] | None = None,
        logs: str | Sequence[str] | None = None,
        log_options: dict[str, str] | None = None,
        conn_id: str | None = None,
        project_dir: str | None = None,
        profiles_dir: str | None = None,
        profile_conn_id: str | None = None,
        target: str | None = None,
        since: str = "1 day",
        store_conn_id: str | None = None,
        notify: Notify | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.map_path = map_path
        self.environment = environment
        self.scope = scope
        self.logs = logs
        self.log_options = log_options
        self.conn_id = conn_id
        self.project_dir = project_dir
        self.profiles_dir = profiles_dir
        self.profile_conn_id = profile_conn_id
        self.target = target
        self.since = since
        self.store_conn_id = store_conn_id
        self.notify = notify

    def execute(self, context: Context) -> dict[str, Any]:
        """Audit the log. Raises AirflowFailException where the map's policy calls a finding an error."""
        from airflow_lineage_provider.checks.audit import audit
        from airflow_lineage_provider.checks.dialects import warehouse_dialect
        from airflow_lineage_provider.lineage_map import bindings_of, load_map
        from airflow_lineage_provider.readers.query_log import read_writes
        from airflow_lineage_provider.reports.audit import audit_text
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.kept_reports import keep_comparison
        from airflow_lineage_provider.utils.notifications import tell_owners
        from airflow_lineage_provider.utils.paths import path_beside_dag

        with expected_errors_fail_task():
            lineage_map = load_map(path_beside_dag(self, self.map_path))
            bindings = bindings_of(lineage_map, self.environment)
            with self._log(warehouse_dialect(lineage_map, self.environment)) as log:
                logged = read_writes(log, bindings)
            found = audit(logged, lineage_map, environment=self.environment, scope=self.scope)
            for line in audit_text(found).splitlines():
                self.log.info(line)
            keep_comparison("audit", lineage_map, found.comparison, self.store_conn_id, found.incomplete)
            tell_owners(self.notify, context, found.comparison.findings, lineage_map)
        return _summary_or_fail(found)

    @contextmanager
    def _log(self, dialect: str) -> Iterator[QueryLog]:
        from airflow_lineage_provider.errors import InputError
        from airflow_lineage_provider.lineage_map.sla import parse_duration
        from airflow_lineage_provider.readers.query_log.files import open_log_files
        from airflow_lineage_provider.systems.postgres_statements import postgres_query_log
        from airflow_lineage_provider.systems.warehouse_log import warehouse_query_log
        from airflow_lineage_provider.utils.databases import database_url
        from airflow_lineage_provider.utils.moves import opened_target
        from airflow_lineage_provider.utils.paths import path_beside_dag

        if sum(bool(one) for one in (self.logs, self.conn_id, self.project_dir)) != 1:
            raise InputError("give one of logs, conn_id and project_dir")
        if self.logs:
            paths = [self.logs] if isinstance(self.logs, str) else self.logs
            files = [path_beside_dag(self, path) for path in paths]
            options: dict[str, Any] = self.log_options or {}
            yield open_log_files(files, **options, fallback_dialect=dialect)
        elif self.conn_id:
            yield postgres_query_log(database_url(self.conn_id), self.conn_id)
        else:
            since = datetime.now(UTC) - parse_duration(self.since)
            with opened_target(self) as warehouse:
                namespace = warehouse.dataset("any.any").namespace
                yield warehouse_query_log(warehouse.query, namespace, warehouse.database, since)


def _summary_or_fail(found: Audit) -> dict[str, Any]:
    from airflow_lineage_provider.reports.audit import audit_outcome
    from airflow_lineage_provider.reports.escape import one_line

    findings = found.comparison.findings
    if not found.comparison.agreed:
        errors = [str(finding) for finding in findings if finding.severity == "error"]
        more = f"; and {len(errors) - SHOWN_FINDINGS} more" if errors[SHOWN_FINDINGS:] else ""
        raise AirflowFailException(one_line("; ".join(errors[:SHOWN_FINDINGS])) + more)
    return {
        "outcome": audit_outcome(found),
        "statements": found.statements,
        "shapes": found.shapes,
        "outside": len(found.outside),
        "findings": [str(finding) for finding in findings[:SHOWN_FINDINGS]],
        "incomplete": list(found.incomplete),
    }
