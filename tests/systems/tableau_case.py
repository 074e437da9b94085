"""A map with two Tableau dashboards, and its validation against the answer of the stand-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from openlineage.client.serde import Serde
from tableau import Tableau, daily

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.events.context import RunContext
from airflow_lineage_provider.events.movement import movement_event
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.readers import read_evidence
from airflow_lineage_provider.systems.answers import fetch_answer, observe_answer
from airflow_lineage_provider.systems.connection import Connection

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
MAP = """
document: {title: Customer analytics}
layers:
  gold:
    tables:
      customer_behavior:
        columns: [customer_id, email_normalized, event_date, event_type, total_orders, total_revenue]
dashboards:
  Customer Analytics Dashboard:
    tool: Tableau
    refresh: Daily at 6 AM UTC
    url: https://bi.example.com/#/site/sales/views/Book/d1
    from: gold.customer_behavior
    fields: {customer_id: , email_normalized: , event_date: , total_orders: , Total Revenue: total_revenue}
  Executive KPI Report:
    tool: Tableau
    from: Customer Analytics Dashboard
environments:
  prod:
    bindings:
      - dataset: Customer Analytics Dashboard
        namespace: "tableau://*"
        name: "*/Customer Analytics Dashboard"
      - {dataset: Executive KPI Report, namespace: "tableau://*", name: "*/Executive KPI Report"}
      - {dataset: "gold.{table}", namespace: "snowflake://*", name: "*.gold.{table}", ignore_case: true}
"""


def connection(server, **changes):
    fields = {
        "host": server.url,
        "login": "ann",
        "password": server.password,
        "extra": {"site_id": server.site},
    }
    return Connection("bi", **(fields | changes))


def answer_of(nodes, tasks=None, **server):
    """Return the answer that the client gets of these nodes, as if fetched at NOW from bi.example.com."""
    tasks = daily("luid-pub") if tasks is None else tasks
    with Tableau(nodes, tasks=tasks, **server) as running:
        found = fetch_answer("tableau", connection(running))
        assert not running.invalid
    return replace(found, fetched_at=NOW, host="https://bi.example.com", file="tableau.json")


def events_of(answer, now=NOW):
    seen = observe_answer(answer, now).observations
    return [Serde.to_dict(movement_event(o.movement, o.state, now, RunContext(), o.error)) for o in seen]


def validated(answer, text=MAP, now=NOW):
    lineage_map = parse_map(text, "map.yaml")
    evidence = read_evidence("event", events_of(answer, now), lineage_map, "prod")
    return validate(replace(evidence, only_consumers=True), lineage_map, environment="prod", now=now)
