"""Expected errors as task failures: one line in the task's log that says what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def expected_errors_fail_task() -> Iterator[None]:
    """Turn an expected error into a task failure without a stack trace.

    The task is not retried, because the same input fails again. An error that is marked `unreachable` (an
    event store whose server does not answer) raises AirflowException instead, so that the task is retried.
    """
    from airflow_lineage_provider.errors import LineageError
    from airflow_lineage_provider.reports.escape import one_line

    try:
        yield
    except (AirflowNotFoundException, LineageError) as error:
        if getattr(error, "unreachable", False):
            raise AirflowException(one_line(str(error))) from None
        raise AirflowFailException(one_line(str(error))) from None
