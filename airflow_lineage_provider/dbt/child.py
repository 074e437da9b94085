"""Run by another interpreter, which has dbt and not this package: a dbt run whose records go over a pipe.

`python -I child.py`: the first line of stdin is the command as JSON. Each line of stdout is a JSON list of a
record's class and its fields. A line `["FindTables", ...]` or `["CheckNode", ...]` is a question, and the
next line of stdin its answer; one question is asked at a time. SIGTERM cancels the run.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import signal
import sys
import threading
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "airflow_lineage_provider"
PR_SET_PDEATHSIG = 1
OLDEST_PYTHON = (3, 11)
OLDEST_DBT, NEXT_DBT = (1, 10), (2, 0)


def main() -> None:
    """Run the command of stdin and write its records to stdout."""
    _die_with_parent()
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what dbt and its adapters print is no record
    if missing := _missing():
        finished = {"success": False, "error": missing, "bad_input": True}
        pipe.write(json.dumps(["InvocationFinished", finished]) + "\n")
        pipe.flush()
        return
    # Not by sys.path: the folder of the package may hold Airflow and everything else that is installed there.
    package = ModuleType(PACKAGE)
    package.__path__ = [str(Path(__file__).resolve().parents[1])]
    sys.modules[PACKAGE] = package
    _run(pipe)


def _run(pipe: Any) -> None:
    from airflow_lineage_provider.dbt import Command, DbtError, DbtRun
    from airflow_lineage_provider.dbt.records import InvocationFinished, Relation

    writing, asking = threading.Lock(), threading.Lock()  # dbt checks nodes on its own threads

    def send(record: Any, kind: str = "") -> None:
        line = json.dumps([kind or type(record).__name__, record], default=_plain) + "\n"
        with writing:
            pipe.write(line)
            pipe.flush()

    def ask(kind: str, *asked: Any) -> Any:
        with asking:
            send(asked, kind)
            return json.loads(sys.stdin.readline())

    def find_tables(node: Any, sql: str, invocation: Any) -> tuple[Relation, ...]:
        return tuple(_relation(one) for one in ask("FindTables", node, sql, invocation))

    def check_node(part: dict[str, Any], unique_id: str) -> str | None:
        answer = ask("CheckNode", part, unique_id)
        if problem := answer.get("problem"):
            raise DbtError(problem)
        error: str | None = answer["error"]
        return error

    def _relation(given: dict[str, Any]) -> Relation:
        """Return a table that SQL names: its columns are not known yet."""
        place = (given["database"], given["schema"], given["identifier"])
        return Relation(
            given["unique_id"], *place, location=given["location"], quoted=frozenset(given["quoted"])
        )

    try:
        given = json.loads(sys.stdin.readline())
        options: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in given["command"].items()
        }
        run = DbtRun(Command(**options), find_tables, check_node if given["checks"] else None)
    except DbtError as error:
        send(InvocationFinished(success=False, error=str(error), bad_input=True))
        return
    signal.signal(signal.SIGTERM, lambda *_: run.cancel())
    for record in run:
        send(record)


def _missing() -> str | None:
    """Return what this interpreter lacks to run dbt."""
    if sys.version_info < OLDEST_PYTHON:
        return f"{sys.executable} is Python {sys.version.split()[0]}; 3.11 or newer is needed"
    try:
        found = importlib.util.find_spec("dbt.cli.main")
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("dbt"):
            return f"{sys.executable} has a dbt that cannot be imported: {error}; install it there again"
        found = None
    if not found:
        return f"{sys.executable} has no dbt-core: install it there, or name another python"
    version = importlib.metadata.version("dbt-core")
    major, minor, *_ = (int(part) if part.isdecimal() else 0 for part in version.split("."))
    if not OLDEST_DBT <= (major, minor) < NEXT_DBT:
        return f"{sys.executable} has dbt-core {version}; 1.10, 1.11 or 1.12 is needed"
    return None


def _plain(value: Any) -> Any:
    """Return a value of a record as JSON has it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def _die_with_parent() -> None:
    """Let the kernel kill this process when its parent dies; elsewhere than on Linux the closed pipe does."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
