"""Tables that hooks write are jobs of their own."""

import pytest
from dbt_projects import run, write_project
from event_helpers import context

from airflow_lineage_provider.dbt.records import HooksFinished
from airflow_lineage_provider.events.nodes import NodeEvents

HOOKS = """
on-run-start: "create or replace table main.loads as select 'start' as name, 0::bigint as rows"
on-run-end:
  - "create or replace table main.summary as select name, sum(rows) as rows from main.loads group by 1"
  - "select 1"
"""
FILES = {
    "models/orders.sql": """
        {{ config(materialized='table', post_hook=[
            "insert into main.loads select 'orders' as name, count(id) as rows from {{ this }}",
            "create table if not exists main.copies as select * from {{ this }}",
            "analyze",
        ]) }}
        select 1 as id
        """,
    "models/incremental.sql": """
        {{ config(materialized='incremental', pre_hook='delete from main.loads where 1 = 0') }}
        select id from {{ ref('orders') }}
        """,
}


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    outcome = run(write_project(tmp_path_factory.mktemp("hooks"), FILES, more=HOOKS))
    assert outcome.finished.success, outcome.log
    made = NodeEvents(outcome.invocation, context())
    return [event for record in outcome.of(HooksFinished) for event in made.hooks(record)]


def test_each_table_that_a_hook_writes_is_a_job(events):
    ends = {
        event.job.name: (
            event.eventType.value,
            [dataset.name for dataset in event.inputs],
            [dataset.name for dataset in event.outputs],
        )
        for event in events
        if event.eventType.value != "START"
    }
    orders, loads = "warehouse.main.orders", "warehouse.main.loads"
    assert ends == {
        "shop.on-run-start.0.main.loads": ("COMPLETE", [], [loads]),
        "main.orders.hook.main.loads": ("COMPLETE", [orders], [loads]),
        "main.orders.hook.main.copies": ("COMPLETE", [orders], ["warehouse.main.copies"]),
        "main.incremental.hook.main.loads": ("COMPLETE", [], [loads]),
        "shop.on-run-end.0.main.summary": ("COMPLETE", [loads], ["warehouse.main.summary"]),
    }
    assert {event.job.facets["jobType"].jobType for event in events} == {"HOOK"}


def test_it_has_column_lineage(events):
    (end,) = [
        e for e in events if e.job.name == "main.orders.hook.main.copies" and e.eventType.value != "START"
    ]
    (output,) = end.outputs
    (source,) = output.facets["columnLineage"].fields["id"].inputFields
    assert (source.name, source.field) == ("warehouse.main.orders", "id")


def test_start_and_end_share_a_run(events):
    runs = {}
    for event in events:
        runs.setdefault(event.run.runId, []).append(event.eventType.value)
    assert set(map(tuple, runs.values())) == {("START", "COMPLETE")}
    assert len(runs) == 5
