"""`make stack`: the whole path on real servers, from the CRM's Postgres and a topic to gold on Snowflake."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.store import EventStore
from tests.dbt_project.expected import TABLES
from tests.e2e.pipeline import DAG_ID, Pipeline, new_pipeline
from tests.e2e.standalone import standalone
from tests.support.connect_worker import MissingError
from tests.support.postgres_server import create_database

from .lineage import column_steps
from .servers import BUCKET, KEYS, running
from .sources import CRM_TOPICS, SourceSystems

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.dbt_project.expected import Sources
    from tests.e2e.standalone import Airflow

    from .lineage import Step
    from .servers import Servers


SHOWN = 10
DEADLINE = 900.0
"""Seconds for each step. A run takes a tenth of them; a machine that does much else needs more."""


@dataclass(frozen=True)
class StackPipeline(Pipeline):
    """The pipeline with the stack's connections."""

    more: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        return super().environ | self.more


def environment(servers: Servers) -> dict[str, str]:
    """Return Airflow's and dbt's settings that lead to the servers."""
    postgres = servers.postgres
    crm = {
        "conn_type": "postgres", "host": postgres["PGHOST"], "port": int(postgres["PGPORT"]),
        "login": postgres["PGUSER"], "password": postgres["PGPASSWORD"], "schema": "crm",
    }  # fmt: skip
    s3 = {
        "conn_type": "aws", "login": KEYS["accessKey"], "password": KEYS["secretKey"],
        "extra": {"endpoint_url": servers.s3, "region_name": "us-east-1"},
    }  # fmt: skip
    host, _, port = servers.connect.removeprefix("http://").partition(":")
    connect = {
        "conn_type": "kafka_connect", "host": host, "port": int(port),
        "extra": {"bootstrap_servers": servers.kafka},
    }  # fmt: skip
    store = "postgresql://{PGUSER}:{PGPASSWORD}@{PGHOST}:{PGPORT}/lineage".format_map(postgres)
    return {
        "AIRFLOW_CONN_CRM": json.dumps(crm),
        "AIRFLOW_CONN_S3": json.dumps(s3),
        "AIRFLOW_CONN_CONNECT": json.dumps(connect),
        "AIRFLOW_CONN_KAFKA": json.dumps(
            {"conn_type": "kafka", "extra": {"bootstrap.servers": servers.kafka}}
        ),
        "AIRFLOW_CONN_SCHEMA_REGISTRY": json.dumps(
            {"conn_type": "schema_registry", "host": servers.registry}
        ),
        "AIRFLOW__AIRFLOW_LINEAGE__STORE": store,
        "INGEST_CRM_CONN_ID": "crm",
        "INGEST_CRM_TOPICS": CRM_TOPICS,
        "INGEST_KAFKA_CONN_ID": "kafka",
        "INGEST_REGISTRY_CONN_ID": "schema_registry",
        "INGEST_S3_CONN_ID": "s3",
        "INGEST_CONNECT_CONN_ID": "connect",
        "INGEST_LAKE": f"s3://{BUCKET}/bronze/customer_events",
        "LINEAGE_ENVIRONMENT": "stack",
        "DBT_TARGET": "snowflake",
        "SNOWFLAKE_ACCOUNT": "fakesnow",
        "SNOWFLAKE_HOST": "127.0.0.1",
        "SNOWFLAKE_PORT": str(servers.snowflake_port),
        "SNOWFLAKE_PROTOCOL": "http",
        "DBT_ENV_SECRET_SNOWFLAKE_PASSWORD": "snow",
    }


class Warehouse:
    """What gold has, by Snowflake's own connector."""

    def __init__(self, port: int) -> None:
        import snowflake.connector

        self._connection = snowflake.connector.connect(
            account="fakesnow", user="dbt", password="snow", host="127.0.0.1", port=port, protocol="http"
        )
        self._connection.cursor().execute("create database if not exists analytics")

    def rows(self, sql: str) -> list[tuple]:
        """Return the rows of a query; times as text, because fakesnow sends a time that is null as 1970."""
        from snowflake.connector.constants import FIELD_ID_TO_NAME

        cursor = self._connection.cursor()
        cursor.execute("use database analytics")
        columns = cursor.execute(f"{sql} limit 0").description
        times = {c.name for c in columns if FIELD_ID_TO_NAME[c.type_code].startswith("TIMESTAMP")}
        read = (f"cast({c.name} as varchar)" if c.name in times else c.name for c in columns)
        return cursor.execute(f"select {', '.join(read)} from ({sql}) as found").fetchall()

    def differences(self, sources: Sources) -> dict[str, list[tuple[str, ...]]]:
        """Return the rows of each table that it lacks, or has beside those that the sources imply."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for table, sql in TABLES.items():
            expected = [tuple(map(_comparable, row)) for row in getattr(sources, table)()]
            actual = [tuple(map(_comparable, row)) for row in self.rows(sql)]
            lacking, extra = Counter(expected) - Counter(actual), Counter(actual) - Counter(expected)
            if lacking or extra:
                found[table] = [*lacking.elements(), *extra.elements()]
        return found


def _comparable(value: object) -> str:
    """Return a value as text, the same for a number however many digits it is written with."""
    return f"{value:.2f}" if isinstance(value, Decimal | float) else str(value)


def document_evolution(pipeline: Pipeline) -> None:
    """Let the map take a new field of the topic, and Debezium's own topics, for no drift."""
    path = pipeline.root / "dags" / f"{DAG_ID}.yaml"
    text = path.read_text()
    policy = "policy:\n"
    assert text.count(policy) == 1
    accepted = "".join(f"  {code}: note\n" for code in ("column-unexpected", "dataset-unexpected"))
    path.write_text(text.replace(policy, policy + accepted))


