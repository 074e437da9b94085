"""What a dbt project costs under a real scheduler: by us, by Cosmos, and by plain `dbt build`.

    make bench BENCH=scheduler

A project of jaffle_shop's shape (3 seeds, 5 models, 20 tests) on DuckDB, with LocalExecutor under
`airflow standalone`: one for us and one, in an environment of its own, for Cosmos. The ways take turns, each
on a copy of the project of its own, and the medians of all rounds are compared. Three figures for each:

- tasks: from the start of the first task to the end of the last, as Airflow has them in its database: what a
  task costs and what the scheduler takes between tasks. The bars are about this one.
- run: from the start to the end of the DAG run, with what the scheduler takes before and after.
- cpu: the processor time of all of Airflow's processes meanwhile, tasks and scheduler alike.

Bars, beside `dbt build` as a bare process (its start, imports, partial parse and run): one task at most
1.05 times, three layer tasks at most 1.6 times. `dbt build` as a BashOperator and Cosmos (local and watcher,
from a manifest, with OpenLineage to a file as we have it to our store) are printed beside them.

SCHEDULER_ROUNDS (5) sets the rounds; SCHEDULER_COSMOS=0 leaves out Cosmos.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from tests.bench.measured import Measured, progress  # noqa: E402
from tests.e2e.pipeline import Pipeline  # noqa: E402
from tests.e2e.standalone import standalone  # noqa: E402
from tests.e2e.triggered import trigger  # noqa: E402
from tests.support import jaffle_shop  # noqa: E402
from tests.support.environments import python_of  # noqa: E402

if TYPE_CHECKING:
    from tests.e2e.standalone import Airflow

ROUNDS = int(os.environ.get("SCHEDULER_ROUNDS", "5"))
WITH_COSMOS = os.environ.get("SCHEDULER_COSMOS", "1") != "0"
ONE_BAR, THREE_BAR = 1.05, 1.6
BARE = "dbt build, a bare process"
BASH = "dbt build, a BashOperator"
WAYS = {"plain": BASH, "one": "us, one task", "three": "us, three layer tasks"}
COSMOS_WAYS = {"cosmos_watcher": "Cosmos, watcher", "cosmos_local": "Cosmos, local"}

DAGS = """
from airflow.sdk import DAG
from airflow.providers.standard.operators.bash import BashOperator
from airflow_lineage_provider.operators.dbt import DbtLayerOperator

def layer(way, name=None):
    project = f"{root}/{{way}}"
    return DbtLayerOperator(task_id=name or "build", layer=name, project_dir=project, profiles_dir=project)

with DAG("plain", schedule=None):
    project = "{root}/plain"
    BashOperator(
        task_id="build", bash_command=f"{dbt} build --project-dir {{project}} --profiles-dir {{project}}"
    )

with DAG("one", schedule=None):
    layer("one")

with DAG("three", schedule=None):
    layer("three", "bronze") >> layer("three", "silver") >> layer("three", "gold")
"""
# The first line lets the search for DAG files, which looks for two words, find the file.
COSMOS_DAGS = """
# Airflow DAGs
from cosmos import DbtDag, ExecutionConfig, ExecutionMode, LoadMode
from cosmos import ProfileConfig, ProjectConfig, RenderConfig

for mode in (ExecutionMode.LOCAL, ExecutionMode.WATCHER):
    name = f"cosmos_{{mode.value}}"
    project = f"{root}/{{name}}"
    globals()[name] = DbtDag(
        dag_id=name,
        schedule=None,
        project_config=ProjectConfig(project, manifest_path=f"{{project}}/target/manifest.json"),
        profile_config=ProfileConfig("shop", "dev", profiles_yml_filepath=f"{{project}}/profiles.yml"),
        execution_config=ExecutionConfig(execution_mode=mode),
        render_config=RenderConfig(load_method=LoadMode.DBT_MANIFEST),
        operator_args={{"install_deps": False}},
        max_active_tasks=1 if mode is ExecutionMode.LOCAL else 16,  # DuckDB has one writing process
    )
