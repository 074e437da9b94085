"""The memory of lineage: `DbtLayerOperator` compared with dbt alone, on 1,000 models and 10,000 tests.

    make bench BENCH=memory

Both run in a process that has imported what each task has (Airflow and its OpenLineage listener), on a
generated project that is parsed already, one after the other on the same warehouse: `dbt build` by dbt's own
runner, and `DbtLayerOperator`. The figures are of the whole process: its peak (VmHWM), and how far its memory
when the last node ends is above that at a quarter of the nodes. dbt's own growth (results, compiled SQL) is
taken off: what remains is ours.

The peak is taken when the process has ended: DuckDB writes its log into the database file when it is closed,
which takes more than all nodes do. The operator closes it at the end of the task, dbt at its process's exit.

Bars: the peak at most 64 MiB above dbt's, the growth at most 16 MiB above dbt's.

MEMORY_MODELS (1050) and MEMORY_TESTS (10000) set the size.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from tests.bench.measured import Measured, progress  # noqa: E402
from tests.support import large_dbt_project  # noqa: E402

MODELS = int(os.environ.get("MEMORY_MODELS", "1050"))
TESTS = int(os.environ.get("MEMORY_TESTS", "10000"))
PEAK_BAR, GROWTH_BAR = 64.0, 16.0
QUARTERS = 4
MIB = 1024


def main() -> int:
    peaks, growths = compare(MODELS // 150, TESTS)
    held = [
        Measured("peak above dbt's", peaks["operator"] - peaks["dbt"], PEAK_BAR, "MiB", more_is_better=False),
        Measured(
            "growth while it runs, above dbt's",
            growths["operator"] - growths["dbt"],
            GROWTH_BAR,
            "MiB",
            more_is_better=False,
        ),
    ]
    print(*held, sep="\n")
    return 0 if all(one.figure <= one.bar for one in held) else 1


def compare(times: int, tests: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the peak and the growth in MiB of dbt alone and of the operator."""
    peaks, growths = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        project = large_dbt_project.write(Path(folder, "project"), tests=tests, times=times)
        for what in ("parse", "dbt", "operator"):
            found = _child(what, project, Path(folder))
            if what != "parse":
                peaks[what], samples = found["peak"], found["samples"]
                growths[what] = samples[-1] - samples[0]
                progress(
                    f"{what}: peak {found['peak']:.0f} MiB, {found['nodes']} nodes, at each quarter {samples}"
                )
    return peaks, growths


def _child(what: str, project: Path, folder: Path) -> dict[str, Any]:
    environment = {
        "DBT_PROFILES_DIR": str(project),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__AIRFLOW_LINEAGE__STORE": str(folder / "lineage.db"),
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, "-P", __file__, what, project],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{what} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().rpartition("\n")[2])


def measure(what: str, project: str) -> None:
    """Run dbt or the operator in this process and print its figures."""
    import airflow.providers.openlineage.plugins.listener
    import airflow.sdk.execution_time.task_runner  # noqa: F401 - what a task's process has imported

    from tests.bench.dbt import operate

    sampler = _Sampler()
    # Registered before dbt-duckdb's own handler, this one runs after it: the database is closed by then.
    atexit.register(sampler.report)
    if what == "operator":
        _count_nodes(sampler)
        operate(project, [])
    else:
        from dbt.cli.main import dbtRunner

        verb = "parse" if what == "parse" else "build"
        quiet = ("--log-level", "none", "--log-level-file", "none")
        if not dbtRunner(callbacks=[sampler]).invoke([*quiet, verb, "--project-dir", project]).success:
            sys.exit(f"dbt {verb} failed")


class _Sampler:
    """dbt's callback, on several threads: takes this process's memory at the end of each quarter of nodes."""

    def __init__(self) -> None:
        self.total = 0
        self.ended = 0
        self.samples: list[float] = []
        self._lock = threading.Lock()

    def __call__(self, event: Any) -> None:
        if event.info.name == "ConcurrencyLine":
            self.total = event.data.node_count
        elif event.info.name == "NodeFinished":
            with self._lock:
                self.ended += 1
                if self.total and self.ended * QUARTERS // self.total > len(self.samples):
                    self.samples.append(round(_status("VmRSS")))

    def report(self) -> None:
        """Print the figures."""
        print(json.dumps({"peak": _status("VmHWM"), "nodes": self.ended, "samples": self.samples}))


def _count_nodes(sampler: _Sampler) -> None:
    """Let the sampler see the events that the operator's listener receives."""
    from airflow_lineage_provider.dbt.listener import Listener

    receive = Listener.__call__

    def receive_and_sample(self: Listener, event: Any) -> None:
        receive(self, event)
        sampler(event)

    Listener.__call__ = receive_and_sample


def _status(name: str) -> float:
    """Return a figure of /proc/self/status in MiB. Not ru_maxrss, which begins with the parent's memory."""
    return int(Path("/proc/self/status").read_text().partition(f"{name}:")[2].split()[0]) / MIB


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in {"parse", "dbt", "operator"}:
        measure(*sys.argv[1:3])
    else:
        sys.exit(main())
