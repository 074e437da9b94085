"""Paths relative to a DAG file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


def path_beside_dag(operator: BaseOperator, path: str) -> Path:
    """Return `path`; a relative path is resolved against the folder of the operator's DAG file."""
    return Path(operator.dag.fileloc).parent / path
