"""Run real dbt on a copy of the project, in a process of its own because dbt keeps global state."""

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
    """The result of one dbt command: status and failures of each node, or the listed names."""

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
    """A copy of the project with its data folder."""

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
        """Run the commands in order and return an Outcome for each."""
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
        """Return the rows of a query on the DuckDB warehouse; no dbt process may be running."""
        import duckdb

        with duckdb.connect(str(self.data / "warehouse.duckdb")) as connection:
            return connection.execute(sql, values).fetchall()

    def _target(self, command):
        return "" if " --target " in command else f" --target {self.target}"


def _environment():
    unwanted = ("DBT_", "PG", "SNOWFLAKE_", "LINEAGE_DEMO_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
