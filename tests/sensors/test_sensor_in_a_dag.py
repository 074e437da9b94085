"""A DAG without our operators: Airflow's own provider sends its lineage to a file and to Marquez."""

from __future__ import annotations

import json
import re

import pytest

from tests.sensors.airflow_run import run_dags
from tests.support.marquez import marquez

DAG = """
from airflow.providers.common.compat.openlineage.facet import Dataset
from airflow.providers.openlineage.extractors import OperatorLineage
from airflow.sdk import DAG, BaseOperator

from airflow_lineage_provider.sensors.lineage import LineageValidationSensor


class Copy(BaseOperator):
    def execute(self, context):
        self.log.info("copied")

    def get_openlineage_facets_on_complete(self, task_instance):
        return OperatorLineage(
            inputs=[Dataset(namespace="duckdb:///w.duckdb", name="warehouse.bronze.raw_orders")],
            outputs=[Dataset(namespace="duckdb:///w.duckdb", name="warehouse.gold.orders")],
        )


with DAG("sales", schedule=None):
    options = {"environment": "dev", "scope": ["gold"], "poke_interval": 0.2, "timeout": 60}
    Copy(task_id="gold") >> [
        LineageValidationSensor(task_id=f"{kept}_{told}", source=source, map_path=f"{told}.yaml", **options)
        for told in ("agreed", "drifted")
        for kept, source in {"files": "FILES", "marquez": "marquez", "refused": "wrong_key"}.items()
    ]
"""

MAP = """
document: {title: Sales}
layers:
  bronze: {tables: {raw_orders: {}, raw_payments: {}}}
  gold: {tables: {orders: {from: bronze.raw_orders}}}
environments:
  dev:
    bindings: [{dataset: "{layer}.{table}", namespace: "duckdb://*", name: "warehouse.{layer}.{table}"}]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The DAG's tasks: state, what each returned, and the log of all."""
    home = tmp_path_factory.mktemp("airflow")
    dags, files = home / "dags", home / "events"
    dags.mkdir()
    files.mkdir()
    (dags / "sales.py").write_text(DAG.replace("FILES", str(files)))
    (dags / "agreed.yaml").write_text(MAP)
    (dags / "drifted.yaml").write_text(MAP.replace("from: bronze.raw_orders", "from: bronze.raw_payments"))
    with marquez(key="s3cret") as server:
        api_key = {"type": "api_key", "apiKey": "s3cret"}
        transports = {
            "files": {"type": "file", "log_file_path": f"{files}/lineage"},
            "marquez": {"type": "http", "url": server.url, "auth": api_key},
        }
        connection = {"conn_type": "openlineage", "host": server.url}
        return run_dags(
            home,
            "run_dag.py",
            "sales",
            AIRFLOW__OPENLINEAGE__TRANSPORT=json.dumps({"type": "composite", "transports": transports}),
            AIRFLOW_CONN_MARQUEZ=json.dumps(connection | {"password": "s3cret"}),
            AIRFLOW_CONN_WRONG_KEY=json.dumps(connection | {"password": "n0t-it"}),
        )


@pytest.mark.parametrize("kept", ["files", "marquez"])
def test_lineage_that_matches_the_map_passes(ran, kept):
    state, returned = ran[0][f"{kept}_agreed"]
    assert (state, returned["outcome"], returned["edges"]) == ("success", "PASS", 1)


@pytest.mark.parametrize("kept", ["files", "marquez"])
def test_drift_fails_and_names_the_difference(ran, kept):
    assert ran[0][f"{kept}_drifted"] == ["failed", None]


def test_each_failure_is_one_line_without_a_key(ran):
    told = re.findall(r"^airflow\.(?:sdk\.)?exceptions\.(\w+): (.+)$", ran[1], re.MULTILINE)
    drifts = [line for _, line in told if "gold.orders" in line]
    refusals = [line for _, line in told if "refuses the API key (401): check the key" in line]
    assert len(drifts) == len(refusals) == 2
    assert all("bronze.raw_payments" in line for line in drifts)
    assert {kind for kind, _ in told} == {"AirflowFailException"}
    assert "n0t-it" not in ran[1]
    assert "s3cret" not in ran[1]
