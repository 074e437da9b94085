"""`airflow standalone` on free ports, and its REST API as someone who is logged in sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.postgres_server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .pipeline import Pipeline

USERS = {"admin": "admin", "guest": ""}  # a role gives rights; without one there are none


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    content_type: str
    text: str

    def json(self) -> Any:
        assert self.status < 300, f"{self.status}: {self.text[:500]}"
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Airflow:
    """A running Airflow; `token` is a JWT of its own making."""

    url: str
    pipeline: Pipeline
    process: subprocess.Popen[bytes]
    log: Path

    def request(
        self, method: str, path: str, body: Any = None, token: str = "", cookie: str = ""
    ) -> Response:
        headers = {"Content-Type": "application/json", "Accept": "*/*"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"Cookie": f"_token={cookie}"} if cookie else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Response(answer.status, answer.headers["Content-Type"], answer.read().decode())
        except urllib.error.HTTPError as error:
            return Response(error.code, error.headers["Content-Type"], error.read().decode())

    def password(self, user: str) -> str:
        """Return the password that Airflow generated."""
        file = self.pipeline.root / "airflow" / "simple_auth_manager_passwords.json.generated"
        password: str = json.loads(file.read_text())[user]
        return password

    def token(self, user: str) -> str:
        """Log in with the password that Airflow generated."""
        login = {"username": user, "password": self.password(user)}
        return self.request("POST", "/auth/token", login).json()["access_token"]

    def healthy(self) -> bool:
        try:
            health = self.request("GET", "/api/v2/monitor/health").json()
        except OSError:
            return False
        return all(part["status"] in {"healthy", None} for part in health.values()) and all(
            health[part]["status"] for part in ("scheduler", "triggerer", "dag_processor")
        )

    def wait_until(self, what: str, condition: Callable[[], Any], seconds: float) -> Any:
        """Return what the condition returns once that is true; fail with the log's tail at the deadline."""
        deadline = time.monotonic() + seconds
        while not (met := condition()):
            ended = self.process.poll()
            assert ended is None, f"airflow standalone ended with {ended}\n{self.tail()}"
            assert time.monotonic() < deadline, f"not {what} after {seconds} s\n{self.tail()}"
            time.sleep(0.5)
        return met

    def tail(self, characters: int = 6000) -> str:
        return self.log.read_text(errors="replace")[-characters:]


@contextmanager
def standalone(pipeline: Pipeline) -> Iterator[Airflow]:
    """Start Airflow and end it, with all the processes that it started."""
    api, logs, triggerer_logs, health = free_ports(4)
    url = f"http://127.0.0.1:{api}"
    environ = pipeline.environ | {
        "AIRFLOW__API__PORT": str(api),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{u}:{r}" for u, r in USERS.items()),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(logs),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(triggerer_logs),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",  # only what is triggered runs
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(health),
    }
    log = pipeline.root / "standalone.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [pipeline.bin / "airflow", "standalone"],
            env=environ,
            cwd=pipeline.root,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        airflow = Airflow(url, pipeline, process, log)
        airflow.wait_until("healthy", airflow.healthy, seconds=300)
        yield airflow
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process group to end, then end it."""
    for number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        try:
            os.killpg(process.pid, number)
            process.wait(seconds)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago, all different."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)
