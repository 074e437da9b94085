"""Owners are told of findings by a notifier of Airflow: real DAG runs, one after the other."""

from __future__ import annotations

import json

import pytest

from tests.sensors.airflow_run import run_dags

DAG = """
import json
from pathlib import Path

from airflow.providers.common.compat.openlineage.facet import Dataset, SchemaDatasetFacet
from airflow.providers.common.compat.openlineage.facet import SchemaDatasetFacetFields as Field
from airflow.providers.openlineage.extractors import OperatorLineage
from airflow.sdk import DAG, BaseNotifier, BaseOperator

from airflow_lineage_provider.sensors.lineage import LineageValidationSensor


class Copy(BaseOperator):
    template_fields = ("type",)

    def __init__(self, *, type, **kwargs):
        super().__init__(**kwargs)
        self.type = type

    def execute(self, context):
        self.log.info("copied")

    def get_openlineage_facets_on_complete(self, task_instance):
        schema = SchemaDatasetFacet(fields=[Field(name="total", type=self.type)])
        output = Dataset(namespace="db", name="gold.orders", facets={"schema": schema})
        return OperatorLineage(inputs=[Dataset(namespace="db", name="bronze.orders")], outputs=[output])


class Mail(BaseNotifier):
    template_fields = ("to", "text")

    def __init__(self, to, text):
        super().__init__()
        self.to, self.text = to, text

    def notify(self, context):
        if context["dag_run"].conf.get("mail_is_down"):
            raise OSError("no route to the mail server")
        with Path("MAILS").open("a") as mails:
            run = context["dag_run"].conf["run"]
            print(json.dumps([run, self.to, self.text, context["lineage_new"]]), file=mails)


with DAG("sales", schedule=None):
    Copy(task_id="gold", type="{{ dag_run.conf['type'] }}") >> LineageValidationSensor(
        task_id="validate",
        map_path="map.yaml",
        environment="dev",
        mode="poke",
        poke_interval=0.2,
        timeout=60,
        notify=[Mail(to="{{ lineage_owner }}", text="{{ lineage_message }}")],
    )
"""

MAP = """
document: {title: Sales, owner: Data Platform Team}
layers:
  bronze: {tables: {orders: {}}}
  gold: {tables: {orders: {from: bronze.orders, columns: {total: {type: BIGINT, from: []}}}}}
dashboards:
  Sales Board: {from: gold.orders, fields: {Total: total}, owners: Sales Team}
ml_models:
  forecast: {from: gold.orders, owners: [Data Science, Sales Team]}
environments:
  dev:
    produces: gold
    bindings: [{dataset: "{layer}.{table}", namespace: db, name: "{layer}.{table}"}]
"""

RUNS = [
    {"run": 1, "type": "VARCHAR", "mail_is_down": True},
    {"run": 2, "type": "VARCHAR"},
    {"run": 3, "type": "VARCHAR"},
    {"run": 4, "type": "DOUBLE"},
    {"run": 5, "type": "BIGINT"},
    {"run": 6, "type": "BIGINT"},
]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The mails of the runs, the states of the sensor, and the log of all."""
    home = tmp_path_factory.mktemp("airflow")
    dags, mails = home / "dags", home / "mails.jsonl"
    dags.mkdir()
    mails.touch()
    (dags / "sales.py").write_text(DAG.replace("MAILS", str(mails)))
    (dags / "map.yaml").write_text(MAP)
    results, printed = run_dags(home, "run_notified.py", json.dumps(RUNS))
    lines = [json.loads(line) for line in mails.read_text().splitlines()]
    return lines, results, printed


def texts(told, run):
    return {to: text for at, to, text, _ in told[0] if at == run}


def test_each_owner_of_a_consumer_that_the_finding_reaches_is_told_once(told):
    found = texts(told, 2)
    assert found.keys() == {"Sales Team", "Data Science"}
    drift = "new: type-changed: gold.orders.total is documented as BIGINT and is VARCHAR (documented in "
    assert all(text.startswith(drift) for text in found.values())
    assert texts(told, 3) == {}


def test_a_notifier_that_fails_does_not_fail_the_task_and_is_asked_again(told):
    _, states, log = told
    assert "Sales Team was not told: OSError: no route to the mail server" in log
    assert states == ["failed", "failed", "failed", "failed", "success", "success"]  # by the map's policy


def test_a_finding_that_changes_is_told_again(told):
    found = texts(told, 4)
    assert found.keys() == {"Sales Team", "Data Science"}
    assert all(
        text.startswith("changed: type-changed: gold.orders.total") and "is DOUBLE" in text
        for text in found.values()
    )


def test_owners_are_told_when_a_finding_is_gone_and_not_again(told):
    found = texts(told, 5)
    assert found.keys() == {"Sales Team", "Data Science"}
    assert all(text.startswith("gone: type-changed: gold.orders.total") for text in found.values())
    assert texts(told, 6) == {}
