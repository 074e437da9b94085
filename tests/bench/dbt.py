"""The cost of lineage: `DbtLayerOperator` with events compared with plain `dbt build`.

    make bench BENCH=dbt

Plain dbt is a whole fresh process: interpreter start, imports, parse (partial), run. The operator is timed in
a fresh process as well, from `execute` on: dbt, DuckDB, SQLAlchemy and sqlglot are still to be imported then,
but Airflow is there, since every task runs in a process that Airflow started. They take turns on the same
warehouse, and the medians are compared. Bars: one layer at most 1.10 times plain dbt; three layers in one
process at most 0.60 times three plain dbt processes.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import copytree, ignore_patterns

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
ONE_LAYER_BAR = 1.10
THREE_LAYERS_BAR = 0.60
LAYERS = ("bronze", "silver", "gold")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "dbt_project")
        copytree(ROOT / "dbt_project", project, ignore=ignore_patterns("data", "target", "logs"))
        _run([sys.executable, project / "source_data.py", "--directory", project / "data"], {})
        environment = {
            "DBT_PROFILES_DIR": str(project),
            "AIRFLOW_HOME": str(Path(folder, "airflow")),
            "AIRFLOW__AIRFLOW_LINEAGE__STORE": str(Path(folder, "lineage.db")),
            "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        }
        _run(_dbt(project, "bronze"), environment)
        one = _compare("silver", project, environment, ("silver",), ONE_LAYER_BAR)
        three = _compare("three layers", project, environment, LAYERS, THREE_LAYERS_BAR)
    held = one <= ONE_LAYER_BAR and three <= THREE_LAYERS_BAR
    print(
        f"dbt: one layer {one:.2f} (bar {ONE_LAYER_BAR:.2f}), three layers {three:.2f} "
        f"(bar {THREE_LAYERS_BAR:.2f}): {'held' if held else 'MISSED'}"
    )
    return 0 if held else 1


def _compare(
    title: str, project: Path, environment: dict[str, str], layers: tuple[str, ...], bar: float
) -> float:
    """Return the ratio of the medians: the operator over plain dbt."""
    ours, plain = [], []
    for round_ in range(ROUNDS + 1):
        mine = float(_run([sys.executable, "-P", __file__, "operator", project, *layers], environment)[1])
        theirs = sum(_run(_dbt(project, layer), environment)[0] for layer in layers)
        if round_:  # the first fills caches
            ours.append(mine)
            plain.append(theirs)
            print(f"{title} {round_}/{ROUNDS}: operator {mine:.2f} s, dbt {theirs:.2f} s")
    ratio = statistics.median(ours) / statistics.median(plain)
    print(
        f"{title}: operator {statistics.median(ours):.2f} s, dbt {statistics.median(plain):.2f} s, "
        f"ratio {ratio:.2f} (bar {bar:.2f})"
    )
    return ratio


def _dbt(project: Path, layer: str) -> list[object]:
    return [Path(sys.executable).with_name("dbt"), "build", "--project-dir", project, "--select", layer]


def _run(command: list[object], environment: dict[str, str]) -> tuple[float, str]:
    """Run a process; return its seconds and its last line of output."""
    started = time.perf_counter()
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return time.perf_counter() - started, done.stdout.strip().rpartition("\n")[2]


def operate(project: str, layers: list[str]) -> None:
    """Run the layers as Airflow tasks do and print the seconds."""
    from datetime import UTC, datetime
    from types import SimpleNamespace

    import airflow.providers.openlineage.plugins.listener
    import airflow.sdk.execution_time.task_runner  # noqa: F401 - what a task's process has imported

    from airflow_lineage_provider.operators.dbt import DbtLayerOperator

    now = datetime.now(UTC)
    dag_run = SimpleNamespace(
        logical_date=now,
        run_after=now,
        data_interval_start=now,
        data_interval_end=now,
        conf={},
        clear_number=0,
    )
    started = time.perf_counter()
    for layer in layers:
        task = DbtLayerOperator(task_id=layer, layer=layer, project_dir=project)
        ti = SimpleNamespace(
            dag_id="bench", task_id=layer, try_number=1, map_index=-1, task=task, dag_run=dag_run
        )
        context = {"ti": ti, "dag_run": dag_run}
        ti.get_template_context = lambda context=context: context
        summary = task.execute.__wrapped__(task, context)
        if not summary["events"] or summary["events_lost"]:
            sys.exit(f"no events: {summary}")
    print(time.perf_counter() - started)


if __name__ == "__main__":
    if sys.argv[1:2] == ["operator"]:
        operate(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
