"""Errors as people meet them in a task's log: one line that says what to do."""

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
def bad_input_fails_the_task() -> Iterator[None]:
    """Fail the task for good, without a retry and without our stack, on input that no retry can mend.

    An event store whose server does not answer now is no such input: that is tried again.
    """
    from airflow_lineage_provider.errors import LineageError

    try:
        yield
    except (AirflowNotFoundException, LineageError, ValueError) as error:
        if getattr(error, "unreachable", False):
            raise AirflowException(str(error)) from None
        raise AirflowFailException(str(error)) from None
