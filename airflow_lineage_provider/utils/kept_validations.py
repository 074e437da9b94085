"""Keep what a validation compared and found in the event store, for the pages in Airflow's UI."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.hooks.event_store import EventStoreHook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_lineage_provider.checks import Validation
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.store.validations import ValidationRow
    from airflow_lineage_provider.utils.event_wait import EventWaitConfig

log = logging.getLogger(__name__)


def keep_validation(
    validation: Validation,
    lineage_map: LineageMap,
    config: EventWaitConfig,
    task_id: str,
    dag_runs: Sequence[Any],
) -> None:
    """Keep a validation of the first of these DAG runs, whose events were all read.

    A store that fails loses it, with a warning: the outcome of the task does not depend on it.
    """
    from airflow_lineage_provider.reports.views.saved import to_bytes
    from airflow_lineage_provider.reports.views.validation import saved_validation
    from airflow_lineage_provider.store.errors import StoreError
    from airflow_lineage_provider.store.validations import add_validation

    row = validation_row(validation, lineage_map, task_id, dag_runs)
    saved = saved_validation(validation, lineage_map, config.map_text, config.environment)
    with closing(EventStoreHook().get_conn()) as store:
        try:
            add_validation(store, row, to_bytes(saved))
        except StoreError as error:
            log.warning("the lineage pages do not show this validation: %s", error)


def validation_row(
    validation: Validation, lineage_map: LineageMap, task_id: str, dag_runs: Sequence[Any]
) -> ValidationRow:
    """Return the outcome of a validation of the first of these DAG runs, whose events were all read."""
    from airflow_lineage_provider.graph import Severity
    from airflow_lineage_provider.reports.text import outcome
    from airflow_lineage_provider.store.records import utc_text
    from airflow_lineage_provider.store.validations import ValidationRow
    from airflow_lineage_provider.utils.dag_run import dag_run_ids

    validated = dag_runs[0]
    counts = Counter(finding.severity for finding in validation.comparison.findings)
    return ValidationRow(
        dag_id=validated.dag_id,
        run_id=validated.run_id,
        task_id=task_id,
        made_at=utc_text(datetime.now(UTC)),
        lineage_run_id=dag_run_ids(validated).own[-1],
        outcome=outcome(validation.comparison),
        errors=counts[Severity.ERROR],
        warnings=counts[Severity.WARNING],
        title=lineage_map.content.document.title,
        reads=tuple(sorted(_read_dags(dag_runs, lineage_map))),
    )


def _read_dags(dag_runs: Sequence[Any], lineage_map: LineageMap) -> set[str]:
    """Return the DAGs whose lineage a validation holds: who may not read one of them must not see it.

    The map that a DAG observes for is that of the pipeline.
    """
    found = {run.dag_id for run in dag_runs}
    pipeline = lineage_map.content.pipeline
    if dag_runs[0].dag_id in pipeline.observers and pipeline.dag_id:
        found.add(pipeline.dag_id)
    return found
