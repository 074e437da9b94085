"""The part `outage` of the benchmark `delivery`: the pipeline while a backend accepts and never answers."""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from measured import Measured, progress

from airflow_lineage_provider.store import EventStore

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
DELIVERY = str(Path(__file__).parent / "delivery.py")
OUTBOX = "airflow_lineage_provider.OutboxTransport"


def outage(folder: Path) -> Iterator[Measured]:
    """The pipeline with a backend that takes connections and never answers, against none at all.

    In turns, so that what slows the machine down slows both; their medians are compared.
    """
    pipeline = Pipeline(folder)
    pipeline.run()  # the first run makes caches
    alone, during = [], []
    with black_hole() as url:
        for _ in range(5):
            alone.append(pipeline.run())
            with forwarding(pipeline.store, url):
                during.append(pipeline.run())
            progress(f"  {alone[-1]:.2f} s without a backend, {during[-1]:.2f} s with a black hole")
        peer = pipeline.run(transport={"type": "http", "url": url})
    yield Measured("the same with Airflow's HTTP transport", peer / statistics.median(alone), 5, "times")
    what = "the pipeline during an outage, by the pipeline alone"
    yield Measured(
        what, statistics.median(during) / statistics.median(alone), 1.02, "times", more_is_better=False
    )


class Pipeline:
    """`customer_analytics_pipeline` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        rubbish = shutil.ignore_patterns("data", "target", "logs", "__pycache__")
        for name in ("dags", "dbt_project"):
            shutil.copytree(REPOSITORY / name, folder / name, ignore=rubbish)
        self.store = str(folder / "lineage.db")
        self._environ = os.environ | {
            "AIRFLOW_HOME": str(folder / "home"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "1",
            "AIRFLOW__AIRFLOW_LINEAGE__STORE": self.store,
        }
        self._environ.pop("PYTHONDONTWRITEBYTECODE", None)
        project = folder / "dbt_project"
        self._call(sys.executable, str(project / "source_data.py"), "--directory", str(project / "data"))
        self._call(sys.executable, "-m", "airflow", "db", "migrate")

    def run(self, transport: dict[str, str] | None = None) -> float:
        self._environ["AIRFLOW__OPENLINEAGE__TRANSPORT"] = json.dumps(transport or {"type": OUTBOX})
        start = time.perf_counter()
        self._call(sys.executable, "-m", "airflow", "dags", "test", "customer_analytics_pipeline")
        return time.perf_counter() - start

    def _call(self, *command: str) -> None:
        ran = subprocess.run(command, env=self._environ, capture_output=True, text=True, check=False)
        if ran.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{ran.stdout[-3000:]}{ran.stderr[-3000:]}")


@contextmanager
def forwarding(store: str, url: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-P", DELIVERY, "forwarder", store, url], stdout=subprocess.PIPE
    )
    process.stdout.readline()
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def forwarder(store: str, url: str) -> None:
    """Forward until terminated."""
    import threading

    from airflow_lineage_provider.forwarding.forwarder import Forwarder
    from airflow_lineage_provider.forwarding.targets import open_target

    target = open_target({"type": "http", "url": url})
    print("ready", flush=True)
    Forwarder(EventStore(store), "hole", target).run(threading.Event())


@contextmanager
def black_hole() -> Iterator[str]:
    """Listen without accepting: the kernel completes connections, and nothing reads from them."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as hole:
        yield f"http://127.0.0.1:{hole.getsockname()[1]}"
