# ruff: noqa: T201 - what it prints parts the log
"""Runs DAGs with `dag.test()`, one after the other: run_steps.py STEPS RESULTS.

A step is a DAG's id and the files to write before. Of each step RESULTS has the DAG run's state, its root run
id in the event store, its task instances, what they returned, the asset events, and the DAGs that Airflow's
scheduler would run because of them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from airflow.cli.cli_parser import get_parser
from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetDagRunQueue, AssetEvent, AssetModel
from airflow.models.xcom import XComModel
from airflow.utils.db import upgradedb
from airflow.utils.session import create_session

from airflow_lineage_provider.utils.dag_run import dag_run_ids


def main(steps: str, results: str) -> None:
    upgradedb()
    reserialize = get_parser().parse_args(["dags", "reserialize"])
    reserialize.func(reserialize)  # an Asset queues only DAGs that Airflow knows
    outcomes = []
    for step in json.loads(Path(steps).read_text()):
        for path, text in step.get("files", {}).items():
            Path(path).write_text(text)
        print(f"=== {step['dag_id']}", flush=True)
        outcomes.append(outcome(DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags[step["dag_id"]].test()))
    Path(results).write_text(json.dumps(outcomes))


def outcome(run) -> dict:
    with create_session() as session:
        returned = session.query(XComModel).filter_by(run_id=run.run_id, key="return_value").all()
        updates = session.query(AssetModel.uri, AssetEvent.extra).join(
            AssetModel, AssetModel.id == AssetEvent.asset_id
        )
        assets = updates.filter(AssetEvent.source_run_id == run.run_id).all()
        queued = [one.target_dag_id for one in session.query(AssetDagRunQueue).all()]
        session.query(AssetDagRunQueue).delete()
        return {
            "state": run.state,
            "root": dag_run_ids(run).own[-1],
            "tasks": [[ti.task_id, ti.map_index, ti.state, ti.try_number] for ti in run.get_task_instances()],
            "returned": {f"{x.task_id}.{x.map_index}": XComModel.deserialize_value(x) for x in returned},
            "assets": [[uri, extra] for uri, extra in assets],
            "queued": sorted(set(queued)),
        }


if __name__ == "__main__":
    main(*sys.argv[1:])
