"""`dag.test()` of every DAG in one process: run_verdicts.py RESULTS, in the environment's Airflow.

Of each DAG, RESULTS has the state of its sensor, the verdict that the sensor pushed, and its root run id.
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

from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.utils.validation_result import RESULT_KEY


def main(results: str) -> None:
    upgradedb()
    outcome = {}
    for dag_id, dag in DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags.items():
        run = dag.test()
        states = {ti.task_id: ti.state for ti in run.get_task_instances()}
        root = EventStoreHook().get_conn().latest_root_run()
        outcome[dag_id] = {"states": states, "verdict": verdict(dag_id), "root": root}
    Path(results).write_text(json.dumps(outcome))


def verdict(dag_id: str) -> object:
    with create_session() as session:
        found = session.query(XComModel).filter_by(dag_id=dag_id, key=RESULT_KEY).one_or_none()
        return XComModel.deserialize_value(found) if found else None


if __name__ == "__main__":
    main(*sys.argv[1:])
