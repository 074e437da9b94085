"""A copy of the pipeline that a test may change and run, with an Airflow home of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from airflow_lineage_provider.store import EventStore

REPOSITORY = Path(__file__).parents[2]
DAG_ID = "customer_analytics_pipeline"
TRANSPORT = "airflow_lineage_provider.OutboxTransport"
BIN = Path(sys.executable).parent
MADE_BY_RUNS = shutil.ignore_patterns("__pycache__", "data", "target", "logs")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`dags/`, `dbt_project/` and `airflow/` in one folder, as the Makefile's demo has them."""

    root: Path
    bin: Path = BIN
    """The commands of the environment that runs it."""

    @property
    def models(self) -> Path:
        return self.root / "dbt_project" / "models"

    @property
    def environ(self) -> dict[str, str]:
        return os.environ | {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "AIRFLOW_HOME": str(self.root / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.root / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "0",
            "AIRFLOW__OPENLINEAGE__TRANSPORT": f'{{"type": "{TRANSPORT}"}}',
        }

    @property
    def store(self) -> EventStore:
        return EventStore(str(self.root / "airflow" / "lineage.db"))

    def copy(self, root: Path) -> Pipeline:
        """Return the like of this one elsewhere, its warehouse and Airflow's database included."""
        shutil.copytree(self.root, root)
        return replace(self, root=root)

    def edit(self, model: str, before: str, after: str) -> None:
        """Replace text that stands once in a model, or in the file that describes models."""
        path = self.models / model
        text = path.read_text()
        assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {model}"
        path.write_text(text.replace(before, after))

    def without_contract(self) -> None:
        """Let the layers run whatever the map says, so that the end of the run has drift to find."""
        dag = self.root / "dags" / f"{DAG_ID}.py"
        text, found = re.subn(r"\*\*DBT,\s*\*\*LINEAGE", "**DBT", dag.read_text())
        assert found
        dag.write_text(text)

    def run(self, *command: str | Path, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in this pipeline's surroundings."""
        return subprocess.run(
            [self.bin / command[0], *command[1:]],
            env=self.environ,
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=timeout,
        )


def new_pipeline(root: Path, binaries: Path = BIN) -> Pipeline:
    """Return a pipeline with source data, and an Airflow database."""
    for folder in ("dags", "dbt_project"):
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=MADE_BY_RUNS)
    pipeline = Pipeline(root, binaries)
    for command in (
        ("python", "dbt_project/source_data.py", "--directory", "dbt_project/data"),
        ("airflow", "db", "migrate"),
    ):
        done = pipeline.run(*command)
        assert done.returncode == 0, done.stdout
    return pipeline