"""


@dataclass(frozen=True)
class Took:
    """The seconds of one run of a way."""

    tasks: float
    run: float
    cpu: float

    def __str__(self) -> str:
        return f"tasks {self.tasks:.2f}, run {self.run:.2f}, cpu {self.cpu:.2f} s"


@dataclass(frozen=True)
class Home(Pipeline):
    """An Airflow home with its DAGs and the projects that they run."""

    transport: str = ""

    @property
    def environ(self) -> dict[str, str]:
        more = {
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
            "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "False",
        }
        return (
            super().environ
            | more
            | ({"AIRFLOW__OPENLINEAGE__TRANSPORT": self.transport} if self.transport else {})
        )


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        airflows = {way: airflow for airflow, ways in _airflows(Path(folder), stack) for way in ways}
        bare = jaffle_shop.write(Path(folder, "bare"))
        took: dict[str, list[Took]] = {}
        for round_ in range(ROUNDS + 1):
            for way in (BARE, *airflows):
                one = _bare(bare) if way == BARE else _dag_run(airflows[way], way)
                label = {BARE: BARE, **WAYS, **COSMOS_WAYS}[way]
                progress(f"{round_}/{ROUNDS} {label}: {one}")
                if round_:  # the first fills caches
                    took.setdefault(label, []).append(one)
    return _report({way: _median(all_) for way, all_ in took.items()})


def _airflows(folder: Path, stack: ExitStack) -> list[tuple[Airflow, dict[str, str]]]:
    """Start Airflow for us and for Cosmos; return each with the DAGs that it runs."""
    ours = Home(folder / "ours")
    dbt = f"{sys.executable} -m dbt.cli.main"
    _write(ours, DAGS.format(root=ours.root, dbt=dbt), WAYS)
    found = [(stack.enter_context(standalone(ours)), WAYS)]
    if WITH_COSMOS:
        python = python_of("cosmos")
        shim = folder / "bin" / "airflow"  # a console script of a cache names a folder that is gone
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec {python} -m airflow "$@"\n')
        shim.chmod(0o755)
        file = '{"type": "file", "append": true, "log_file_path": "%s/events.jsonl"}' % (folder / "theirs")
        theirs = Home(folder / "theirs", shim.parent, file)
        _write(theirs, COSMOS_DAGS.format(root=theirs.root), COSMOS_WAYS)
        for way in COSMOS_WAYS:
            _dbt(python, "parse", theirs.root / way)
        found.append((stack.enter_context(standalone(theirs)), COSMOS_WAYS))
    return found


def _write(home: Home, dags: str, ways: dict[str, str]) -> None:
    for way in ways:
        jaffle_shop.write(home.root / way)
    (home.root / "dags").mkdir()
    (home.root / "dags" / "shop.py").write_text(dags)
    done = home.run("airflow", "db", "migrate")
    if done.returncode:
        sys.exit(done.stdout[-3000:])


def _bare(project: Path) -> Took:
    before, began = os.times(), time.perf_counter()
    _dbt(sys.executable, "build", project)
    after, seconds = os.times(), time.perf_counter() - began
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Took(seconds, seconds, cpu)


def _dbt(python: str, verb: str, project: Path) -> None:
    command = [python, "-m", "dbt.cli.main", verb, "--project-dir", project, "--profiles-dir", project]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"dbt {verb} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


def _dag_run(airflow: Airflow, dag_id: str) -> Took:
    token = airflow.token("admin")
    before = _cpu(airflow.process.pid)
    run = trigger(airflow, token, dag_id)
    cpu = _cpu(airflow.process.pid) - before
    dag_run, tasks = run.get().json(), run.tasks().values()
    if dag_run["state"] != "success":
        states = {task["task_id"]: task["state"] for task in tasks}
        sys.exit(f"{dag_id} ended as {dag_run['state']}: {states}\n{airflow.tail()}")
    began = min(_moment(task["start_date"]) for task in tasks if task["start_date"])
    ended = max(_moment(task["end_date"]) for task in tasks if task["end_date"])
    whole = _moment(dag_run["end_date"]) - _moment(dag_run["start_date"])
    return Took((ended - began).total_seconds(), whole.total_seconds(), cpu)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _cpu(session: int) -> float:
    """Return the processor seconds of a session's processes and of those that they have waited for."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(") ")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _median(all_: list[Took]) -> Took:
    return Took(*(statistics.median(getattr(one, name) for one in all_) for name in ("tasks", "run", "cpu")))


def _report(medians: dict[str, Took]) -> int:
    bare = medians[BARE]
    print(f"medians of {ROUNDS} rounds, in seconds   tasks     run     cpu  of bare")
    for way, took in medians.items():
        print(f"{way:<32}{took.tasks:>8.2f}{took.run:>8.2f}{took.cpu:>8.2f}{took.tasks / bare.tasks:>9.2f}")
    held = [
        Measured(
            f"{WAYS[way]}, beside {BARE}",
            medians[WAYS[way]].tasks / bare.tasks,
            bar,
            "times",
            more_is_better=False,
        )
        for way, bar in (("one", ONE_BAR), ("three", THREE_BAR))
    ]
    print(*held, sep="\n")
    return 0 if all(one.of_bar <= 1 for one in held) else 1


if __name__ == "__main__":
    sys.exit(main())
