"""AWS DMS: replication tasks and serverless replications, their endpoints, table statistics and latency.

https://docs.aws.amazon.com/dms/latest/APIReference. Of an endpoint only the settings that name its datasets
are kept: user names, passwords and extra connection attributes never leave this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.systems.aws import MOST_PAGES, NotFoundError, aws_call, aws_rows
from airflow_lineage_provider.systems.errors import SystemReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

PAGE = 100
LATENCY_WINDOW = timedelta(minutes=30)
LATENCY_METRICS = ("CDCLatencySource", "CDCLatencyTarget")

# The settings of an endpoint that name its datasets or shape its records, by the API's names.
_KEPT = {
    "S3Settings": (
        "BucketName",
        "BucketFolder",
        "DataFormat",
        "IncludeOpForFullLoad",
        "CdcInsertsOnly",
        "TimestampColumnName",
    ),
    "KafkaSettings": ("Broker", "Topic"),
    "RedshiftSettings": ("CaseSensitiveNames",),
}
# Where the address may stand instead of in the endpoint itself.
_ADDRESSES = (
    "PostgreSQLSettings",
    "MySQLSettings",
    "OracleSettings",
    "MicrosoftSQLServerSettings",
    "RedshiftSettings",
)
_PERMISSIONS = "dms:Describe*, cloudwatch:ListMetrics and cloudwatch:GetMetricStatistics"


@dataclass(frozen=True, slots=True)
class DmsEndpoint:
    """A source or target endpoint, without its credentials."""

    identifier: str
    engine: str
    host: str = ""
    port: int | None = None
    database: str = ""
    escape: str = ""
    """The character that makes a wildcard of the table mappings an ordinary one (Oracle)."""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replication:
    """A replication task or a serverless replication."""

    identifier: str
    arn: str
    serverless: bool
    kind: str
    """full-load, cdc or full-load-and-cdc."""
    status: str
    table_mappings: str
    source: DmsEndpoint
    target: DmsEndpoint
    stop_reason: str = ""
    error: str = ""
    engine_version: str = ""


@dataclass(frozen=True, slots=True)
class TableStatistics:
    """What was replicated of one table since the replication began; names are the source's."""

    schema: str
    table: str
    state: str
    full_load_rows: int = 0
    inserts: int = 0
    updates: int = 0
    deletes: int = 0

    @property
    def rows(self) -> int:
        """Rows written to the target: full load, inserts and updates."""
        return self.full_load_rows + self.inserts + self.updates


