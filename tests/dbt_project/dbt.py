"""Runs real dbt on a copy of the project, in a process of its own because dbt keeps state there."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Several commands share one process, because most of a dbt process is the import.
DRIVER = """
import json, sys
from dbt.cli.main import dbtRunner
outcomes = []
for command in json.loads(sys.argv[1]):
    done = dbtRunner().invoke(command)
    nodes = {}
    for result in getattr(done.result, "results", None) or []:
        if hasattr(result, "node"):
            nodes[result.node.name] = (str(result.status), getattr(result, "failures", None))
    listed = done.result if isinstance(done.result, list) else []
    outcomes.append((done.success, nodes, listed))
with open(sys.argv[2], "w") as file:
    json.dump(outcomes, file)
"""


@dataclass(frozen=True)
class Outcome:
    """What one dbt command came to: the status and the failures of each node, or the names it listed."""

    success: bool
    nodes: dict[str, tuple[str, int | None]]
    listed: list[str]
    log: str

    def status(self, node):
        return self.nodes[node][0]

    def not_passed(self):
        return {name: status for name, (status, _) in self.nodes.items() if status not in ("success", "pass")}


@dataclass(frozen=True)
class Dbt:
    """One copy of the project and the folder of its data."""

    project: Path
    target: str = "duckdb"
    variables: tuple[tuple[str, str], ...] = ()

    @classmethod
    def copy_of(cls, project, folder, **settings):
        shutil.copytree(
            project, folder / "p", ignore=shutil.ignore_patterns("data", "target", "logs", "*.pyc")
        )
        return cls(folder / "p", **settings)

    @property
    def data(self):
        return self.project / "data"

    def run(self, *commands):
        """Run the commands one after the other; gives an Outcome for each."""
        always = f"--project-dir {self.project} --profiles-dir {self.project} --no-use-colors"
        everything = [shlex.split(f"{command} {always}{self._target(command)}") for command in commands]
        answer = self.project / "outcomes.json"
        answer.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, json.dumps(everything), str(answer)],
            cwd=self.project.parent,  # not the project: nothing may depend on the current directory
            env={**_environment(), **dict(self.variables)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.exists(), done.stdout + done.stderr
        return [
            Outcome(success, {name: tuple(node) for name, node in nodes.items()}, listed, done.stdout)
            for success, nodes, listed in json.loads(answer.read_text())
        ]

    def query(self, sql, *values):
        """Rows of a query on the embedded warehouse, which no dbt process may be using."""
        import duckdb

        with duckdb.connect(str(self.data / "warehouse.duckdb")) as connection:
            return connection.execute(sql, values).fetchall()

    def _target(self, command):
        return "" if " --target " in command else f" --target {self.target}"


def _environment():
    unwanted = ("DBT_", "PG", "SNOWFLAKE_", "LINEAGE_DEMO_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
