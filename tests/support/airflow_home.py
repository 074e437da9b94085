"""The environment of an Airflow that a test runs in a folder of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def airflow_environment(home: Path, **more: str) -> dict[str, str]:
    """Return the variables of an Airflow in `home` with the DAGs of `home/dags`: this process's, and more."""
    return {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        **more,
    }
