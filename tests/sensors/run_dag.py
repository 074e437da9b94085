"""Runs a DAG with `dag.test()` in the environment's Airflow: run_dag.py DAG_ID RESULTS.

RESULTS has each task's state and what it returned. What a task logs follows a line `=== task_id`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.models.xcom import XComModel
from airflow.utils.db import upgradedb
from airflow.utils.session import create_session


def main(dag_id: str, results: str) -> None:
    upgradedb()
    run = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags[dag_id].test()
    with create_session() as session:
        found = session.query(XComModel).filter_by(dag_id=dag_id, key="return_value")
        returned = {xcom.task_id: XComModel.deserialize_value(xcom) for xcom in found}
    states = {task.task_id: [task.state, returned.get(task.task_id)] for task in run.get_task_instances()}
    Path(results).write_text(json.dumps(states))


if __name__ == "__main__":
    main(*sys.argv[1:])
