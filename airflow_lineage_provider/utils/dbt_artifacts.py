"""Commit the lineage of a dbt run that is over, from its artifacts; also as a callback of Cosmos."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.artifacts import (
    ArtifactsOrigin,
    artifact_records,
    given_warehouse,
    origin_by_profile,
)
from airflow_lineage_provider.dbt.records import LogLine, NodeFinished
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.sql_tables import tables_named
from airflow_lineage_provider.readers.artifact_files import file_reader
from airflow_lineage_provider.utils.dbt_profile import dbt_profile
from airflow_lineage_provider.utils.emitter import Emitter
from airflow_lineage_provider.utils.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

log = logging.getLogger(__name__)


def commit_artifacts(  # noqa: PLR0913 - the arguments of the operator
    context: Context,
    target_path: str,
    *,
    storage_conn_id: str | None = None,
    project_dir: str | None = None,
    profiles_dir: str | None = None,
    profile_conn_id: str | None = None,
    target: str | None = None,
    warehouse: Mapping[str, Any] | None = None,
    sources: bool = False,
    store_conn_id: str | None = None,
) -> dict[str, Any]:
    """Commit the events of the artifacts in a folder or object store and return a summary for XCom.

    The arguments are those of `DbtArtifactsLineageOperator`. Raises LineageError for artifacts, a profile or
    a store that cannot be used.
    """
    from airflow.sdk import ObjectStoragePath

    folder = ObjectStoragePath(target_path, conn_id=storage_conn_id)
    read = file_reader(folder.fs, folder.path)
    emitter = Emitter(context, store_conn_id)
    if warehouse:
        origin = ArtifactsOrigin(given_warehouse(warehouse), project_dir or "")
    elif project_dir:
        with dbt_profile(profile_conn_id, project_dir, target) as made_dir:
            origin = origin_by_profile(read, project_dir, made_dir or profiles_dir, target)
    else:
        raise InputError(
            "artifacts do not say where the warehouse is: set project_dir (with profile_conn_id or "
            "profiles_dir), or warehouse={'type': 'snowflake', 'account': ...}"
        )
    statuses: Counter[str] = Counter()
    for record in artifact_records(read, origin, tables_named, sources=sources):
        if isinstance(record, LogLine):
            log.warning("%s", redact_text(record.text))
        else:
            emitter.emit(record)
        if isinstance(record, NodeFinished):
            statuses[record.status] += 1
    emitter.finish()
    return {
        "invocation_id": emitter.invocation_id,
        "nodes": dict(statuses),
        "events": emitter.emitted,
        "events_lost": emitter.lost,
    }


def lineage_callback(project_dir: str, *, context: Context | None = None, **options: Any) -> None:
    """Commit the lineage of the dbt command that a task of Cosmos has run: `callback=lineage_callback`.

    Cosmos calls it with its copy of the project, after dbt has ended. `callback_args` are the options of
    `commit_artifacts`, such as `{"profile_conn_id": "snowflake_default"}`. An error is logged and never
    fails the task.
    """
    from airflow.sdk import get_current_context

    target_path = str(options.pop("target_path", None) or Path(project_dir, "target"))
    try:
        here = context or get_current_context()
        summary = commit_artifacts(here, target_path, **{"project_dir": project_dir, **options})
    except Exception as error:  # noqa: BLE001 - lineage never fails a task of another package
        log.warning("lineage: no events of %s: %s", target_path, redact_text(" ".join(str(error).split())))
    else:
        log.info("lineage: %s events from the artifacts in %s", summary["events"], target_path)
