"""The answer of an outside system, live or saved, as committed events and as a task's outcome."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    from airflow_lineage_provider.systems.saved import SavedAnswer

log = logging.getLogger(__name__)


def read_answer(
    task: Any, system: str, saved_answer: str | None, fetch: Callable[[], SavedAnswer]
) -> SavedAnswer:
    """Return the saved answer at a path, relative to the DAG file, or without a path a fetched one.

    Raises InputError for a file that cannot be used, and what `fetch` raises.
    """
    from airflow_lineage_provider.systems.saved import load_answer
    from airflow_lineage_provider.utils.paths import path_beside_dag

    if not saved_answer:
        return fetch()
    return load_answer(path_beside_dag(task, saved_answer), system)


def commit_answer(context: Context, store_conn_id: str | None, answer: SavedAnswer) -> dict[str, Any]:
    """Commit the events of an answer; fail the task where jobs in it failed. Return a summary for XCom."""
    from airflow_lineage_provider.systems.answers import observe_answer
    from airflow_lineage_provider.utils.observations import commit_observations, judge_observations

    if answer.file:
        log.info("saved answer of %s, fetched at %s", answer.host, answer.fetched_at.isoformat())
    observed = observe_answer(answer, datetime.now(UTC))
    summary = commit_observations(context, store_conn_id, observed.observations, observed.problems)
    judge_observations(observed.observations)
    return summary | {"saved_answer": answer.fetched_at.isoformat() if answer.file else None}
