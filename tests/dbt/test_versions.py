"""The oldest and the newest dbt, each in an environment of its own: the events are those of dbt 1.11."""

import json
import sys
from pathlib import Path

import pytest
from dbt_projects import collect, command, write_project

sys.path.insert(0, str(Path(__file__).parents[1] / "events"))

from event_helpers import SMALL, events_of

from airflow_lineage_provider.events.sql_tables import tables_named
from airflow_lineage_provider.utils.dbt_process import DbtProcess
from tests.events.test_golden import GOLDEN
from tests.support.comparable import comparable
from tests.support.environments import python_of


@pytest.mark.parametrize("version", ["1.10", "1.12"])
def test_the_events_are_those_of_dbt_1_11(version, tmp_path):
    project = write_project(tmp_path, SMALL)
    outcome = collect(DbtProcess(python_of(f"dbt-{version}"), command(project), tables_named))
    assert outcome.invocation.dbt_version.startswith(f"{version}.")
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert comparable(events_of(outcome), project) == comparable(golden, project)