class DmsClient:
    """Reads DMS and CloudWatch with two boto3 clients; `name` is the connection that error messages name."""

    def __init__(self, dms: Any, cloudwatch: Any, name: str) -> None:
        self._dms = dms
        self._cloudwatch = cloudwatch
        self._name = name

    def replication(self, identifier: str) -> Replication:
        """Return the replication task, else the serverless replication, of this identifier.

        Raises SystemReadError where there is neither.
        """
        found = self._one("describe_replication_tasks", "ReplicationTasks", "replication-task-id", identifier)
        if found:
            return self._task(found)
        found = self._one(
            "describe_replication_configs", "ReplicationConfigs", "replication-config-id", identifier
        )
        if found:
            return self._serverless(found)
        raise SystemReadError(
            f"{self._name}: DMS has no replication task and no serverless replication {identifier!r} "
            "in this account and region: check the identifier and the connection's region"
        )

    def table_statistics(self, replication: Replication) -> tuple[TableStatistics, ...]:
        """Return what was replicated of each table. Raises SystemReadError."""
        operation, key, argument = (
            ("describe_replication_table_statistics", "ReplicationTableStatistics", "ReplicationConfigArn")
            if replication.serverless
            else ("describe_table_statistics", "TableStatistics", "ReplicationTaskArn")
        )
        return tuple(
            TableStatistics(
                schema=str(row.get("SchemaName", "")),
                table=str(row.get("TableName", "")),
                state=str(row.get("TableState", "")),
                full_load_rows=int(row.get("FullLoadRows") or 0),
                inserts=int(row.get("Inserts") or 0),
                updates=int(row.get("Updates") or 0),
                deletes=int(row.get("Deletes") or 0),
            )
            for row in self._pages(operation, key, **{argument: replication.arn})
        )

    def latency(self, replication: Replication, now: datetime) -> dict[str, float]:
        """Return the newest value in seconds of each CDC latency metric of the last half hour.

        A metric that CloudWatch has no value of is left out. Raises SystemReadError.
        """
        names = {replication.identifier, replication.arn.rpartition(":")[2]}
        return {
            metric: value
            for metric in LATENCY_METRICS
            if (value := self._newest(metric, names, now)) is not None
        }

    def _newest(self, metric: str, names: set[str], now: datetime) -> float | None:
        """CloudWatch has a task's metrics under its identifier or its resource id, so both are looked for."""
        newest: tuple[datetime, float] | None = None
        for found in self._metrics(metric):
            dimensions = found.get("Dimensions") or []
            if not names & {str(dimension.get("Value")) for dimension in dimensions}:
                continue
            answer = self._call(
                self._cloudwatch.get_metric_statistics,
                Namespace="AWS/DMS",
                MetricName=metric,
                Dimensions=dimensions,
                StartTime=now - LATENCY_WINDOW,
                EndTime=now + timedelta(minutes=1),
                Period=60,
                Statistics=["Maximum"],
            )
            for point in answer.get("Datapoints") or []:
                if newest is None or point["Timestamp"] > newest[0]:
                    newest = (point["Timestamp"], float(point["Maximum"]))
        return newest[1] if newest else None

    def _metrics(self, metric: str) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = self._call(
                self._cloudwatch.list_metrics, Namespace="AWS/DMS", MetricName=metric, **token
            )
            yield from answer.get("Metrics") or []
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    def _task(self, found: Mapping[str, Any]) -> Replication:
        return Replication(
            identifier=str(found["ReplicationTaskIdentifier"]),
            arn=str(found["ReplicationTaskArn"]),
            serverless=False,
            kind=str(found.get("MigrationType", "")),
            status=str(found.get("Status", "")),
            table_mappings=str(found.get("TableMappings") or ""),
            source=self._endpoint(str(found.get("SourceEndpointArn", ""))),
            target=self._endpoint(str(found.get("TargetEndpointArn", ""))),
            stop_reason=str(found.get("StopReason") or ""),
            error=str(found.get("LastFailureMessage") or ""),
            engine_version=self._engine_version(str(found.get("ReplicationInstanceArn", ""))),
        )

    def _serverless(self, config: Mapping[str, Any]) -> Replication:
        arn = str(config["ReplicationConfigArn"])
        run = self._one("describe_replications", "Replications", "replication-config-arn", arn) or {}
        return Replication(
            identifier=str(config["ReplicationConfigIdentifier"]),
            arn=arn,
            serverless=True,
            kind=str(config.get("ReplicationType", "")),
            status=str(run.get("Status") or "created"),
            table_mappings=str(config.get("TableMappings") or ""),
            source=self._endpoint(str(config.get("SourceEndpointArn", ""))),
            target=self._endpoint(str(config.get("TargetEndpointArn", ""))),
            stop_reason=str(run.get("StopReason") or ""),
            error="; ".join(str(message) for message in run.get("FailureMessages") or ()),
            engine_version="serverless",
        )

    def _endpoint(self, arn: str) -> DmsEndpoint:
        found = self._one("describe_endpoints", "Endpoints", "endpoint-arn", arn)
        if not found:
            raise SystemReadError(f"{self._name}: DMS has no endpoint {arn}: it may have been deleted")
        address: Mapping[str, Any] = next((found[key] for key in _ADDRESSES if found.get(key)), {})
        settings = {
            key: value
            for group, keys in _KEPT.items()
            for key, value in (found.get(group) or {}).items()
            if key in keys
        }
        attributes = dict(
            part.split("=", 1)
            for part in str(found.get("ExtraConnectionAttributes") or "").split(";")
            if "=" in part
        )
        return DmsEndpoint(
            identifier=str(found.get("EndpointIdentifier", "")),
            engine=str(found.get("EngineName", "")),
            host=str(found.get("ServerName") or address.get("ServerName") or ""),
            port=found.get("Port") or address.get("Port"),
            database=str(found.get("DatabaseName") or address.get("DatabaseName") or ""),
            escape=attributes.get("escapeCharacter", "")[:1],
            settings=settings,
        )

    def _engine_version(self, instance_arn: str) -> str:
        if not instance_arn:
            return ""
        found = self._one(
            "describe_replication_instances", "ReplicationInstances", "replication-instance-arn", instance_arn
        )
        return str((found or {}).get("EngineVersion") or "")

    def _one(self, operation: str, key: str, name: str, value: str) -> Mapping[str, Any] | None:
        """Return the one object that the filter finds; DMS answers with a fault where there is none."""
        filters = [{"Name": name, "Values": [value]}]
        try:
            return next(self._pages(operation, key, Filters=filters), None)
        except NotFoundError:
            return None

    def _pages(self, operation: str, key: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        method = getattr(self._dms, operation)
        return aws_rows(
            lambda page: self._call(method, MaxRecords=PAGE, **arguments, **page),
            key,
            next_key="Marker",
            what=f"{self._name}: DMS answers {operation}",
        )

    def _call(self, operation: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:
        return aws_call(operation, self._name, _PERMISSIONS, **arguments)
