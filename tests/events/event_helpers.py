"""Events from the records of a dbt run, with a parent run as Airflow gives it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openlineage.client.serde import Serde

from airflow_lineage_provider.dbt.records import NodeFinished, NodeStarted
from airflow_lineage_provider.events.context import RunContext, RunRef
from airflow_lineage_provider.events.nodes import NodeEvents

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_projects import Outcome

TASK = RunRef("airflow", "shop_pipeline.gold", "01890000-0000-7000-8000-000000000002")
DAG = RunRef("airflow", "shop_pipeline", "01890000-0000-7000-8000-000000000001")

SMALL = {
    "seeds/raw_orders.csv": "order_id,amount\n1,12.50\n2,7.25\n2,7.25\n",
    "models/silver/stg_orders.sql": """
        {{ config(materialized='table') }}
        select order_id, cast(amount as decimal(10, 2)) as order_amount from {{ ref('raw_orders') }}
        """,
    "models/silver/silver.yml": """
        models:
          - name: stg_orders
            description: Orders with a typed amount.
            config: {meta: {owner: Data Platform Team}, tags: [pii]}
            columns:
              - name: order_id
                description: Not unique, alas.
                data_tests:
                  - not_null
                  - unique: {config: {severity: warn}}
        """,
    "models/gold/order_totals.sql": """
        select order_id, sum(order_amount) as total from {{ ref('stg_orders') }} group by order_id
        """,
    "models/gold/fails.sql": "select no_such_column from {{ ref('stg_orders') }}",
    "models/gold/skipped.sql": "select * from {{ ref('fails') }}",
}


def context(mask: Callable[[str], str] = str) -> RunContext:
    """Return the context of a task run that is due at the start of 2026."""
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC)
    return RunContext(TASK, DAG, start, end, mask)


def events_of(outcome: Outcome, mask: Callable[[str], str] = str) -> list[dict[str, Any]]:
    """Return the events of an invocation, in order."""
    made = NodeEvents(outcome.invocation, context(mask))
    return [
        Serde.to_dict(made.start(record) if isinstance(record, NodeStarted) else made.end(record))
        for record in outcome.of(NodeStarted | NodeFinished)
    ]


def end_of(events: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the event that ends the job of this name."""
    (end,) = [e for e in events if e["job"]["name"] == name and e["eventType"] != "START"]
    return end


def task_events() -> list[dict[str, Any]]:
    """Return START and COMPLETE of the Airflow task that is the parent of all."""
    return [
        {
            "eventType": kind,
            "eventTime": "2026-01-01T00:00:00Z",
            "producer": "https://airflow.apache.org",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": TASK.run_id, "facets": {}},
            "job": {"namespace": TASK.namespace, "name": TASK.name, "facets": {}},
        }
        for kind in ("START", "COMPLETE")
    ]
