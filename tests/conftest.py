"""What tests of several rooms share."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.postgres_server import postgres_or_skip

pytest_plugins = ["tests.support.stores"]

# The Airflow of whoever runs the tests is neither asked nor touched.
for _name in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[_name]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-of-tests-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def postgres():
    """Start a private Postgres server; gives the PG* variables that reach its database `analytics`."""
    with postgres_or_skip() as variables:
        yield variables


@pytest.fixture(scope="session")
def schemathesis(tmp_path_factory):
    """Return a function that holds an endpoint to its OpenAPI document, and returns what was found wrong.

    Requests that the document allows, and ones that it forbids, are the same each time.
    """

    def check(url, token, *options):
        command = [
            *(Path(sys.executable).with_name("schemathesis"), "run", url),
            *("--header", f"Authorization: Bearer {token}", "--checks", "all", "--no-color"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "100"),
            *("--generation-deterministic", "--continue-on-failure", *options),
        ]
        folder = tmp_path_factory.mktemp("schemathesis")
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert "Tested: " in done.stdout, done.stdout + done.stderr
        return "" if done.returncode == 0 else done.stdout

    return check
