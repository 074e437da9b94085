"""Run DAGs with `dag.test()` in an Airflow of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.airflow_home import airflow_environment

HERE = Path(__file__).parent


def run_dags(home: Path, runner: str, *words: str, **environment: str) -> tuple[Any, str]:
    """Run a script of this folder, `runner WORDS RESULTS`, on the DAGs in `home/dags`.

    Returns what it wrote into RESULTS, and what it printed. More environment variables are given by name.
    """
    transport = '{"type": "airflow_lineage_provider.OutboxTransport"}'
    done = subprocess.run(
        [sys.executable, HERE / runner, *words, home / "results.json"],
        env=airflow_environment(home, AIRFLOW__OPENLINEAGE__TRANSPORT=transport) | environment,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return json.loads((home / "results.json").read_text()), done.stdout
