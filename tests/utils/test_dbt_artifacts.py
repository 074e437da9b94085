"""A dbt run that is over, as events of a task: by the operator, by Cosmos's callback, by the command line."""

import json
import logging
import sys
from pathlib import Path

import fsspec
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))

from dbt_projects import command, write_project

from airflow_lineage_provider.cli import main
from airflow_lineage_provider.operators.dbt_artifacts import DbtArtifactsLineageOperator
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.utils.dbt_artifacts import lineage_callback
from tests.utils.test_emitter import context

FILES = {"models/gold/one.sql": "select 1 as id", "models/gold/two.sql": "select * from {{ ref('one') }}"}
EVENTS = [("gold.one", "START"), ("gold.one", "COMPLETE"), ("gold.two", "START"), ("gold.two", "COMPLETE")]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    from dbt.cli.main import dbtRunner

    made = write_project(tmp_path_factory.mktemp("over"), FILES)
    quiet = ("--log-level", "none", "--log-level-file", "none")
    assert dbtRunner().invoke(["build", *command(made).project_args, *quiet]).success
    return made


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__AIRFLOW_LINEAGE__STORE", str(tmp_path / "lineage.db"))
    return EventStore(str(tmp_path / "lineage.db"))


def jobs(events):
    return [(event["job"]["name"], event["eventType"]) for event in events]


def test_the_operator_commits_the_events_under_its_task(project, store):
    operator = DbtArtifactsLineageOperator(
        task_id="silver",
        target_path=str(project / "target"),
        project_dir=str(project),
        profiles_dir=str(project),
    )
    summary = operator.execute(context(1))
    assert summary["nodes"] == {"success": 2}
    assert summary["events"] == 4
    events = list(store.events())
    assert jobs(events) == EVENTS
    assert {event["run"]["facets"]["parent"]["job"]["name"] for event in events} == {"sales.silver"}


def test_a_second_task_of_the_same_artifacts_adds_no_runs(project, store):
    for _ in range(2):
        lineage_callback(str(project), context=context(1), warehouse={"type": "duckdb", "path": "/w.db"})
    assert len({event["run"]["runId"] for event in store.events()}) == 2


def test_artifacts_without_a_warehouse_fail_in_one_line(project, store):
    operator = DbtArtifactsLineageOperator(task_id="silver", target_path=str(project / "target"))
    with pytest.raises(
        AirflowFailException, match="artifacts do not say where the warehouse is: set project"
    ):
        operator.execute(context(1))


def test_the_callback_of_cosmos_commits_the_events(project, store):
    lineage_callback(str(project), context=context(1), profiles_dir=str(project))
    assert jobs(store.events()) == EVENTS


def test_a_callback_without_artifacts_warns_and_leaves_the_task_alone(tmp_path, store, caplog):
    with caplog.at_level(logging.WARNING):
        lineage_callback(str(tmp_path), context=context(1), warehouse={"type": "duckdb"})
    assert "there is no run_results.json" in caplog.text


def test_the_command_prints_the_events_and_commits_them(project, store):
    where = ("--project-dir", str(project), "--profiles-dir", str(project))
    printed = CliRunner().invoke(main, ["artifacts", str(project / "target"), *where])
    assert jobs(map(json.loads, printed.stdout.splitlines())) == EVENTS
    committed = CliRunner().invoke(
        main, ["artifacts", str(project / "target"), *where, "--store", str(store.database.url)]
    )
    assert committed.output.startswith("4 events committed to ")


def test_the_command_reads_an_object_store_and_needs_no_profile(project):
    with fsspec.filesystem("memory").open("/dbt/target/run_results.json", "wb") as file:
        file.write((project / "target" / "run_results.json").read_bytes())
    words = [
        "artifacts",
        "memory://dbt/target",
        "--warehouse",
        "type=snowflake",
        "--warehouse",
        "account=ab12",
    ]
    missing = CliRunner().invoke(main, words)
    assert missing.exit_code == 2
    assert "there is no manifest.json" in missing.output
    with fsspec.filesystem("memory").open("/dbt/target/manifest.json", "wb") as file:
        file.write((project / "target" / "manifest.json").read_bytes())
    printed = CliRunner().invoke(main, words).stdout.splitlines()
    assert {e["namespace"] for line in printed for e in json.loads(line)["outputs"]} == {
        "snowflake://ab12.us-west-1.aws"
    }


@pytest.mark.parametrize("location", ["nosuch://bucket/target", "file:///no/such/folder"])
def test_a_folder_that_is_not_there_is_one_line_and_status_2(location):
    done = CliRunner().invoke(main, ["artifacts", location, "--warehouse", "type=duckdb"])
    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
