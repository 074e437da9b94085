"""The oldest and the newest dbt, each in an environment of its own: the events are those of dbt 1.11."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from dbt_projects import collect, command, write_project

sys.path.insert(0, str(Path(__file__).parents[1] / "events"))

from event_helpers import SMALL, events_of

from airflow_lineage_provider.events.sql_tables import tables_named
from airflow_lineage_provider.utils.dbt_process import DbtProcess
from tests.events.test_golden import GOLDEN, normalised
from tests.support.connect_worker import cache, locked


def interpreter(version):
    """Return the Python of an environment with the pins of `dbt-<version>.txt`; the first call makes it."""
    pins = Path(__file__).with_name(f"dbt-{version}.txt")
    folder = cache() / f"dbt-{version}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    python, done = folder / "bin" / "python", folder / "installed"
    with locked():
        if not done.exists():
            sys.stderr.write(f"installing dbt {version} into {folder}\n")
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "-r", pins], check=True)
            done.touch()
    return str(python)


@pytest.mark.parametrize("version", ["1.10", "1.12"])
def test_the_events_are_those_of_dbt_1_11(version, tmp_path):
    project = write_project(tmp_path, SMALL)
    outcome = collect(DbtProcess(interpreter(version), command(project), tables_named))
    assert outcome.invocation.dbt_version.startswith(f"{version}.")
    found = normalised(events_of(outcome), outcome.invocation.project_dir)
    assert json.loads(found) == json.loads(GOLDEN.read_text(encoding="utf-8"))
