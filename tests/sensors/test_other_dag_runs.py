"""Which DAG run a sensor in another DAG validates: real DAG runs, with events in the event store."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from airflow_lineage_provider.utils.dag_run import triggering_dag_runs
from tests.sensors.airflow_run import run_dags

DAGS = """
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
    Copy(task_id="gold")

options = {"map_path": "map.yaml", "environment": "dev", "scope": ["gold"], "mode": "poke"}
options |= {"poke_interval": 0.2, "timeout": 8}
for dag_id in ("own", "forged"):
    with DAG(dag_id, schedule=None) as dag:
        LineageValidationSensor(task_id="validate", **options)
    globals()[dag_id] = dag
for dag_id in ("observer", "early_observer"):
    with DAG(dag_id, schedule=None) as dag:
        LineageValidationSensor(task_id="validate", **options | {"map_path": f"{dag_id}.yaml", "scope": None})
    globals()[dag_id] = dag
for dag_id in ("named", "unknown"):
    with DAG(dag_id, schedule=None) as dag:
        LineageValidationSensor(
            task_id="validate", dag_id="sales", run_id="{{ dag_run.conf['run'] }}", **options
        )
    globals()[dag_id] = dag
"""

MAP = """
document: {title: Sales}
layers:
  bronze: {tables: {raw_orders: {}}}
  gold: {tables: {orders: {from: bronze.raw_orders}}}
environments:
  dev:
    bindings: [{dataset: "{layer}.{table}", namespace: "duckdb://*", name: "warehouse.{layer}.{table}"}]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The state and the XCom of each DAG's sensor, and the log of all."""
    home = tmp_path_factory.mktemp("airflow")
    dags = home / "dags"
    dags.mkdir()
    (dags / "sales.py").write_text(DAGS)
    (dags / "map.yaml").write_text(MAP)
    for dag_id, pipeline in {"observer": "sales", "early_observer": "not_yet_run"}.items():
        text = (
            MAP.replace("dev:", "dev:\n    produces: gold")
            + f"pipeline: {{dag_id: {pipeline}, observers: {dag_id}}}"
        )
        (dags / f"{dag_id}.yaml").write_text(text)
    return run_dags(home, "run_dags.py")


def test_a_named_dag_run_of_another_dag_is_validated(ran):
    state, returned = ran[0]["named"]
    assert (state, returned and returned["outcome"]) == ("success", "PASS")


def test_an_observer_reads_the_newest_successful_run_of_the_pipeline(ran):
    state, returned = ran[0]["observer"]
    assert (state, returned and returned["outcome"]) == ("success", "PASS")


def test_an_observer_judges_only_the_consumers_before_the_pipeline_has_run(ran):
    state, returned = ran[0]["early_observer"]
    assert (state, returned and returned["outcome"]) == ("success", "PASS")
    assert "DAG not_yet_run, which the map names, has no successful run to read" in ran[1]


@pytest.mark.parametrize("dag_id", ["own", "forged"])
def test_without_a_dag_id_only_the_own_dag_run_is_read_whatever_the_conf_says(ran, dag_id):
    assert ran[0][dag_id] == ["failed", None]


def test_a_sensor_without_any_lineage_reports_it(ran):
    assert "to validate a DAG run that did not trigger this one, set dag_id and run_id" in ran[1]


def test_an_unknown_dag_run_fails_in_one_line(ran):
    assert ran[0]["unknown"] == ["failed", None]
    assert "DAG sales has no run manual__never: check dag_id and run_id" in ran[1]


def test_the_triggering_dag_runs_are_those_of_the_asset_events():
    def asset_event(dag_id, run_id):
        return SimpleNamespace(source_dag_id=dag_id, source_run_id=run_id)

    events = {
        "gold": [asset_event("sales", "run 1"), asset_event("sales", "run 1"), asset_event("sales", "run 2")],
        "by the API": [asset_event(None, None)],
    }
    found = triggering_dag_runs({"triggering_asset_events": events})
    assert found == [("sales", "run 1"), ("sales", "run 2")]
    assert triggering_dag_runs({}) == []