def last_events(pipeline: StackPipeline) -> list[dict[str, Any]]:
    """Return the events of the last DAG run."""
    store = EventStore(pipeline.more["AIRFLOW__AIRFLOW_LINEAGE__STORE"])
    try:
        return list(store.events(root_run_id=store.latest_root_run()))
    finally:
        store.close()


def run_dag(airflow: Airflow, say: Callable[[str], object]) -> str:
    """Trigger the DAG and wait for its end; return its state."""
    token = airflow.token("admin")
    path = f"/api/v2/dags/{DAG_ID}"
    airflow.wait_until(
        "read", lambda: airflow.request("GET", path, token=token).status == 200, seconds=DEADLINE
    )
    airflow.request("PATCH", path, {"is_paused": False}, token)
    run = airflow.request("POST", f"{path}/dagRuns", {"logical_date": None}, token).json()["dag_run_id"]

    def ended() -> str | None:
        state = airflow.request("GET", f"{path}/dagRuns/{run}", token=token).json()["state"]
        return state if state in {"success", "failed"} else None

    state = airflow.wait_until("ended", ended, seconds=DEADLINE)
    tasks = airflow.request("GET", f"{path}/dagRuns/{run}/taskInstances", token=token).json()
    for task in sorted(tasks["task_instances"], key=lambda one: str(one["end_date"])):
        say(f"  {task['task_id']:<24} {task['state']}")
    return str(state)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the stack came to."""

    states: list[str]
    differences: dict[str, list[tuple[str, ...]]]
    revenue: list[Step]
    """From gold's `total_revenue` up to the CRM, as the events of the last run say."""
    report: str
    status: int
    """Of `airflow-lineage validate`."""

    @property
    def passed(self) -> bool:
        return set(self.states) == {"success"} and not self.differences and self.status == 0


def run(folder: Path, say: Callable[[str], object]) -> Outcome:
    """Run the whole path twice, with changes in between."""
    with running(folder, say) as servers:
        for name in ("crm", "lineage"):
            create_database(servers.postgres, name)
        warehouse = Warehouse(servers.snowflake_port)
        with closing(SourceSystems(servers)) as sources:
            say(f"{sources.first():,} events, and the CRM's rows")
            sources.connect_debezium()
            say("Airflow")
            copied = new_pipeline(folder / "pipeline")
            document_evolution(copied)
            pipeline = StackPipeline(copied.root, more=environment(servers))
            with standalone(pipeline) as airflow:
                sources.wait_for_debezium(DEADLINE)
                states = [run_dag(airflow, say)]
                say(f"{sources.later():,} events of an evolved schema; rows inserted, updated and deleted")
                sources.wait_for_debezium(DEADLINE)
                states.append(run_dag(airflow, say))
            differences = warehouse.differences(sources.now())
            revenue = column_steps(last_events(pipeline), "gold.customer_behavior", "total_revenue")
            validate = ("validate", f"dags/{DAG_ID}.yaml", "--environment", "stack")
            report = pipeline.run("airflow-lineage", *validate)
    return Outcome(states, differences, revenue, report.stdout, report.returncode)


def main() -> int:
    """Run the stack, and print the report."""
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - began:5.0f} s] {line}\n")
        sys.stdout.flush()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which ends the servers on its way
    kept = os.environ.get("STACK_FOLDER")
    try:
        with tempfile.TemporaryDirectory(prefix="lineage-stack-") as place:
            folder = Path(kept or place)
            folder.mkdir(parents=True, exist_ok=True)
            outcome = run(folder, say)
    except MissingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(outcome.report)
    for step in outcome.revenue:
        say(f"{step.column:<42} {step.job:<30} {step.how}")
    for table, differing in outcome.differences.items():
        for row in differing[:SHOWN]:
            say(f"{table} differs in {row}")
    rows = "differ from" if outcome.differences else "equal, row by row,"
    say(f"the DAG's runs: {', '.join(outcome.states)}; silver and gold {rows} what the sources imply")
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
