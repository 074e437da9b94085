"""DataHub's SDK and its sources in an environment of their own, from pins of their own."""

import os
import subprocess
from pathlib import Path

from tests.support.environments import python_of

ROOT = Path(__file__).parents[2]


def run(*arguments, environment=None, cwd=None):
    """Run the environment's Python with this checkout on its path, and return what it printed."""
    done = subprocess.run(
        [python_of("datahub"), *map(str, arguments)],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "DATAHUB"))},
            "PYTHONPATH": str(ROOT),
            "DATAHUB_TELEMETRY_ENABLED": "false",
            **(environment or {}),
        },
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def publish(*arguments, environment=None):
    """Run `airflow-lineage publish datahub` there."""
    command = ("-m", "airflow_lineage_provider.cli", "publish", "datahub")
    return run(*command, *arguments, environment=environment)
