"""What the events of a job that moves data say."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from event_helpers import DAG, TASK
from openlineage.client.event_v2 import RunState
from openlineage.client.serde import Serde

from airflow_lineage_provider.events.context import RunContext
from airflow_lineage_provider.events.movement import (
    EVERY_COLUMN,
    ColumnSource,
    MovedDataset,
    MovedField,
    Movement,
    movement_event,
)
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.lineage_map.bindings import Bindings
from airflow_lineage_provider.readers.events import read_events

CHECK = Path(__file__).parents[3] / "shared" / "tools" / "check_events.py"
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
CONTEXT = RunContext(parent=TASK, root=DAG, mask=lambda text: text.replace("s3cret", "***"))
SOURCE = DatasetName("postgres://crm-db:5432", "crm.public.orders")
TARGET = DatasetName("s3://data-lake", "bronze/public/orders")
MOVEMENT = Movement(
    job_namespace="arn:aws:dms:eu-west-1:123456789012",
    job_name="crm-to-lake.public.orders",
    started_at=BEGUN,
    integration="AWS_DMS",
    job_type="REPLICATION_TASK",
    processing="STREAMING",
    engine="AWS DMS",
    engine_version="3.5.3",
    inputs=(MovedDataset(SOURCE, fields=(MovedField("amount", "NUMERIC(10, 2)"), MovedField("email"))),),
    outputs=(
        MovedDataset(
            TARGET,
            "FILE",
            (
                MovedField("amount"),
                MovedField("email"),
                MovedField("value", "record", "", (MovedField("a"),)),
            ),
            rows=12,
            version="4",
        ),
    ),
    columns={
        "amount": (ColumnSource(SOURCE, "amount"),),
        "email": (ColumnSource(SOURCE, "email", "TRANSFORMATION", masking=True, expression="hash s3cret"),),
        EVERY_COLUMN: (ColumnSource(SOURCE, "amount", "FILTER"),),
    },
    problems=("the type of s3cret is not known",),
)


def event(state, error="", movement=MOVEMENT, at=BEGUN + timedelta(seconds=5)):
    return Serde.to_dict(movement_event(movement, state, at, CONTEXT, error))


def test_start_and_end_are_one_run_under_the_task_and_the_dag():
    start, end = event(RunState.START, at=BEGUN), event(RunState.COMPLETE)
    assert start["run"]["runId"] == end["run"]["runId"]
    parent = end["run"]["facets"]["parent"]
    assert (parent["run"]["runId"], parent["root"]["run"]["runId"]) == (TASK.run_id, DAG.run_id)


def test_an_end_stands_on_its_own_with_schema_lineage_and_rows():
    (output,) = event(RunState.COMPLETE)["outputs"]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 12
    fields = output["facets"]["schema"]["fields"]
    assert [field["name"] for field in fields] == ["amount", "email", "value"]
    assert fields[2]["fields"][0]["name"] == "a"
    assert output["facets"]["version"]["datasetVersion"] == "4"
    lineage = output["facets"]["columnLineage"]
    (email,) = lineage["fields"]["email"]["inputFields"]
    assert email["transformations"] == [
        {"type": "DIRECT", "subtype": "TRANSFORMATION", "description": "hash ***", "masking": True}
    ]
    (rows,) = lineage["dataset"]
    assert (rows["field"], rows["transformations"][0]["type"]) == ("amount", "INDIRECT")


def test_what_was_not_resolved_is_in_the_end_without_secrets():
    (error,) = event(RunState.COMPLETE)["run"]["facets"]["extractionError"]["errors"]
    assert error["errorMessage"] == "the type of *** is not known"


@pytest.mark.parametrize("state", [RunState.FAIL, RunState.ABORT])
def test_a_run_that_did_not_complete_claims_no_lineage(state):
    failed = event(state, "the replication task has failed: s3cret")
    assert failed["run"]["facets"]["errorMessage"]["message"] == "the replication task has failed: ***"
    (output,) = failed["outputs"]
    assert "columnLineage" not in output["facets"]
    assert not output.get("outputFacets")


def test_the_reader_of_events_finds_the_edge():
    graph = read_events([event(RunState.START, at=BEGUN), event(RunState.COMPLETE)], Bindings(())).graph
    ((source, target),) = graph.edges
    assert (source, target) == (
        "postgres://crm-db:5432/crm.public.orders",
        "s3://data-lake/bronze/public/orders",
    )


@pytest.mark.skipif(not CHECK.exists(), reason="needs ../shared/tools/check_events.py")
def test_the_events_are_valid_by_openlineages_schemas(tmp_path):
    file = tmp_path / "events.jsonl"
    movement = [event(RunState.START, at=BEGUN), event(RunState.COMPLETE)]
    file.write_text("\n".join(json.dumps(one) for one in movement))
    done = subprocess.run(
        [sys.executable, CHECK, file, "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_properties_come_back_from_the_event_with_their_dataset_and_field():
    week = MovedField("amount", properties=(("window", "7 days"),))
    moved = replace(
        MOVEMENT, outputs=(MovedDataset(TARGET, "MODEL", (week,), properties=(("owner", "a s3cret"),)),)
    )
    sent = event(RunState.COMPLETE, movement=moved)
    found = read_events([sent], Bindings()).graph.datasets["s3://data-lake/bronze/public/orders"]
    assert found.properties == (("owner", "a ***"),)
    assert found.columns["amount"].properties == (("window", "7 days"),)
