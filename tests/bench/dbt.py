"""The cost of lineage: `DbtLayerOperator` with events compared with plain `dbt build` and with dbt-ol.

    make bench BENCH=dbt

Plain dbt is a whole fresh process: interpreter start, imports, parse (partial), run. The operator is timed in
a fresh process as well, from `execute` on: dbt, DuckDB, SQLAlchemy and sqlglot are still to be imported then,
but Airflow is there, since every task runs in a process that Airflow started. They take turns on the same
warehouse, and the medians are compared.

Bars on the reference project: one layer at most 1.10 times plain dbt; three layers in one process at most
0.60 times three plain dbt processes. On a generated project of 150 models with 8 threads: at most 1.05 times
plain dbt and 0.95 times dbt-ol; and with 1,600 tests, 95 of 100 events are in the store at most 1 s after
they happened.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree, ignore_patterns

sys.path.append(str(Path(__file__).parents[1] / "support"))
import large_dbt_project

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
ONE_LAYER_BAR = 1.10
THREE_LAYERS_BAR = 0.60
LARGE_ROUNDS = 5
LARGE_BAR = 1.05
DBT_OL_BAR = 0.95
LAG_BAR = 1.0
TESTS = 300
MANY_TESTS = 1600
LAYERS = ("bronze", "silver", "gold")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "dbt_project")
        copytree(ROOT / "dbt_project", project, ignore=ignore_patterns("data", "target", "logs"))
        _run([sys.executable, project / "source_data.py", "--directory", project / "data"], {})
        environment = _environment(Path(folder), project)
        _run(_dbt(project, "bronze"), environment)
        one = _compare("silver", project, environment, ("silver",), ONE_LAYER_BAR)
        three = _compare("three layers", project, environment, LAYERS, THREE_LAYERS_BAR)
    large, ol, lag = _large_project()
    held = (
        one <= ONE_LAYER_BAR
        and three <= THREE_LAYERS_BAR
        and large <= LARGE_BAR
        and ol <= DBT_OL_BAR
        and lag <= LAG_BAR
    )
    print(
        f"dbt: one layer {one:.2f} (bar {ONE_LAYER_BAR:.2f}), three layers {three:.2f} "
        f"(bar {THREE_LAYERS_BAR:.2f}), 150 models {large:.2f} (bar {LARGE_BAR:.2f}), beside dbt-ol {ol:.2f} "
        f"(bar {DBT_OL_BAR:.2f}), lag {lag:.2f} s (bar {LAG_BAR:.2f}): {'held' if held else 'MISSED'}"
    )
    return 0 if held else 1


def _large_project() -> tuple[float, float, float]:
    """Return the operator's time over plain dbt's, over dbt-ol's, and the lag of events in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        project = large_dbt_project.write(Path(folder, "project"), tests=TESTS)
        environment = _environment(Path(folder), project)
        times: dict[str, list[float]] = {"operator": [], "dbt": [], "dbt-ol": []}
        for round_ in range(LARGE_ROUNDS + 1):
            mine = float(_run([sys.executable, "-P", __file__, "operator", project], environment)[1])
            plain, ol = (_run(_build(program, project), environment)[0] for program in ("dbt", "dbt-ol"))
            if round_:  # the first fills caches
                print(
                    f"150 models {round_}/{LARGE_ROUNDS}: operator {mine:.2f} s, dbt {plain:.2f} s, "
                    f"dbt-ol {ol:.2f} s"
                )
                for name, seconds in zip(times, (mine, plain, ol), strict=True):
                    times[name].append(seconds)
        of_dbt, of_ol = (  # round by round, because the machine's speed changes between rounds
            statistics.median(
                mine / other for mine, other in zip(times["operator"], times[peer], strict=True)
            )
            for peer in ("dbt", "dbt-ol")
        )
    with tempfile.TemporaryDirectory() as folder:
        project = large_dbt_project.write(Path(folder, "project"), tests=MANY_TESTS)
        environment = _environment(Path(folder), project)
        _run([sys.executable, "-P", __file__, "operator", project], environment)
        lag = _lag(environment["AIRFLOW__AIRFLOW_LINEAGE__STORE"])
    return of_dbt, of_ol, lag


def _environment(folder: Path, project: Path) -> dict[str, str]:
    return {
        "DBT_PROFILES_DIR": str(project),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__AIRFLOW_LINEAGE__STORE": str(folder / "lineage.db"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "OPENLINEAGE__TRANSPORT__TYPE": "file",
        "OPENLINEAGE__TRANSPORT__LOG_FILE_PATH": str(folder / "dbt-ol.jsonl"),
        "OPENLINEAGE__TRANSPORT__APPEND": "true",
        "PYTHONWARNINGS": "ignore",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # dbt-ol calls dbt
    }


def _build(program: str, project: Path) -> list[object]:
    return [Path(sys.executable).with_name(program), "build", "--project-dir", project]


def _lag(store: str) -> float:
    """Return the 95th percentile of the seconds from an event to its commit, and print it with the median."""
    with sqlite3.connect(store) as connection:
        rows = connection.execute("select stored_at, event_time from event").fetchall()
    lags = sorted((_moment(stored) - _moment(happened)).total_seconds() for stored, happened in rows)
    median, late = statistics.median(lags), lags[int(len(lags) * 0.95)]
    print(f"{MANY_TESTS} tests, {len(lags)} events: lag {median:.2f} s median, {late:.2f} s 95th percentile")
    return late


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
    for layer in layers or [None]:
        task_id = layer or "everything"
        task = DbtLayerOperator(task_id=task_id, layer=layer, project_dir=project)
        ti = SimpleNamespace(
            dag_id="bench", task_id=task_id, try_number=1, map_index=-1, task=task, dag_run=dag_run
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
