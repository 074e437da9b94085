"""What it costs to read the DAG file: Airflow does so again and again, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DAG_FILE = Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.py"
HEAVY = {"dbt", "dbt_common", "duckdb", "openlineage", "sqlglot"}
READ = "import runpy, sys; runpy.run_path(sys.argv[1]); print(*sys.modules)"


@pytest.fixture
def modules_after_reading(tmp_path):
    """Return a function that reads a DAG file in a fresh process and returns the modules that are in it."""

    def read(path: Path) -> set[str]:
        environ = os.environ | {"AIRFLOW_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", READ, path],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return set(done.stdout.split())

    return read


def test_reading_the_dag_file_imports_airflow_and_a_handful_of_ours(modules_after_reading, tmp_path):
    plain = tmp_path / "plain.py"
    # An Asset with a URI makes Airflow import the URI handlers of all providers: Amazon's need boto3.
    plain.write_text(
        "from airflow.sdk import DAG, Asset, BaseOperator, BaseOperatorLink, BaseSensorOperator\n"
        "Asset(name='any', uri='any://any/any')\n"
    )
    added = modules_after_reading(DAG_FILE) - modules_after_reading(plain)

    assert {name.partition(".")[0] for name in added} & HEAVY == set()
    assert {name for name in added if name.startswith("airflow_lineage_provider")} == {
        "airflow_lineage_provider.errors",
        "airflow_lineage_provider.links",
        "airflow_lineage_provider.links.lineage",
        "airflow_lineage_provider.operators",
        "airflow_lineage_provider.operators.dbt",
        "airflow_lineage_provider.operators.ingest",
        "airflow_lineage_provider.sensors",
        "airflow_lineage_provider.sensors.lineage",
    }
    assert len(added) < 40, sorted(added)
