"""A project is adopted: built by dbt, given a first map, changed, and built again by the operator."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support import generated_project

ROOT = Path(__file__).parents[2]
COLUMNS = "marts.fct_revenue_*"
"""The tables of the generated project whose columns are documented."""


@dataclass(frozen=True)
class Trial:
    """A generated project in a folder, with what its runs leave behind."""

    folder: Path
    models: int

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def manifest(self) -> Path:
        return self.project / "target" / "manifest.json"

    def store(self, name: str) -> Path:
        """The event store of a run."""
        return self.folder / f"{name}.db"

    def build(self, store: str) -> None:
        """Write the project, build it with dbt, and store the events that its artifacts give."""
        generated_project.write(self.project, self.models)
        dbt = [sys.executable, "-m", "dbt.cli.main"]
        self.run([*dbt, "deps", "--project-dir", self.project])
        self.run([*dbt, "build", "--project-dir", self.project])
        words = ["artifacts", self.project / "target", "--project-dir", self.project]
        self.lineage(*words, "--store", self.store(store))

    def operate(self, store: str) -> None:
        """Build the project with `DbtLayerOperator`."""
        bench = ROOT / "tests" / "bench" / "dbt.py"
        self.run([sys.executable, "-P", bench, "operator", self.project], self.store(store))

    def lineage(self, *words: object, expected: int = 0) -> subprocess.CompletedProcess[str]:
        """Call `airflow-lineage` in a process of its own."""
        return self.run([sys.executable, "-m", "airflow_lineage_provider.cli", *words], expected=expected)

    def run(
        self, command: list[object], store: Path | None = None, *, expected: int = 0
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "DBT_PROFILES_DIR": str(self.project),
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__AIRFLOW_LINEAGE__STORE": str(store or self.store("unused")),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
            "PYTHONWARNINGS": "ignore",
        }
        done = subprocess.run(
            list(map(str, command)), env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == expected, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done
