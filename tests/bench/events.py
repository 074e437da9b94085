"""Realistic OpenLineage events for the benchmarks: dbt nodes that start and complete.

Of 4.7 kB on average, as those are that dbt-ol sends for a `dbt build`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from openlineage.client.uuid import generate_new_uuid

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRODUCER = "https://example.com/airflow-lineage-provider"
_COLUMNS = [f"column_{n}" for n in range(9)]
_FACET = {"_producer": _PRODUCER, "_schemaURL": "https://openlineage.io/spec/facets/1-2-0/X.json"}


def new_run_id() -> str:
    """Return a run id as the clients make them: UUIDv7."""
    return str(UUID(str(generate_new_uuid())))


def node_run(root: str, parent: str, node: int) -> list[dict[str, Any]]:
    """Return START and COMPLETE of one node with two inputs, one output and nine columns."""
    run_id = new_run_id()
    return [_event(run_id, root, parent, node, kind) for kind in ("START", "COMPLETE")]


def many(count: int, nodes: int = 50) -> Iterator[dict[str, Any]]:
    """Yield events of one DAG run after the other, `nodes` nodes in each."""
    made = 0
    while made < count:
        root, parent = new_run_id(), new_run_id()
        for node in range(nodes):
            yield from node_run(root, parent, node)
        made += 2 * nodes


def _event(run_id: str, root: str, parent: str, node: int, kind: str) -> dict[str, Any]:
    inputs, output = [f"raw.table_{node}", f"raw.table_{node + 1}"], f"silver.table_{node}"
    parent_facet = {
        "run": {"runId": parent},
        "job": {"namespace": "airflow", "name": "dag.silver"},
        "root": {"run": {"runId": root}, "job": {"namespace": "airflow", "name": "dag"}},
    }
    complete = kind == "COMPLETE"
    return {
        "eventType": kind,
        "eventTime": datetime.fromtimestamp(time.time(), UTC).isoformat(),
        "producer": _PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run_id, "facets": {"parent": _FACET | parent_facet}},
        "job": {"namespace": "dbt", "name": output, "facets": _job_facets(output)},
        "inputs": [_dataset(name) for name in inputs],
        "outputs": [_dataset(output, _lineage(inputs) if complete else {})],
    }


def _job_facets(output: str) -> dict[str, Any]:
    query = f"create table {output} as select {', '.join(_COLUMNS)} from renamed where column_1 is not null"
    job_type = {"processingType": "BATCH", "integration": "DBT", "jobType": "MODEL"}
    return {"sql": _FACET | {"query": query, "dialect": "duckdb"}, "jobType": _FACET | job_type}


def _dataset(name: str, more: dict[str, Any] | None = None) -> dict[str, Any]:
    fields = [{"name": column, "type": "VARCHAR", "description": f"What {column} is"} for column in _COLUMNS]
    return {
        "namespace": "duckdb:///srv/warehouse.duckdb",
        "name": f"warehouse.{name}",
        "facets": {"schema": _FACET | {"fields": fields}, **(more or {})},
    }


def _lineage(inputs: list[str]) -> dict[str, Any]:
    def origin(column: str) -> dict[str, Any]:
        transformation = {"type": "DIRECT", "subtype": "IDENTITY"}
        namespace = "duckdb:///srv/warehouse.duckdb"
        where = {"namespace": namespace, "name": f"warehouse.{inputs[0]}", "field": column}
        return {"inputFields": [where | {"transformations": [transformation]}]}

    return {"columnLineage": _FACET | {"fields": {column: origin(column) for column in _COLUMNS}}}
