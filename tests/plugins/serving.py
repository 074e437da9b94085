"""Airflow's web server with seeded DAGs, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
ROLES = {"viewer": "viewer", "user": "user", "op": "op", "admin": "admin", "nobody": ""}
API = "/lineage/api/v1"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class WebServer:
    """A running web server; `home` is its AIRFLOW_HOME, `pid` its process."""

    def __init__(self, url: str, home: Path, pid: int) -> None:
        self.url, self.home, self.pid = url, home, pid
        self._tokens: dict[str, str] = {}

    def token(self, user: str) -> str:
        """Log in; each password is the user's name."""
        if user not in self._tokens:
            login = {"username": user, "password": user}
            self._tokens[user] = self.request("/auth/token", body=login).json()["access_token"]
        return self._tokens[user]

    def get(self, path: str, user: str = "admin", **headers: str) -> Answer:
        """Return the answer of the API to a user."""
        return self.request(f"{API}{path}", self.token(user), headers=headers)

    def request(self, path: str, token: str = "", body: Any = None, headers: Any = None) -> Answer:
        sent = {"Content-Type": "application/json", "Accept": "*/*", **(headers or {})}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, sent)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())


@contextmanager
def web_server(home: Path, seeds: str = "two", **environ: str) -> Iterator[WebServer]:
    """Start a web server of its own process and end it."""
    (home / "passwords.json").write_text(json.dumps({name: name for name in ROLES}))
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API_AUTH__JWT_SECRET": "of the tests, and long enough to sign tokens with" * 2,
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{u}:{r}" for u, r in ROLES.items()),
        **environ,
    }
    log = home / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.plugins.web_server", seeds],
            env=os.environ | settings,
            cwd=REPOSITORY,
            stdout=errors,
            stderr=subprocess.STDOUT,
        )
    try:
        yield WebServer(f"http://127.0.0.1:{_port(process, log)}", home, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _port(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the port of a web server once it listens."""
    deadline = time.monotonic() + 300
    while not (found := re.search(r"^PORT (\d+)$", log.read_text(), re.MULTILINE)):
        assert process.poll() is None, log.read_text()[-5000:]
        assert time.monotonic() < deadline, log.read_text()[-5000:]
        time.sleep(0.2)
    return found[1]
