"""The lineage of AWS DMS as a task."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.graph.findings import Finding
    from airflow_lineage_provider.graph.model import Provenance
    from airflow_lineage_provider.systems.dms.client import DmsClient, Replication, TableStatistics
    from airflow_lineage_provider.systems.observation import Observation


class DmsReplicationLineageOperator(BaseOperator):
    """Emits the lineage of a DMS replication: one job a table, with columns, rows, state and errors.

    Reads what DMS says and moves no data. Fails, to be tried again, where the replication or one of its
    tables has failed or does not run, and where its latency exceeds the documented one.

    :param replication: the identifier of a replication task or of a serverless replication.
    :param aws_conn_id: a connection of type `aws`.
    :param region_name: the region; the connection's without it.
    :param source_conn_id: a connection to the source database (postgres, mysql, oracle, mssql), which gives
        columns and types. Without it columns are not known, and the events say so.
    :param latency_sla: the most that changes may take to the target, such as `< 5 minute latency`.
    :param map_path: a lineage map that documents the SLA instead; relative to the DAG file's folder.
    :param source: the map's source, such as `crm`.
    :param store_conn_id: the event store, a connection of type `lineage_store`.

    Returns a summary to XCom: jobs by state, problems, latency in seconds, events.
    """

    template_fields: Sequence[str] = ("replication", "region_name", "latency_sla", "map_path", "source")
    ui_color = "#e4f0e8"
    ui_fgcolor = "#24352b"

    def __init__(
        self,
        *,
        replication: str,
        aws_conn_id: str = "aws_default",
        region_name: str | None = None,
        source_conn_id: str | None = None,
        latency_sla: str | None = None,
        map_path: str | None = None,
        source: str | None = None,
        store_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.replication = replication
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.source_conn_id = source_conn_id
        self.latency_sla = latency_sla
        self.map_path = map_path
        self.source = source
        self.store_conn_id = store_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read DMS, commit the events, judge state and latency."""
        from airflow_lineage_provider.systems.dms.lineage import dms_lineage
        from airflow_lineage_provider.utils.errors import expected_errors_fail_task
        from airflow_lineage_provider.utils.observations import commit_observations, judge_observations

        with expected_errors_fail_task():
            now = datetime.now(UTC)
            client = self._client()
            found = self._named(client.replication(self.replication))
            statistics = client.table_statistics(found)
            lineage = dms_lineage(found, statistics, self._columns(statistics), now)
            latency = client.latency(found, now) if found.kind != "full-load" else {}
            findings = self._late(latency, changes=found.kind != "full-load")
            seen = [self._since_last_look(one) for one in lineage.observations]
            summary = commit_observations(context, self.store_conn_id, seen, lineage.problems)
            judge_observations(seen, findings)
            return summary | {"latency": latency, "findings": [str(finding) for finding in findings]}

    def _since_last_look(self, observation: Observation) -> Observation:
        from airflow_lineage_provider.systems.dms.lineage import rows_since
        from airflow_lineage_provider.utils.observations import last_version

        movement = observation.movement
        last = last_version(self.store_conn_id, movement.job_namespace, movement.job_name, "outputs")
        return rows_since(observation, int(last)) if last.isdecimal() else observation

    def _client(self) -> DmsClient:
        from airflow_lineage_provider.systems.dms.client import DmsClient

        try:
            from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
        except ModuleNotFoundError:
            raise InputError(
                "Amazon's provider is missing: pip install airflow-lineage-provider[aws]"
            ) from None
        from botocore.exceptions import BotoCoreError

        name = f"connection {self.aws_conn_id!r}"
        clients: list[Any]
        try:
            clients = [
                AwsGenericHook(self.aws_conn_id, region_name=self.region_name, client_type=service).get_conn()
                for service in ("dms", "cloudwatch")
            ]
        except BotoCoreError as error:
            raise InputError(f"{name}: {error}: check its region and credentials") from None
        return DmsClient(clients[0], clients[1], name)

    def _named(self, found: Replication) -> Replication:
        """Take the source's address from its connection where DMS does not show it."""
        if found.source.host or not self.source_conn_id:
            return found
        from airflow_lineage_provider.utils.databases import database_url

        url = database_url(self.source_conn_id)
        return replace(
            found,
            source=replace(found.source, host=url.host or "", port=url.port, database=url.database or ""),
        )

    def _columns(
        self, statistics: Sequence[TableStatistics]
    ) -> dict[tuple[str, str], list[tuple[str, str]]] | None:
        if not self.source_conn_id:
            return None
        from airflow_lineage_provider.systems.database import database_columns
        from airflow_lineage_provider.utils.databases import database_url

        tables = [(one.schema, one.table) for one in statistics]
        return database_columns(
            database_url(self.source_conn_id), tables, f"connection {self.source_conn_id!r}"
        )

    def _late(self, latency: dict[str, float], *, changes: bool) -> list[Finding]:
        from airflow_lineage_provider.graph.findings import Policy, weigh
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.systems.service_levels import late, source_sla
        from airflow_lineage_provider.utils.paths import path_beside_dag

        policy, sla = Policy(), self.latency_sla or ""
        where: tuple[Provenance, ...] = ()
        if self.map_path:
            lineage_map = load_map(path_beside_dag(self, self.map_path))
            policy = lineage_map.policy()
            documented, where = source_sla(lineage_map, self.source or "")
            sla = sla or documented
        if not sla or not changes:
            return []
        if not latency:
            self.log.warning("CloudWatch has no CDC latency of %s: its SLA is not checked", self.replication)
            return []
        return list(weigh(late(self.replication, sla, latency, where), policy)[0])
