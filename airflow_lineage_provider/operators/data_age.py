"""A check of the documented retention and freshness of a layer, as a task."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_lineage_provider.reports.escape import one_line
from airflow_lineage_provider.utils.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.systems.service_levels import TableAge
    from airflow_lineage_provider.utils.notifications import Notify


class DataAgeCheckOperator(WarehouseOperator):
    """Holds the rows of a layer to the retention and the freshness that the map documents.

    The oldest row of each of the layer's tables may not be older than the layer's `retention`, and the newest
    not older than the SLA of the source that it is extracted from, where that SLA is about freshness. The job
    that deletes old rows must have completed lately. The map's policy weighs the findings; an error fails the
    task.

    :param map_path: the map, YAML; a relative path is taken from the DAG file's folder.
    :param layer: the layer; its tables are `layer.table` in the warehouse.
    :param column: the column that says when a row was loaded.
    :param grace: how long rows may outlive the retention, because the job that deletes them is scheduled.
    :param retention_job: that job's name in OpenLineage, such as
        `customer_analytics_pipeline.bronze_retention`; its last run is looked up in the event store. Not
        checked without it.
    :param retention_job_every: how often it must complete.
    :param notify: a notifier of Airflow, or several, that tells the owners of the consumers that findings
        reach, as for `LineageValidationSensor`.

    The warehouse and the event store are named as for `WarehouseOperator`.

    Returns the age of each table's rows and the findings to XCom.
    """

    template_fields: Sequence[str] = ("map_path", "layer", *WarehouseOperator.template_fields)

    def __init__(
        self,
        *,
        map_path: str,
        layer: str = "bronze",
        column: str = "_loaded_at",
        grace: str = "1 day",
        retention_job: str | None = None,
        retention_job_every: str = "1 day",
        notify: Notify | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.map_path = map_path
        self.layer = layer
        self.column = column
        self.grace = grace
        self.retention_job = retention_job
        self.retention_job_every = retention_job_every
        self.notify = notify

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask the warehouse, compare, and raise where the two part."""
        from airflow_lineage_provider.graph.findings import weigh
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.lineage_map.sla import parse_duration
        from airflow_lineage_provider.systems.service_levels import age_findings, job_findings
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.moves import opened_target
        from airflow_lineage_provider.utils.notifications import tell_owners
        from airflow_lineage_provider.utils.paths import path_beside_dag

        with expected_errors_fail_task():
            lineage_map = load_map(path_beside_dag(self, self.map_path))
            layer = lineage_map.content.layers.get(self.layer)
            now = datetime.now(UTC)
            with opened_target(self) as warehouse:
                ages = table_ages(warehouse, self.layer, layer.tables if layer else (), self.column)
            found = age_findings(lineage_map, self.layer, ages, now, parse_duration(self.grace))
            if self.retention_job:
                last, every = self._last_completed(), parse_duration(self.retention_job_every)
                found += job_findings(lineage_map, self.layer, self.retention_job, last, now, every)
            findings, _ = weigh(found, lineage_map.policy())
            tell_owners(self.notify, context, findings, lineage_map)
        for finding in findings:
            self.log.warning("%s: %s", finding.severity.value, one_line(str(finding)))
        if errors := [str(finding) for finding in findings if finding.severity == "error"]:
            raise AirflowFailException(one_line("; ".join(errors[:20])))
        return {
            "oldest": {age.table: age.oldest.isoformat() for age in ages if age.oldest},
            "newest": {age.table: age.newest.isoformat() for age in ages if age.newest},
            "findings": [str(finding) for finding in findings],
        }

    def _last_completed(self) -> datetime | None:
        """Return when the retention job last completed, by the event store."""
        from airflow_lineage_provider.events.event import event_time
        from airflow_lineage_provider.hooks.event_store import EventStoreHook

        store = EventStoreHook(self.store_conn_id).get_conn()
        try:
            events = store.events(job_name=self.retention_job)
            times = [event_time(event) for event in events if event.get("eventType") == "COMPLETE"]
        finally:
            store.close()
        return max(times, default=None)


def table_ages(warehouse: Any, layer: str, tables: Iterable[str], column: str) -> list[TableAge]:
    """Return the age of each table's rows; a table that the warehouse does not have is left out.

    Raises InputError for a table or a column that is not named in plain letters.
    """
    from airflow_lineage_provider.ingest.warehouse import check_table
    from airflow_lineage_provider.systems.service_levels import TableAge

    check_table(f"{layer}.{column}")
    ages = []
    for name in tables:
        table = check_table(f"{layer}.{name}")
        if column.lower() not in warehouse.columns(table):
            continue
        epochs = f"extract(epoch from min({column})), extract(epoch from max({column}))"
        ((oldest, newest),) = warehouse.query(f"select {epochs} from {table}")  # noqa: S608 - checked above
        ages.append(TableAge(table, _moment(oldest), _moment(newest)))
    return ages


def _moment(epoch: Any) -> datetime | None:
    return datetime.fromtimestamp(float(epoch), UTC) if epoch is not None else None
