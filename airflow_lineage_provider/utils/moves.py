"""Moves of data as Airflow runs them: systems by their connections, START and end of each move as events."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook
from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.movement import ColumnSource, MovedDataset, MovedField, Movement
from airflow_lineage_provider.reports.escape import one_line
from airflow_lineage_provider.utils.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_lineage_provider.events.naming import DatasetName
    from airflow_lineage_provider.ingest.lake import S3Access
    from airflow_lineage_provider.ingest.model import Moved
    from airflow_lineage_provider.ingest.postgres_source import PostgresAddress
    from airflow_lineage_provider.ingest.warehouse import BronzeTarget
    from airflow_lineage_provider.utils.emitter import Emitter

log = logging.getLogger("airflow.task.operators.airflow_lineage_provider.operators.ingest")

JOB_NAMESPACE = "ingest"


def show(line: str) -> None:
    """Write a line of progress into the task's log."""
    log.info("%s", one_line(redact_text(line)))


def emit_move(
    emitter: Emitter, job: str, engine: tuple[str, str, str], plan: Moved, move: Callable[[], Moved]
) -> Moved:
    """Run a move between its START and its COMPLETE or FAIL; return what was moved.

    :param engine: the integration, and what kind the source and the target are: TABLE, TOPIC or FILE.
    :param plan: the datasets that it is about to read and write.
    """
    started = datetime.now(UTC)
    planned = _movement(job, engine, plan, started)
    emitter.emit_movement(planned, RunState.START, started)
    try:
        moved = move()
    except BaseException as error:
        emitter.emit_movement(planned, RunState.FAIL, datetime.now(UTC), f"{type(error).__name__}: {error}")
        raise
    emitter.emit_movement(
        _movement(job, engine, moved, started, ended=True), RunState.COMPLETE, datetime.now(UTC)
    )
    return moved


def planned_move(source: DatasetName, target: DatasetName) -> Moved:
    """Return a move of which only the two datasets are known."""
    from airflow_lineage_provider.ingest.model import Moved

    return Moved(source, target, {}, {}, {})


@contextmanager
def opened_target(operator: Any) -> Iterator[BronzeTarget]:
    """Open the warehouse that an operator's dbt profile names, and close it."""
    from airflow_lineage_provider.dbt.credentials import target_credentials
    from airflow_lineage_provider.ingest.targets import open_target
    from airflow_lineage_provider.utils.dbt_profile import dbt_profile

    project = operator.project_dir
    with dbt_profile(operator.profile_conn_id, project, operator.target) as profiles_dir:
        credentials = target_credentials(project, profiles_dir or operator.profiles_dir, operator.target)
        target = open_target(credentials)
        try:
            yield target
        finally:
            target.close()


def postgres_address(conn_id: str) -> PostgresAddress:
    """Return how the database of a connection of type postgres is reached. Raises InputError for another."""
    from airflow_lineage_provider.ingest.postgres_source import PostgresAddress

    conn = BaseHook.get_connection(conn_id)
    if conn.conn_type != "postgres" or not conn.schema:
        raise InputError(f"connection {conn_id!r} is not of type postgres, or names no database")
    sslmode = conn.extra_dejson.get("sslmode")
    return PostgresAddress(
        conn.host or "localhost", conn.schema, conn.port or 5432, conn.login or "", conn.password or "",
        (("sslmode", str(sslmode)),) if sslmode else (), f"connection {conn_id!r}",
    )  # fmt: skip


def kafka_config(conn_id: str) -> dict[str, Any]:
    """Return librdkafka's settings: the extra of a connection of type kafka, as Airflow's provider has it."""
    conn = BaseHook.get_connection(conn_id)
    config = dict(conn.extra_dejson)
    config.pop("error_cb", None)  # the name of a function; errors are raised here
    if conn.host and "bootstrap.servers" not in config:
        config["bootstrap.servers"] = f"{conn.host}:{conn.port or 9092}"
    if not config.get("bootstrap.servers"):
        raise InputError(f"connection {conn_id!r} has no 'bootstrap.servers' in its extra")
    return config


def s3_access(conn_id: str | None) -> S3Access | None:
    """Return how a connection of type aws reaches buckets; None for the environment's own way."""
    from airflow_lineage_provider.ingest.lake import S3Access

    if conn_id is None:
        return None
    conn = BaseHook.get_connection(conn_id)
    if conn.conn_type != "aws":
        raise InputError(
            f"connection {conn_id!r} is of type {conn.conn_type!r}; a bucket needs one of type aws"
        )
    extra = conn.extra_dejson
    return S3Access(
        conn.login or extra.get("aws_access_key_id"),
        conn.password or extra.get("aws_secret_access_key"),
        extra.get("aws_session_token"),
        extra.get("region_name"),
        extra.get("endpoint_url"),
        f"connection {conn_id!r}",
    )


def _movement(
    job: str, engine: tuple[str, str, str], moved: Moved, started: datetime, *, ended: bool = False
) -> Movement:
    integration, source_kind, target_kind = engine
    rows = moved.rows if ended else None
    copied = {
        column: (ColumnSource(moved.source, moved.columns[column]),) if column in moved.columns else ()
        for column in moved.target_columns
    }
    return Movement(
        job_namespace=JOB_NAMESPACE,
        job_name=job,
        started_at=started,
        integration=integration,
        job_type="INGEST",
        inputs=(MovedDataset(moved.source, source_kind, _fields(moved.source_columns), rows),),
        outputs=(MovedDataset(moved.target, target_kind, _fields(moved.target_columns), rows),),
        columns=copied or None,
        problems=()
        if copied or not ended
        else (f"{job}: the source has no schema yet: columns are unknown",),
    )


def _fields(columns: Mapping[str, str]) -> tuple[MovedField, ...]:
    return tuple(MovedField(name, kind) for name, kind in columns.items())
