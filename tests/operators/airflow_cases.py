"""Run many DAGs of one task each in one real Airflow, and return their outcomes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.store import EventStore
from tests.support.airflow_home import airflow_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUNNER = Path(__file__).with_name("run_cases.py")

DAGS = """
import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from airflow.sdk import DAG

for dag_id, case in json.loads(Path({cases!r}).read_text()).items():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    room, _, name = case.get("class", "dbt.DbtLayerOperator").partition(".")
    operator = getattr(import_module("airflow_lineage_provider.operators." + room), name)
    with DAG(dag_id, start_date=start, schedule=None, params=case.get("params")) as dag:
        operator(task_id=room, **case["operator"])
    globals()[dag_id] = dag
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one DAG's task."""

    state: str
    tries: int
    returned: dict[str, Any] | None
    log: str
    events: list[dict[str, Any]]

    @property
    def error(self) -> str:
        """The one-line message of the task's failure."""
        raised = re.findall(r"^airflow\.(?:sdk\.)?exceptions\.\w+: (.+)$", self.log, re.MULTILINE)
        (line,) = set(raised)
        return line


def run_cases(
    home: Path,
    cases: Mapping[str, Mapping[str, Any]],
    environ: Mapping[str, str],
    within: Sequence[str] = (),
) -> dict[str, Outcome]:
    """Run every case in one Airflow process; `home` is its AIRFLOW_HOME and keeps its event store.

    A case is the arguments of its `operator`, whose `class` is DbtLayerOperator where none is named.
    `within` is a command that runs the one behind it in surroundings of its own.
    """
    home.mkdir(parents=True, exist_ok=True)
    (home / "dags").mkdir()
    (home / "tmp").mkdir()
    (home / "cases.json").write_text(json.dumps(cases))
    (home / "dags" / "cases.py").write_text(DAGS.format(cases=str(home / "cases.json")))
    surroundings = airflow_environment(home, TMPDIR=str(home / "tmp")) | environ
    done = subprocess.run(
        [*within, sys.executable, RUNNER, home / "cases.json", home / "results.json"],
        env=surroundings,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    (home / "output.log").write_text(done.stdout)
    assert done.returncode == 0, done.stdout[-5000:]
    results = json.loads((home / "results.json").read_text())
    logs = dict(part.split("\n", 1) for part in ("\n" + done.stdout).split("\n=== ") if "\n" in part)
    with closing(
        EventStore(str(home / "lineage.db"))
    ) as store:  # or SQLite's own files go when it is collected
        events = list(store.events())
    return {
        dag_id: Outcome(
            found["state"],
            found["tries"],
            found["returned"],
            logs[dag_id],
            [event for event in events if _dag(event) == dag_id],
        )
        for dag_id, found in results.items()
    }


def _dag(event: Mapping[str, Any]) -> str:
    """Return the DAG whose task is the event's parent."""
    job = event["run"].get("facets", {}).get("parent", {}).get("job", {}).get("name", "")
    return str(job).rpartition(".")[0]
