"""`airflow dags test` once for each dbt project, in one process: run_dags.py RESULTS PROJECT...

One process, because dbt's import and Airflow's are most of what a run of the small pipeline costs. Writes a
JSON object into RESULTS: of each project the DAG run's exit status and its root run id in the event store.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from airflow.cli.cli_parser import get_parser

from airflow_lineage_provider.hooks.event_store import EventStoreHook

COMMAND = ("dags", "test", "customer_analytics_pipeline")


def main(results: str, *projects: str) -> None:
    outcome = {}
    for project in projects:
        os.environ["DBT_PROJECT_DIR"] = project
        args = get_parser().parse_args(COMMAND)
        try:
            args.func(args)
            status = 0
        except SystemExit as ended:
            status = 1 if ended.code else 0  # a message on stderr is exit status 1
        outcome[project] = [status, EventStoreHook().get_conn().latest_root_run()]
    Path(results).write_text(json.dumps(outcome))


if __name__ == "__main__":
    main(*sys.argv[1:])
