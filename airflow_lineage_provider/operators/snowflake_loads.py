"""The lineage of Snowflake's loads from files as a task."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.reports.escape import one_line
from airflow_lineage_provider.utils.warehouse_operator import WarehouseOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.events.naming import DatasetName
    from airflow_lineage_provider.systems.snowflake_loads import Load


class SnowflakeLoadLineageOperator(WarehouseOperator):
    """Emits the lineage of files that Snowflake copied into tables: COPY, Snowpipe and auto-ingest.

    Reads `SNOWFLAKE.ACCOUNT_USAGE.COPY_HISTORY` and moves no data. Columns are claimed where a pipe matches
    them by name and the event store has an event that says which columns the files have, such as that of
    `DmsReplicationLineageOperator`. Fails, to be tried again, where files failed to load.

    :param since: how far back loads are looked for; the view is up to two hours late.

    The warehouse and the event store are named as for `WarehouseOperator`.

    Returns a summary to XCom: jobs by state, problems, events.
    """

    template_fields: Sequence[str] = ("since", *WarehouseOperator.template_fields)

    def __init__(
        self,
        *,
        since: str = "1 day",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.since = since

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the copy history, commit the events, judge the loads."""
        from airflow_lineage_provider.lineage_map.sla import parse_duration
        from airflow_lineage_provider.systems.snowflake_loads import load_observation
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.moves import opened_target
        from airflow_lineage_provider.utils.observations import commit_observations, judge_observations

        with expected_errors_fail_task():
            now = datetime.now(UTC)
            with opened_target(self) as warehouse:
                namespace = warehouse.dataset("any.any").namespace
                if not namespace.startswith("snowflake://"):
                    raise InputError(f"the profile's target is {namespace}: name one of Snowflake")
                loads = read_copy_history(warehouse, now - parse_duration(self.since))
                tables = [warehouse.columns(f"{load.schema}.{load.table}") for load in loads]
            observations = [
                load_observation(load, namespace, columns, self._columns(load.files), now)
                for load, columns in zip(loads, tables, strict=True)
            ]
            summary = commit_observations(context, self.store_conn_id, observations)
            judge_observations(observations)
            return summary

    def _columns(self, files: DatasetName) -> list[str]:
        """Return the columns of files, as the last event says that wrote them."""
        from airflow_lineage_provider.hooks.event_store import EventStoreHook
        from airflow_lineage_provider.store import StoreError

        with closing(EventStoreHook(self.store_conn_id).get_conn()) as store:
            try:
                events = store.events(dataset=files.name, dataset_namespace=files.namespace)
                found = (
                    [str(field.get("name")) for field in output["facets"]["schema"]["fields"]]
                    for event in events
                    if event.get("eventType") == "COMPLETE"
                    for output in event.get("outputs") or ()
                    if (output.get("namespace"), output.get("name")) == (files.namespace, files.name)
                    and "schema" in (output.get("facets") or {})
                )
                return next(iter(deque(found, maxlen=1)), [])
            except StoreError as error:
                place = one_line(f"{files.namespace}/{files.name}: {error}")
                self.log.warning("the columns of files are not known: %s", place)
                return []


def read_copy_history(warehouse: Any, since: datetime) -> list[Load]:
    """Return the loads since a time. Raises SystemReadError where the view cannot be read."""
    from airflow_lineage_provider.systems.errors import SystemReadError, one_line
    from airflow_lineage_provider.systems.snowflake_loads import COPY_HISTORY, read_loads

    try:
        rows = warehouse.query(COPY_HISTORY.format(since=f"{since:%Y-%m-%d %H:%M:%S}+00:00"))
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        raise SystemReadError(
            f"SNOWFLAKE.ACCOUNT_USAGE.COPY_HISTORY cannot be read ({one_line(error)}): "
            "grant IMPORTED PRIVILEGES on database SNOWFLAKE to the profile's role",
            unreachable=True,
        ) from None
    return read_loads(rows)
