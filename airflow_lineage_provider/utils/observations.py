"""Observations of outside systems as committed events, and as a task's outcome."""

from __future__ import annotations

import logging
from collections import Counter, deque
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException
from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.reports.escape import one_line
from airflow_lineage_provider.utils.emitter import Emitter
from airflow_lineage_provider.utils.redaction import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow.sdk import Context

    from airflow_lineage_provider.graph.findings import Finding
    from airflow_lineage_provider.systems.observation import Observation

log = logging.getLogger(__name__)

SHOWN = 10


def commit_observations(
    context: Context,
    store_conn_id: str | None,
    observations: Sequence[Observation],
    problems: Iterable[str] = (),
) -> dict[str, Any]:
    """Commit START and end of each job that was observed, and log what was found; return a summary for XCom.

    Raises StoreLocationError where there can be no store; a store that fails loses events and no task.
    """
    emitter = Emitter(context, store_conn_id)
    for seen in observations:
        emitter.emit_movement(seen.movement, RunState.START, seen.movement.started_at, batch=True)
        emitter.emit_movement(seen.movement, seen.state, datetime.now(UTC), seen.error, batch=True)
        log.info("%s", _printed(_line(seen)))
    emitter.finish()
    unresolved = [*problems, *(one for seen in observations for one in seen.movement.problems)]
    for problem in unresolved:
        log.warning("not resolved: %s", _printed(problem))
    return {
        "jobs": dict(Counter(seen.state.value for seen in observations)),
        "problems": [redact_text(problem) for problem in unresolved[:SHOWN]],
        "events": emitter.emitted,
        "events_lost": emitter.lost,
    }


def last_version(store_conn_id: str | None, job_namespace: str, job_name: str, side: str) -> str:
    """Return the version of a dataset as the last COMPLETE event of a job has it; empty where none does.

    :param side: `inputs` or `outputs`, of which the first dataset is meant.
    """
    from airflow_lineage_provider.events.event import text_at
    from airflow_lineage_provider.hooks.event_store import EventStoreHook
    from airflow_lineage_provider.store import StoreError

    with closing(EventStoreHook(store_conn_id).get_conn()) as store:
        try:
            events = store.events(job_namespace=job_namespace, job_name=job_name)
            last = deque((event for event in events if event.get("eventType") == "COMPLETE"), maxlen=1)
        except StoreError as error:
            log.warning("the last look at %s is not known: %s", _printed(job_name), _printed(str(error)))
            return ""
    datasets = [one for event in last for one in event.get(side) or ()]
    return text_at(datasets[0], "facets", "version", "datasetVersion") if datasets else ""


def judge_observations(observations: Iterable[Observation], findings: Iterable[Finding] = ()) -> None:
    """Raise AirflowException, so that the task is tried again, for jobs that failed or do not run.

    Findings that are errors raise too; warnings are logged.
    """
    errors = list(dict.fromkeys(seen.error for seen in observations if seen.error))
    for finding in findings:
        if finding.severity == "error":
            errors.append(str(finding))
        else:
            log.warning("%s", _printed(str(finding)))
    if errors:
        more = f"; and {len(errors) - SHOWN} more, in the log above" if errors[SHOWN:] else ""
        raise AirflowException(_printed("; ".join(errors[:SHOWN])) + more)


def _printed(text: str) -> str:
    return one_line(redact_text(text))


def _line(seen: Observation) -> str:
    movement = seen.movement
    ways = [
        " + ".join(f"{one.name.namespace}/{one.name.name}" for one in side)
        for side in (movement.inputs, movement.outputs)
    ]
    rows = sum(one.rows or 0 for one in movement.outputs)
    columns = "columns unknown" if movement.columns is None else f"{len(movement.columns)} columns"
    return (
        f"{seen.state.value} {movement.job_name}: {' -> '.join(filter(None, ways))} ({columns}, {rows} rows)"
    )
