"""Garbage collection while dbt runs."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

THRESHOLDS = (50_000, 20, 50)


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Collect garbage less often in the `with` block.

    A process that holds Airflow, dbt and a project's manifest has so many objects that each full collection
    takes long, and dbt makes enough new ones to trigger many: `make bench BENCH=dbt` shows the difference.
    """
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
