"""Airflow under CeleryExecutor: two workers, Redis, and Postgres for Airflow and for the event store."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from airflow_lineage_provider.store import EventStore

from .pipeline import BIN, Pipeline
from .standalone import Airflow, end, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.stores import Postgres

MISSED_HEARTBEATS = 10  # seconds after which the scheduler takes a task for dead


@dataclass(frozen=True, slots=True)
class Cluster:
    """The running processes by name, and the pipeline that they run."""

    airflow: Airflow
    processes: dict[str, subprocess.Popen[bytes]]
    store: EventStore

    def busy_worker(self) -> str | None:
        """Return the name of a worker that runs a task: one of its pool's processes has a child."""
        for name, process in self.processes.items():
            if name.startswith("worker") and process.poll() is None:
                pool = psutil.Process(process.pid).children()
                if any(child.children() for child in pool):
                    return name
        return None

    def kill(self, name: str) -> None:
        """Kill a worker with all that it started, as a lost machine does."""
        process = self.processes[name]
        for one in (*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)):
            one.kill()
        process.wait(30)


@dataclass(frozen=True, slots=True)
class ClusterPipeline(Pipeline):
    """The pipeline, its metadata database, store and broker given by environment variables."""

    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        return Pipeline.environ.fget(self) | self.settings  # type: ignore[attr-defined]


@contextmanager
def celery_cluster(root: Path, metadata: Postgres, store: Postgres) -> Iterator[Cluster]:
    """Start every process, wait until Airflow is healthy, and end what was started."""
    redis_port, api, health, triggerer_logs, *worker_logs = free_ports(6)
    settings = _settings(metadata, store, redis_port, api, health, triggerer_logs)
    pipeline = ClusterPipeline(root, settings=settings)
    done = pipeline.run("airflow", "db", "migrate")
    assert done.returncode == 0, done.stdout
    EventStore(store.url).append([])  # makes its tables
    commands: dict[str, list[str]] = {
        "api-server": ["airflow", "api-server"],
        "scheduler": ["airflow", "scheduler"],
        "dag-processor": ["airflow", "dag-processor"],
        "triggerer": ["airflow", "triggerer"],
        "worker1": ["airflow", "celery", "worker", "-c", "1", "-H", "worker1"],
        "worker2": ["airflow", "celery", "worker", "-c", "1", "-H", "worker2"],
    }
    processes: dict[str, subprocess.Popen[bytes]] = {}
    log = root / "cluster.log"
    with ExitStack() as stack, log.open("wb") as stream:
        redis = shutil.which("redis-server")
        assert redis
        server = [redis, "--port", str(redis_port), "--save", "", "--bind", "127.0.0.1", "--dir", str(root)]
        processes["redis"] = subprocess.Popen(server, stdout=stream, stderr=stream, start_new_session=True)
        stack.callback(end, processes["redis"])
        for name, (program, *arguments) in commands.items():
            logs = {"AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker_logs[name == "worker2"])}
            processes[name] = subprocess.Popen(
                [BIN / program, *arguments],
                env=pipeline.environ | logs,
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            stack.callback(end, processes[name])
        airflow = Airflow(f"http://127.0.0.1:{api}", pipeline, processes["api-server"], log)
        airflow.wait_until("healthy", airflow.healthy, seconds=240)
        yield Cluster(airflow, processes, EventStore(store.url))


def _settings(
    metadata: Postgres, store: Postgres, redis_port: int, api: int, health: int, triggerer_logs: int
) -> dict[str, str]:
    url = f"http://127.0.0.1:{api}"
    socket = f"/postgres?host={metadata.folder}"
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://postgres@{socket}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://postgres@{socket}",
        "AIRFLOW__AIRFLOW_LINEAGE__STORE": store.url,
        "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{redis_port}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://postgres@{socket}",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__API__PORT": str(api),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": os.urandom(16).hex(),
        "AIRFLOW__API_AUTH__JWT_SECRET": os.urandom(32).hex(),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(triggerer_logs),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(health),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(MISSED_HEARTBEATS),
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    }


def open_dbt_runs(events: list[dict[str, Any]]) -> set[str]:
    """Return the names of the dbt jobs that began and did not end."""
    begun: dict[str, str] = {}
    for event in events:
        if event["job"]["namespace"].startswith("dbt"):
            run_id = event["run"]["runId"]
            if event["eventType"] == "START":
                begun.setdefault(run_id, event["job"]["name"])
            elif event["eventType"] in {"COMPLETE", "FAIL", "ABORT"}:
                begun.pop(run_id, None)
    return set(begun.values())


def wait_for_start(cluster: Cluster, job: str) -> None:
    """Wait until a START of the job is stored; look often, so that its run can be caught in the middle."""
    deadline = time.monotonic() + 240
    while not any(event["eventType"] == "START" for event in cluster.store.events(job_name=job)):
        assert time.monotonic() < deadline, f"no START of {job}\n{cluster.airflow.tail()}"
        time.sleep(0.02)
