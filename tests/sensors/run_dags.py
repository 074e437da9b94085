"""Run DAGs with `dag.test()`, one after the other, in one Airflow: run_dags.py RESULTS.

The DAG `sales` writes lineage. The others validate it; RESULTS has the state and the XCom of each one's task.
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

from airflow_lineage_provider.utils.dag_run import dag_run_ids


def main(results: str) -> None:
    upgradedb()
    dags = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags
    sales = dags["sales"].test()
    root = dag_run_ids(sales).own[-1]
    parent = {"RunId": root, "JobName": "sales", "JobNamespace": "default"}
    forged = {f"parent{key}": value for key, value in parent.items()}
    forged |= {f"rootParent{key}": value for key, value in parent.items()}
    found = {}
    for dag_id, conf in {
        "own": {},
        "forged": {"openlineage": forged},
        "observer": {},
        "early_observer": {},
        "named": {"run": sales.run_id},
        "unknown": {"run": "manual__never"},
    }.items():
        run = dags[dag_id].test(run_conf=conf)
        (task,) = run.get_task_instances()
        with create_session() as session:
            xcom = session.query(XComModel).filter_by(dag_id=dag_id, key="return_value").one_or_none()
            found[dag_id] = [task.state, XComModel.deserialize_value(xcom) if xcom else None]
    Path(results).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
