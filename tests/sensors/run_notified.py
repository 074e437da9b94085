"""Run the DAG `sales` with `dag.test()` once for each conf: run_notified.py CONFS RESULTS."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.utils.db import upgradedb


def main(confs: str, results: str) -> None:
    upgradedb()
    dag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags["sales"]
    states = []
    for conf in json.loads(confs):
        (sensor,) = [
            task for task in dag.test(run_conf=conf).get_task_instances() if task.task_id == "validate"
        ]
        states.append(sensor.state)
    Path(results).write_text(json.dumps(states))


if __name__ == "__main__":
    main(*sys.argv[1:])
