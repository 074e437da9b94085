# ruff: noqa: T201 - what it prints parts the log
"""Runs DAGs of one task each with `dag.test()`: run_cases.py CASES RESULTS, in the environment's Airflow.

Of each DAG, RESULTS has its task's state and what it returned. The log of each follows a line `=== dag_id`.
A case that is to be killed is sent SIGTERM once the event store has the START of the node that it names.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.models.xcom import XComModel
from airflow.utils.db import upgradedb
from airflow.utils.session import create_session

from airflow_lineage_provider.hooks.event_store import EventStoreHook


def main(cases: str, results: str) -> None:
    upgradedb()
    outcome = {}
    dags = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags
    for dag_id, case in json.loads(Path(cases).read_text()).items():
        print(f"=== {dag_id}", flush=True)
        if job := case.get("kill_when_started"):
            threading.Thread(target=kill_when_started, args=(job,), daemon=True).start()
        run = dags[dag_id].test()
        (task,) = run.get_task_instances()
        outcome[dag_id] = {"state": task.state, "returned": returned(dag_id), "tries": task.try_number}
        print("=== after", flush=True)
    Path(results).write_text(json.dumps(outcome))


def kill_when_started(job: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        store = EventStoreHook().get_conn()
        if any(event["job"]["name"] == job for event in store.events()):
            os.kill(os.getpid(), signal.SIGTERM)
            return
        time.sleep(0.1)


def returned(dag_id: str) -> object:
    with create_session() as session:
        found = session.query(XComModel).filter_by(dag_id=dag_id, key="return_value").one_or_none()
        return XComModel.deserialize_value(found) if found else None


if __name__ == "__main__":
    main(*sys.argv[1:])
