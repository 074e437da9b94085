"""The movements of a DMS replication: one job a table, from the source's table to the target's.

One job a table, because an event with all tables of a replication would link each source to each target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.movement import (
    EVERY_COLUMN,
    ColumnSource,
    MovedDataset,
    MovedField,
    Movement,
)
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.systems.dms.mapping import (
    map_table,
    named_tables,
    parse_table_mappings,
    select_tables,
)
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.observation import Observation
from airflow_lineage_provider.systems.table_names import family, is_database, table_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from airflow_lineage_provider.systems.dms.client import DmsEndpoint, Replication, TableStatistics
    from airflow_lineage_provider.systems.dms.mapping import MappedColumn, MappedTable

_FLOWING = frozenset({"Table completed", "Full load", "Table is being reloaded"})
_FAILED = frozenset({"Table error", "Table does not exist", "Table cancelled"})
_DEFAULT_TOPIC = "kafka-default-topic"


@dataclass(frozen=True, slots=True)
class DmsLineage:
    """What a replication moves; `problems` are about no single table."""

    observations: tuple[Observation, ...]
    problems: tuple[str, ...] = ()


def dms_lineage(
    replication: Replication,
    statistics: Sequence[TableStatistics],
    columns: Mapping[tuple[str, str], Sequence[tuple[str, str]]] | None,
    now: datetime,
) -> DmsLineage:
    """Return one observation for each table that DMS has statistics of and the table mappings select.

    `columns` are the source's, by (schema, table); None where the source cannot be asked. A table without
    statistics has not been replicated, so nothing is claimed of it. Raises SystemReadError for an endpoint
    whose datasets have no name here.
    """
    where = f"DMS replication {replication.identifier}"
    rules = parse_table_mappings(replication.table_mappings, where)
    escape = replication.source.escape
    seen = {(one.schema, one.table): one for one in statistics}
    selected = select_tables(rules, seen, escape)
    problems = [
        f"{where}: its table mappings no longer select {schema}.{table}: its lineage is not claimed"
        for schema, table in seen.keys() - set(selected)
    ]
    problems += [
        f"{where} selects {schema}.{table}, but DMS has no statistics of it: nothing was replicated"
        for schema, table in named_tables(rules)
        if (schema, table) in select_tables(rules, [(schema, table)], escape) and (schema, table) not in seen
    ]
    observations = []
    for table in selected:
        known = columns.get(table) if columns is not None else None
        mapped = map_table(rules, table, known, escape)
        observations.append(_observation(replication, seen[table], mapped, known or (), now))
    return DmsLineage(tuple(observations), tuple(sorted(problems)))


def _observation(
    replication: Replication,
    statistics: TableStatistics,
    mapped: MappedTable,
    known: Sequence[tuple[str, str]],
    now: datetime,
) -> Observation:
    source = endpoint_dataset(replication.source, mapped.schema, mapped.table)
    problems = mapped.problems
    if mapped.columns is None and not problems:
        problems = (f"the columns of {mapped.schema}.{mapped.table} are not known: give source_conn_id",)
    movement = Movement(
        job_namespace=_job_namespace(replication.arn),
        job_name=f"{replication.identifier}.{mapped.schema}.{mapped.table}",
        started_at=now,
        integration="AWS_DMS",
        job_type="REPLICATION",
        processing="BATCH" if replication.kind == "full-load" else "STREAMING",
        engine="AWS DMS",
        engine_version=replication.engine_version,
        inputs=(MovedDataset(source, fields=tuple(MovedField(name, kind) for name, kind in known)),),
        outputs=(_output(replication, statistics, mapped),) if mapped.named else (),
        columns=_sources(replication, mapped, source) if mapped.named else None,
        problems=tuple(f"{replication.identifier}: {problem}" for problem in problems),
    )
    return Observation(movement, *_state(replication, statistics))


def rows_since(observation: Observation, last: int) -> Observation:
    """Return an observation with the rows since the last look, because DMS counts from its start.

    `last` is the count of the last look. A smaller count than that is of a replication that began anew.
    """
    outputs = tuple(
        replace(output, rows=output.rows - last)
        if output.rows is not None and output.rows >= last
        else output
        for output in observation.movement.outputs
    )
    return replace(observation, movement=replace(observation.movement, outputs=outputs))


def endpoint_dataset(endpoint: DmsEndpoint, schema: str, table: str, topic: str = "") -> DatasetName:
    """Return the dataset that a table is at an endpoint. Raises SystemReadError where it has no name here."""
    settings = endpoint.settings
    if endpoint.engine == "s3":
        folder = str(settings.get("BucketFolder") or "").strip("/")
        name = "/".join(part for part in (folder, schema, table) if part)
        return DatasetName(f"s3://{settings.get('BucketName') or ''}", name)
    if endpoint.engine == "kafka":
        broker = str(settings.get("Broker") or "").partition(",")[0].strip()
        return DatasetName(f"kafka://{broker}", topic or str(settings.get("Topic") or _DEFAULT_TOPIC))
    if not is_database(endpoint.engine):
        raise SystemReadError(
            f"DMS endpoint {endpoint.identifier}: its engine {endpoint.engine!r} is not supported; "
            "supported are Postgres, MySQL, Oracle, SQL Server, Redshift, S3 and Kafka"
        )
    if not endpoint.host:
        raise SystemReadError(
            f"DMS endpoint {endpoint.identifier} does not show its server (Secrets Manager may hold it): "
            "give source_conn_id, whose host, port and database are used then"
        )
    if endpoint.engine == "redshift" and not settings.get("CaseSensitiveNames"):
        schema, table = schema.lower(), table.lower()
    return table_dataset(endpoint.engine, endpoint.host, endpoint.port, endpoint.database, schema, table)


def _output(replication: Replication, statistics: TableStatistics, mapped: MappedTable) -> MovedDataset:
    target = replication.target
    name = endpoint_dataset(target, mapped.target_schema, mapped.target_table, mapped.topic)
    fields: tuple[MovedField, ...] = ()
    if mapped.columns is not None:
        # Between engines DMS converts types by tables of its own: only a type that is kept or set is certain.
        same = family(target.engine) == family(replication.source.engine)
        known = (
            MovedField(_target_column(target, c), c.type if same or c.subtype != "IDENTITY" else "")
            for c in mapped.columns
        )
        added = (MovedField(name, "STRING") for name in _added_by_s3(replication))
        fields = (*added, *known)
        if target.engine == "kafka":
            fields = (MovedField("data", "record", fields=fields), MovedField("metadata", "record"))
    kind = {"s3": "FILE", "kafka": "TOPIC"}.get(target.engine, "TABLE")
    return MovedDataset(name, kind, fields, rows=statistics.rows, version=str(statistics.rows))


def _sources(
    replication: Replication, mapped: MappedTable, source: DatasetName
) -> dict[str, tuple[ColumnSource, ...]] | None:
    if mapped.columns is None:
        return None
    target = replication.target
    prefix = "data." if target.engine == "kafka" else ""
    found: dict[str, tuple[ColumnSource, ...]] = dict.fromkeys(_added_by_s3(replication), ())
    for column in mapped.columns:
        found[prefix + _target_column(target, column)] = tuple(
            ColumnSource(source, name, column.subtype, column.masking, column.expression)
            for name in column.sources
        )
    if mapped.filtered_by:
        found[EVERY_COLUMN] = tuple(ColumnSource(source, name, "FILTER") for name in mapped.filtered_by)
    return found


def _target_column(target: DmsEndpoint, column: MappedColumn) -> str:
    folds = target.engine == "redshift" and not target.settings.get("CaseSensitiveNames")
    return column.name.lower() if folds else column.name


def _added_by_s3(replication: Replication) -> Iterator[str]:
    """Yield the columns that DMS adds to files: the operation, and the time of the commit."""
    settings = replication.target.settings
    if replication.target.engine != "s3":
        return
    changes = replication.kind != "full-load" and not settings.get("CdcInsertsOnly")
    if changes or settings.get("IncludeOpForFullLoad"):
        yield "Op"
    if settings.get("TimestampColumnName"):
        yield str(settings["TimestampColumnName"])


def _state(replication: Replication, statistics: TableStatistics) -> tuple[RunState, str]:
    what = f"DMS replication {replication.identifier}"
    table = f"{statistics.schema}.{statistics.table}"
    if replication.status in {"failed", "failed-move"}:
        return (
            RunState.FAIL,
            f"{what} has failed: {replication.error or replication.stop_reason or 'no reason given'}",
        )
    if statistics.state in _FAILED:
        return RunState.FAIL, f"{what}: {table} is in state {statistics.state!r}: see the task's log"
    loaded = replication.kind == "full-load" and replication.status == "stopped" and not replication.error
    if replication.status != "running" and not loaded:
        reason = f" ({replication.stop_reason})" if replication.stop_reason else ""
        return RunState.ABORT, f"{what} is {replication.status}{reason}: start it"
    if statistics.state not in _FLOWING:
        return (
            RunState.ABORT,
            f"{what}: {table} is in state {statistics.state!r}: nothing has been loaded yet",
        )
    return RunState.COMPLETE, ""


def _job_namespace(arn: str) -> str:
    """Return `arn:aws:dms:REGION:ACCOUNT` of an ARN of DMS."""
    return ":".join(arn.split(":")[:5])
