"""The oldest and the newest dbt, each in an environment of its own: the events are those of dbt 1.11."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from dbt_projects import collect, command, run, write_project
from shop import write_shop

sys.path.insert(0, str(Path(__file__).parents[1] / "events"))

from event_helpers import SMALL, events_of

from airflow_lineage_provider.dbt.artifacts import artifact_records, origin_by_profile
from airflow_lineage_provider.events.sql_tables import tables_named
from airflow_lineage_provider.readers.artifact_files import read_folder
from airflow_lineage_provider.utils.dbt_process import DbtProcess
from tests.events.test_golden import GOLDEN
from tests.support.comparable import comparable
from tests.support.environments import python_of

VERSIONS = ["1.10", "1.12"]


@pytest.fixture(scope="module")
def shop_events(tmp_path_factory):
    """Return the events of a project with a node of each kind, by the dbt of this interpreter."""
    project = write_shop(tmp_path_factory.mktemp("here"))
    return comparable(events_of(run(project)), project)


def build(version, project):
    outcome = collect(DbtProcess(python_of(f"dbt-{version}"), command(project), tables_named))
    assert outcome.invocation.dbt_version.startswith(f"{version}.")
    return comparable(events_of(outcome), project)


def plain_dbt(version, project, *words):
    code = "from dbt.cli.main import cli; cli()"
    options = ["--project-dir", project, "--profiles-dir", project, "--log-level", "none"]
    given = [python_of(f"dbt-{version}"), "-c", code, *words, *options]
    subprocess.run(given, cwd=project, stdout=subprocess.DEVNULL, timeout=300, check=False)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_events_of_each_kind_of_node_are_those_of_dbt_1_11(version, shop_events, tmp_path):
    found = build(version, write_shop(tmp_path))
    assert found.keys() == shop_events.keys()
    for key, event in shop_events.items():
        assert found[key] == event


@pytest.mark.parametrize("version", VERSIONS)
def test_the_events_of_failures_and_of_artifacts_are_those_of_dbt_1_11(version, tmp_path):
    project = write_project(tmp_path, SMALL)
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert build(version, project) == comparable(golden, project)

    plain_dbt(version, project, "docs", "generate")
    plain_dbt(version, project, "build")
    read = read_folder(str(project / "target"))
    origin = origin_by_profile(read, str(project), str(project), None)
    over = events_of(collect(artifact_records(read, origin, tables_named)))
    expected = comparable(golden, project, after_the_fact=True)
    found = comparable(over, project, after_the_fact=True)
    assert found.keys() == expected.keys()
    for key, event in expected.items():
        assert found[key] == event
