"""The cost of checking a layer against the map while it runs: `DbtLayerOperator` with and without a map.

    make bench BENCH=contract

Both run the layer `silver` in a fresh process, timed from `execute` on, in turns on the same warehouse. The
best rounds are compared, because other processes only add time. The bar of 1.02 is on processor time, which
other processes disturb least; the ratio of elapsed time is printed beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import copytree, ignore_patterns

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 15
BAR = 1.02


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "dbt_project")
        copytree(ROOT / "dbt_project", project, ignore=ignore_patterns("data", "target", "logs"))
        environment = os.environ | {
            "DBT_PROFILES_DIR": str(project),
            "AIRFLOW_HOME": str(Path(folder, "airflow")),
            "AIRFLOW__AIRFLOW_LINEAGE__STORE": str(Path(folder, "lineage.db")),
        }
        source_data = [sys.executable, project / "source_data.py", "--directory", project / "data"]
        subprocess.run(source_data, env=environment, capture_output=True, check=True)
        run(environment, project, "bronze", "none")
        held, free = [], []
        for number in range(ROUNDS + 1):
            free.append(run(environment, project, "silver", "none"))
            held.append(run(environment, project, "silver", "map"))
            if number:  # the first fills caches
                print(
                    f"{number}/{ROUNDS}: elapsed and processor s {free[-1]}, with a map {held[-1]}",
                    flush=True,
                )
    elapsed, ratio = (min(r[kind] for r in held[1:]) / min(r[kind] for r in free[1:]) for kind in (0, 1))
    outcome = "held" if ratio <= BAR else "MISSED"
    print(f"contract: elapsed time {elapsed:.3f}, processor time {ratio:.3f} (bar {BAR:.2f}): {outcome}")
    return 0 if ratio <= BAR else 1


def run(environment: dict[str, str], project: Path, layer: str, contract: str) -> tuple[float, float]:
    """Run a layer in a process of its own; return elapsed and processor seconds of `execute`."""
    done = subprocess.run(
        [sys.executable, "-P", __file__, project, layer, contract],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{layer} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    elapsed, processor = done.stdout.strip().rpartition("\n")[2].split()
    return round(float(elapsed), 3), round(float(processor), 3)


def operate(project: str, layer: str, contract: str) -> None:
    """Run the layer as Airflow does and print the seconds."""
    from datetime import UTC, datetime
    from types import SimpleNamespace

    import airflow.providers.openlineage.plugins.listener
    import airflow.sdk.execution_time.task_runner  # noqa: F401 - what the process of a task has imported
    from airflow.sdk import DAG

    from airflow_lineage_provider.operators.dbt import DbtLayerOperator

    now = datetime.now(UTC)
    times = dict.fromkeys(("logical_date", "run_after", "data_interval_start", "data_interval_end"), now)
    dag_run = SimpleNamespace(dag_id="bench", conf={}, clear_number=0, **times)
    documented = {"map_path": str(ROOT / "dags/customer_analytics_pipeline.yaml"), "environment": "dev"}
    started, used = time.perf_counter(), time.process_time()
    with DAG("bench", schedule=None):
        task = DbtLayerOperator(
            task_id=layer, layer=layer, project_dir=project, **(documented if contract == "map" else {})
        )
    ti = SimpleNamespace(
        dag_id="bench", task_id=layer, try_number=1, map_index=-1, task=task, dag_run=dag_run
    )
    context = {"ti": ti, "dag_run": dag_run}
    ti.get_template_context = lambda: context
    task.execute.__wrapped__(task, context)
    print(time.perf_counter() - started, time.process_time() - used)


if __name__ == "__main__":
    if sys.argv[1:]:
        operate(*sys.argv[1:])
    else:
        sys.exit(main())
