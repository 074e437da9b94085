"""The pipeline on the oldest Airflow that is supported, with the wheel of this package in its environment.

The environment is made on first use from `requirements-airflow-3.1.txt`, and kept for the next run.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from .pipeline import DAG_ID, REPOSITORY, new_pipeline

pytestmark = pytest.mark.e2e

VENV = ".venv-airflow-3.1"
PINS = "requirements-airflow-3.1.txt"


def run(*command) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


@pytest.fixture(scope="module")
def binaries(tmp_path_factory):
    """The commands of an environment with the oldest Airflow and this package."""
    run("make", f"PYTHON={sys.executable}", f"{VENV}/.installed")
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, REPOSITORY)
    (wheel,) = folder.glob("*.whl")
    found = REPOSITORY / VENV / "bin"
    pip = (found / "python", "-m", "pip", "--disable-pip-version-check", "install")
    run(*pip, "--no-deps", "--force-reinstall", wheel)
    run(*pip, "--constraint", PINS, f"{wheel}[duckdb]")  # what the package needs since the pins were made
    return found


def test_the_pipeline_passes(binaries, tmp_path):
    pipeline = new_pipeline(tmp_path, binaries)  # `airflow db migrate` among it
    assert pipeline.run("airflow", "version").stdout.strip().splitlines()[-1].startswith("3.1.")
    for dag_id in (DAG_ID, "customer_analytics_consumers"):
        done = pipeline.run("airflow", "dags", "test", dag_id, timeout=400)
        assert done.returncode == 0, done.stdout[-5000:]
    validated = pipeline.run("airflow-lineage", "validate", f"dags/{DAG_ID}.yaml", "--environment", "dev")
    assert validated.returncode == 0, validated.stdout[-3000:]
    assert "PASS  16 edges and 65 column edges verified, 4 by a saved answer only" in validated.stdout
