"""The events that a run of the reference pipeline emits, small enough to change one thing in a test."""

from __future__ import annotations

import copy
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAP = ROOT / "dags" / "customer_analytics_pipeline.yaml"
WAREHOUSE = "duckdb:///srv/demo/warehouse.duckdb"
CRM = "duckdb:///srv/demo/crm.duckdb"

CHANGE = ["_op", "_loaded_at"]

# Of each table its inputs and its columns.
TABLES = {
    "bronze.raw_customers": (
        ["crm.public.customers"],
        ["customer_id", "email", "first_name", "last_name", "created_at", "updated_at", *CHANGE],
    ),
    "bronze.raw_orders": (
        ["crm.public.orders"],
        ["order_id", "customer_id", "product_id", "amount", "status", "ordered_at", "updated_at", *CHANGE],
    ),
    "bronze.raw_products": (
        ["crm.public.products"],
        ["product_id", "product_name", "category", "unit_price", "created_at", "updated_at", *CHANGE],
    ),
    "bronze.raw_customer_events": (
        ["landing.customer_events"],
        [
            *("event_id", "customer_id", "event_type", "event_timestamp", "channel", "page_url"),
            *("kafka_partition", "kafka_offset", "_loaded_at"),
        ],
    ),
    "silver.stg_customers": (
        ["bronze.raw_customers", "silver.stg_customers"],
        ["customer_id", "email_normalized", "first_name", "last_name", "created_at", "updated_at"],
    ),
    "silver.stg_orders": (
        ["bronze.raw_orders", "silver.stg_orders"],
        [
            *("order_id", "customer_id", "product_id", "order_amount"),
            *("order_status", "ordered_at", "updated_at"),
        ],
    ),
    "silver.stg_events": (
        ["bronze.raw_customer_events", "silver.stg_events"],
        ["event_id", "customer_id", "event_type", "event_timestamp", "channel", "page_url", "loaded_at"],
    ),
    "gold.customer_orders_summary": (
        ["silver.stg_orders"],
        ["customer_id", "total_orders", "total_revenue", "first_ordered_at", "last_ordered_at"],
    ),
    "gold.customer_behavior": (
        ["silver.stg_customers", "silver.stg_events", "gold.customer_orders_summary"],
        [
            *("customer_id", "email_normalized", "event_date", "event_type", "event_count"),
            *("total_orders", "total_revenue"),
        ],
    ),
}


def tables() -> dict:
    """Return a copy of the pipeline's tables, to be changed."""
    return copy.deepcopy(TABLES)


def physical(name: str) -> dict:
    if name.startswith("crm."):
        return {"namespace": CRM, "name": name}
    if name == "landing.customer_events":
        return {"namespace": "file", "name": "/srv/demo/landing/customer_events/*.parquet"}
    return {"namespace": WAREHOUSE, "name": f"warehouse.{name}"}


TYPES = {
    **dict.fromkeys(("created_at", "updated_at", "ordered_at", "event_timestamp", "event_date"), "TIMESTAMP"),
    **dict.fromkeys(("first_ordered_at", "last_ordered_at"), "TIMESTAMP"),
    **dict.fromkeys(("loaded_at", "_loaded_at"), "TIMESTAMP WITH TIME ZONE"),
    **dict.fromkeys(("event_count", "total_orders", "kafka_partition", "kafka_offset"), "BIGINT"),
    "order_amount": "DECIMAL(10,2)",
    "total_revenue": "DECIMAL(38,2)",
}


def dataset(name: str, columns: list[str]) -> dict:
    fields = [{"name": column, "type": TYPES.get(column, "VARCHAR")} for column in columns]
    return physical(name) | {"facets": {"schema": {"fields": fields}} if columns else {}}


def event(kind: str, name: str, at: int, inputs: list[dict], outputs: list[dict], **run_facets: dict) -> dict:
    return {
        "eventType": kind,
        "eventTime": f"2026-01-02T03:{at // 60:02}:{at % 60:02}.000Z",
        "job": {"namespace": "dbt", "name": name, "facets": {"jobType": {"jobType": "MODEL"}}},
        "run": {"runId": f"00000000-0000-7000-8000-{at // 2:012}", "facets": run_facets},
        "inputs": inputs,
        "outputs": outputs,
    }


def run_events(spec: dict | None = None) -> list[dict]:
    """Return START and COMPLETE of every table, in order."""
    events = []
    spec = TABLES if spec is None else spec
    for number, (name, (sources, columns)) in enumerate(spec.items()):
        inputs = [dataset(s, spec[s][1] if s in spec else []) for s in sources]
        output = dataset(name, columns) | {"outputFacets": {"outputStatistics": {"rowCount": 1000 + number}}}
        events.append(event("START", name, 2 * number, inputs, [output]))
        events.append(event("COMPLETE", name, 2 * number + 1, inputs, [output]))
    return events
