"""DAGs with runs, events and validations, as a web server finds them; without a scheduler and tasks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 1, 2, 3, tzinfo=UTC)
WAREHOUSE = "duckdb:///warehouse.duckdb"


@dataclass(frozen=True)
class Table:
    """A table that a job makes: its columns are copies of the same columns of its inputs."""

    name: str
    columns: tuple[str, ...]
    inputs: tuple[str, ...] = ()


def map_text(dag_id: str, tables: list[Table]) -> str:
    """Return a map of these tables, in layers by the first part of their names."""
    layers: dict[str, list[Table]] = {}
    for table in tables:
        layers.setdefault(table.name.partition(".")[0], []).append(table)
    lines = [f"document: {{title: Map of {dag_id}, owner: team-{dag_id}}}", f"pipeline: {{dag_id: {dag_id}}}"]
    lines.append("layers:")
    for layer, members in layers.items():
        lines += [f"  {layer}:", "    tables:"]
        for table in members:
            lines.append(f"      {quoted(table.name.partition('.')[2])}:")
            lines.append(f"        from: [{', '.join(map(quoted, table.inputs))}]")
            lines.append("        columns:")
            lines += [f"          {quoted(column)}: {{type: INTEGER}}" for column in table.columns]
    names = "dataset: '{layer}.{table}', name: 'warehouse.{layer}.{table}'"
    binding = f"{{{names}, namespace: '{WAREHOUSE}'}}"
    return "\n".join([*lines, "environments:", f"  dev: {{bindings: [{binding}]}}"]) + "\n"


def quoted(name: str) -> str:
    """Return a name as a scalar of YAML in double quotes."""
    return json.dumps(name, ensure_ascii=False)


def event(kind: str, job: str, run: str, at: datetime, parent: tuple[str, str], root: tuple[str, str]):
    """Return an event of a run; `parent` and `root` are a run id and a job."""
    above = {"run": {"runId": parent[0]}, "job": {"namespace": "default", "name": parent[1]}}
    above["root"] = {"run": {"runId": root[0]}, "job": {"namespace": "default", "name": root[1]}}
    return {
        "eventType": kind,
        "eventTime": at.isoformat(),
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "job": {
            "namespace": "dbt",
            "name": job,
            "facets": {"jobType": {"integration": "DBT", "jobType": "MODEL"}},
        },
        "run": {"runId": run, "facets": {"parent": above}},
        "inputs": [],
        "outputs": [],
    }


def events_of(dag_id: str, root_id: str, tables: list[Table], begin: datetime) -> list[dict]:
    """Return the events of one run: a task of Airflow's, and below it a job for each table with inputs."""
    root = (root_id, dag_id)
    task = event("COMPLETE", f"{dag_id}.layer", f"{root_id}-task", begin, root, root)
    task["job"]["namespace"] = "default"
    task["job"]["facets"]["jobType"] = {"integration": "AIRFLOW", "jobType": "TASK"}
    task["run"]["facets"]["airflow"] = {"taskInstance": {"try_number": 1}}
    found, above = [task], (f"{root_id}-task", f"{dag_id}.layer")
    columns = {table.name: table.columns for table in tables}
    for number, table in enumerate(one for one in tables if one.inputs):
        begin += timedelta(milliseconds=10)
        done = event("COMPLETE", table.name, f"{root_id}-{number}", begin + timedelta(seconds=1), above, root)
        done["inputs"] = [dataset(name, columns[name]) for name in table.inputs]
        done["outputs"] = [dataset(table.name, table.columns)]
        done["outputs"][0]["outputFacets"] = {"outputStatistics": {"rowCount": 1000 + number}}
        done["outputs"][0]["facets"]["columnLineage"] = {"fields": lineage(table, columns)}
        done["job"]["facets"]["sql"] = {"query": f"select * from {table.inputs[0]}", "dialect": "duckdb"}
        found += [event("START", table.name, f"{root_id}-{number}", begin, above, root), done]
    return found


def dataset(name: str, columns: tuple[str, ...]) -> dict:
    fields = [{"name": column, "type": "INTEGER"} for column in columns]
    return {"namespace": WAREHOUSE, "name": f"warehouse.{name}", "facets": {"schema": {"fields": fields}}}


def lineage(table: Table, columns: dict[str, tuple[str, ...]]) -> dict:
    """Return the fields of a column lineage facet: each column is a copy."""
    copy = [{"type": "DIRECT", "subtype": "IDENTITY"}]
    return {
        column: {
            "inputFields": [
                {
                    "namespace": WAREHOUSE,
                    "name": f"warehouse.{name}",
                    "field": column,
                    "transformations": copy,
                }
                for name in table.inputs
                if column in columns[name]
            ]
        }
        for column in table.columns
    }


def seed(store, dag_id: str, documented: list[Table], observed: list[Table], runs: int = 2) -> None:
    """Add a DAG with runs to Airflow's database, and their events and validations to the event store."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType

    from airflow_lineage_provider.utils.dag_run import dag_run_ids

    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
        session.flush()
        session.add(DagModel(dag_id=dag_id, bundle_name="dags-folder", fileloc="x.py", is_stale=False))
        session.flush()
        for number in range(runs):
            at = BEGIN + timedelta(days=number)
            run = DagRun(
                dag_id=dag_id,
                run_id=f"{dag_id}-run-{number}",
                run_type=DagRunType.MANUAL,
                logical_date=at,
                run_after=at,
                start_date=at,
                state="success",
            )
            run.end_date = at + timedelta(minutes=1)
            session.add(run)
            session.flush()
            events = events_of(dag_id, dag_run_ids(run).own[-1], observed, at)
            store.append(events)
            validate_run(store, run, map_text(dag_id, documented), events)


def validate_run(store, run, text: str, events: list[dict]) -> None:
    """Compare a run with a map and keep the validation, as the sensor does."""
    from airflow_lineage_provider.checks import validate
    from airflow_lineage_provider.lineage_map import parse_map
    from airflow_lineage_provider.readers import read_evidence
    from airflow_lineage_provider.reports.views.saved import to_bytes
    from airflow_lineage_provider.reports.views.validation import saved_validation
    from airflow_lineage_provider.store.validations import add_validation
    from airflow_lineage_provider.utils.kept_validations import validation_row

    lineage_map = parse_map(text, "map.yaml")
    found = validate(read_evidence("event", events, lineage_map, "dev"), lineage_map, environment="dev")
    saved = saved_validation(found, lineage_map, text, "dev")
    add_validation(store, validation_row(found, lineage_map, "validate", [run]), to_bytes(saved))
