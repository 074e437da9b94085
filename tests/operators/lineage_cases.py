"""Tasks of the lineage operators, and what they read."""

import json

from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.systems.datahub.publication import Publication

MODELS = {
    "models/bronze/raw_orders.sql": "select 1 as order_id, '9.50' as amount",
    "models/silver/orders.sql": """
        select order_id, cast(amount as decimal(10, 2)) as order_amount from {{ ref('raw_orders') }}
        """,
}

MAP = """
document: {title: Shop}
layers:
  bronze:
    tables:
      raw_orders: {columns: {order_id: {from: []}, amount: {from: []}}}
  silver:
    tables:
      orders:
        from: bronze.raw_orders
        columns: {order_id: , order_amount: {from: amount, expression: "CAST(amount AS DECIMAL(10,2))"}}
dashboards:
  Revenue: {tool: Tableau, from: silver.orders, fields: {total: order_amount}}
ml_models:
  churn: {platform: SageMaker, from: Revenue}
environments:
  dev:
    bindings: [{dataset: "{layer}.{table}", namespace: "duckdb://*", name: "warehouse.{layer}.{table}"}]
"""

TAKEN, REFUSED = "0190a0e2-0000-7000-8000-000000000001", "0190a0e2-0000-7000-8000-000000000002"


def event(run_id):
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-01-01T00:00:00Z",
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run_id},
        "job": {"namespace": "dbt", "name": "silver.orders"},
    }


EVENTS = [event(TAKEN), event(REFUSED)]

# A task that is tried again says so by its second try.
ONE_RETRY = {"retries": 1, "retry_delay": 0}


def check(**options):
    paths = {"map_path": "../../shop.yaml", "manifest_path": "../../shop/target/manifest.json"}
    operator = {**paths, "environment": "dev", **ONE_RETRY, **options}
    return {"class": "lineage.LineageCheckOperator", "operator": operator}


def impact(**options):
    operator = {"map_path": "../../shop.yaml", "column": "bronze.raw_orders.amount", **ONE_RETRY, **options}
    return {"class": "lineage.LineageImpactOperator", "operator": operator}


def audit(**options):
    files = {"log_options": {"database": "warehouse"}} if "logs" in options else {}
    operator = {"map_path": "../../shop.yaml", "environment": "dev", **ONE_RETRY, **files, **options}
    return {"class": "query_log.QueryLogAuditOperator", "operator": operator}


def review(**options):
    operator = {
        "map_path": "../../shop.yaml",
        "environment": "dev",
        "output_dir": "../../reports",
        **ONE_RETRY,
    }
    return {"class": "review.LineageReviewOperator", "operator": {**operator, **options}}


def reconcile(**options):
    operator = {"map_path": "../../week.yaml", "environment": "dev", **ONE_RETRY, **options}
    return {"class": "reconciliation.LineageReconciliationOperator", "operator": operator}


def publish(**options):
    operator = {"map_path": "../../week.yaml", "environment": "dev", "days": 0, **ONE_RETRY, **options}
    return {"class": "datahub.DataHubLineagePublisher", "operator": operator}


def catalog(without=""):
    """Return a metadata file of the map, in which nothing is made from the dataset of that name."""
    records = [
        {"entityUrn": one.urn, "aspectName": one.aspect, "aspect": {"json": dict(one.value)}}
        for one in Publication(parse_map(MAP, "shop.yaml"), "dev").proposals()
    ]
    for record in records:
        lineage = record["aspect"]["json"]
        if without and record["aspectName"] == "upstreamLineage":
            lineage["upstreams"] = [e for e in lineage["upstreams"] if without not in e["dataset"]]
            lineage["fineGrainedLineages"] = []
    return json.dumps(records)


def logged(*statements):
    return "".join(json.dumps({"query": sql, "user": user}) + "\n" for sql, user in statements)


JOB = """/* {"app": "dbt", "node_id": "model.shop.orders"} */ create table silver.orders as
select order_id, cast(amount as decimal(10,2)) as order_amount from bronze.raw_orders"""
ADHOC = "insert into silver.orders (order_id) select 41110004111 from bronze.raw_orders"


def forward(conn_id, **options):
    return {
        "class": "forward.ForwardLineageOperator",
        "operator": {"conn_id": conn_id, **ONE_RETRY, **options},
    }
