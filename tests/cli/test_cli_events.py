"""`airflow-lineage events` on runs of several projects and on odd events."""

import pytest

from airflow_lineage_provider.store import EventStore
from tests.support.command_line import call


def node_event(project, unique_id, *, database="db", namespace="dbt"):
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-01-01T00:00:00Z",
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {
            "runId": "0190a0e2-0000-7000-8000-000000000001",
            "facets": {"dbt_run": {"project_name": project}},
        },
        "job": {
            "namespace": namespace,
            "name": "main.customers",
            "facets": {"dbt_node": {"unique_id": unique_id, "database": database, "schema": "main"}},
        },
    }


@pytest.mark.parametrize(
    ("events", "labels"),
    [
        (
            [node_event("shop", "model.shop.customers"), node_event("bank", "model.bank.customers")],
            ["bank: main.customers", "shop: main.customers"],
        ),
        (
            [node_event("shop", "m", namespace="dbt.shop"), node_event("bank", "m", namespace="dbt.bank")],
            ["dbt.bank/main.customers", "dbt.shop/main.customers"],
        ),
        (
            [node_event("shop", "model.shop.customers"), node_event("shop", "test.shop.customers")],
            [
                "shop: main.customers (model.shop.customers, db.main)",
                "shop: main.customers (test.shop.customers, db.main)",
            ],
        ),
        (
            [node_event("shop", "m", database="one"), node_event("shop", "m", database="two")],
            ["shop: main.customers (m, one.main)", "shop: main.customers (m, two.main)"],
        ),
    ],
    ids=["project", "namespace", "node", "target"],
)
def test_a_job_name_of_several_jobs_says_how_to_name_each(tmp_path, events, labels):
    store = tmp_path / "lineage.db"
    for event in events:
        EventStore(str(store)).append(event)
    refused = call("events", "--store", store, "--run", "all", "--job", "main.customers")
    assert refused.exit_code == 2
    assert f"2 jobs: {', '.join(labels)}; name one" in refused.output
    for label in labels:
        done = call("events", "--store", store, "--run", "all", "--job", label, "--format", "jsonl")
        assert len(done.output.splitlines()) == 1, (label, done.output)


@pytest.mark.parametrize(
    "line",
    [
        '{"eventTime": 5, "eventType": null, "job": null, "inputs": [{}], "outputs": [null, 3]}',
        '{"job": {"name": 3}, "inputs": "x", "run": null, "outputs": {}}',
        "{}",
    ],
)
def test_events_of_odd_shapes_are_printed(tmp_path, line):
    (tmp_path / "x.jsonl").write_text(f"{line}\n")
    ran = call("events", "--store", tmp_path / "x.jsonl", "--run", "all")
    assert (ran.exit_code, ran.exception) == (0, None)


def test_what_is_no_event_is_named(tmp_path):
    (tmp_path / "x.jsonl").write_text("[null]\n")
    ran = call("events", "--store", tmp_path / "x.jsonl", "--run", "all")
    assert ran.exit_code == 2
    assert "x.jsonl, line 1: not an OpenLineage event" in ran.output
