"""Files that stand beside a DAG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


def beside_dag(operator: BaseOperator, path: str) -> Path:
    """Return a file's path; a relative one is taken from the folder of the operator's DAG file."""
    return Path(operator.dag.fileloc).parent / path
