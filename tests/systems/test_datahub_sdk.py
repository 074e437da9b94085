"""DataHub's own models, sources and emitter, in an environment of their own that is made on first use."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml

from airflow_lineage_provider.checks.reconcile import ComparedSource, reconcile
from airflow_lineage_provider.lineage_map import bindings_of, load_map
from airflow_lineage_provider.readers import read_datahub, read_events, read_map
from airflow_lineage_provider.readers.datahub_aspects import load_catalog, load_records
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.systems.connection import Connection
from airflow_lineage_provider.systems.datahub.client import DataHubClient
from airflow_lineage_provider.systems.datahub.recipes import recipe_text, recipes
from airflow_lineage_provider.systems.http import JsonApi
from tests.support.datahub_sdk import ROOT, publish, run
from tests.support.gms import SECRET, Gms

pytestmark = pytest.mark.e2e

MAP = ROOT / "dags" / "customer_analytics_pipeline.yaml"
CHECK_RECIPES = """
import json, sys
from datahub.configuration.config_loader import load_config_file
from datahub.ingestion.source.dbt.dbt_core import DBTCoreConfig
from datahub.ingestion.source.snowflake.snowflake_config import SnowflakeV2Config
from datahub.ingestion.source.tableau.tableau import TableauConfig
models = {"snowflake": SnowflakeV2Config, "dbt": DBTCoreConfig, "tableau": TableauConfig}
found = {}
for path in sys.argv[1:]:
    recipe = load_config_file(path, resolve_env_vars=True)
    source = recipe["source"]
    model = models[source["type"]].model_validate(source["config"])
    found[source["type"]] = sorted(set(source["config"]) - set(type(model).model_fields))
print(json.dumps(found))
"""
VARIABLES = {
    "SNOWFLAKE_USER": "reader",
    "SNOWFLAKE_PASSWORD": "p",
    "SNOWFLAKE_ROLE": "r",
    "SNOWFLAKE_WAREHOUSE": "w",
    "TABLEAU_TOKEN_NAME": "n",
    "TABLEAU_TOKEN_VALUE": "v",
    "SNOWFLAKE_PRIVATE_KEY_PASSWORD": "k",
}


@pytest.fixture(scope="module")
def pipeline_map():
    return load_map(MAP)


def kinds(graph):
    return {(e.source, e.target): e.transformations for e in graph.column_edges}


def test_a_file_that_is_published_is_read_back_as_the_map_and_then_left_alone(tmp_path, pipeline_map):
    file = tmp_path / "catalog.json"
    assert "add " in publish(MAP, "-e", "prod", "--file", file, "--dry-run")
    assert not file.exists()
    publish(MAP, "-e", "prod", "--file", file)  # the SDK's models check each aspect
    found = read_datahub(load_catalog(file), bindings_of(pipeline_map, "prod"))
    expected = read_map(pipeline_map).graph
    assert not found.incomplete
    assert found.graph.datasets.keys() == expected.datasets.keys()
    assert found.graph.edges.keys() == expected.edges.keys()
    assert kinds(found.graph) == kinds(expected)
    before = file.stat().st_mtime_ns, file.read_bytes()
    assert publish(MAP, "-e", "prod", "--file", file).splitlines() == [f"{file}: 0 aspects written"]
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before


def test_a_file_of_another_producer_keeps_its_records(tmp_path):
    file = tmp_path / "catalog.json"
    theirs = {
        "entityType": "dataset",
        "entityUrn": "urn:li:dataset:(urn:li:dataPlatform:mysql,a.b,PROD)",
        "changeType": "UPSERT",
        "aspectName": "status",
        "aspect": {"json": {"removed": False}},
    }
    file.write_text(json.dumps([theirs]))
    publish(MAP, "-e", "prod", "--file", file)
    assert load_records(file)[0] == theirs


def test_a_server_is_published_to_by_the_sdk_and_read_back_by_graphql(pipeline_map):
    token = {"DATAHUB_GMS_TOKEN": SECRET}
    with Gms() as gms:
        first = publish(MAP, "-e", "prod", "--server", gms.url, environment=token)
        assert len(gms.proposed) == len(first.splitlines()) - 1 > 100
        assert SECRET not in first
        catalog = DataHubClient(JsonApi(gms.url, "DataHub", token=SECRET)).catalog()
        found = read_datahub(catalog, bindings_of(pipeline_map, "prod"))
        assert (found.incomplete, gms.invalid) == ((), [])
        assert found.graph.edges.keys() == read_map(pipeline_map).graph.edges.keys()
        assert kinds(found.graph) == kinds(read_map(pipeline_map).graph)
        gms.proposed.clear()
        publish(MAP, "-e", "prod", "--server", gms.url, environment=token)
        assert gms.proposed == []


def test_datahubs_models_accept_the_recipes(tmp_path, pipeline_map):
    extra = {"account": "ab-cd12345", "warehouse": "wh", "role": "reader", "private_key_file": "/key.p8"}
    connection = Connection("warehouse", login="ingest", password="s3cret", extra=extra)
    paths = []
    for name, given in (("plain", {}), ("connection", {"snowflake": connection})):
        for source, recipe in recipes(pipeline_map, "prod", given).items():
            path = tmp_path / f"{name}_{source}.yml"
            path.write_text(recipe_text(source, recipe))
            assert "s3cret" not in path.read_text()
            paths.append(path)
    unknown = json.loads(run("-c", CHECK_RECIPES, *paths, environment=VARIABLES).splitlines()[-1])
    assert unknown == {"snowflake": [], "dbt": [], "tableau": []}


PIPELINE = """
import json, sys
from datetime import UTC, datetime
from openlineage.client.serde import Serde
from airflow_lineage_provider.dbt import Command, DbtRun
from airflow_lineage_provider.dbt.records import Invocation, NodeFinished, NodeStarted
from airflow_lineage_provider.events.context import RunContext, RunRef
from airflow_lineage_provider.events.nodes import NodeEvents
project, out = sys.argv[1:]
ref = RunRef("airflow", "dag.task", "01890000-0000-7000-8000-000000000001")
now = datetime(2026, 1, 1, tzinfo=UTC)
made, events = None, []
for record in DbtRun(Command(project, "build", profiles_dir=project)):
    if isinstance(record, Invocation):
        made = NodeEvents(record, RunContext(ref, ref, now, now, str))
    elif isinstance(record, NodeStarted):
        events.append(Serde.to_dict(made.start(record)))
    elif isinstance(record, NodeFinished):
        events.append(Serde.to_dict(made.end(record)))
json.dump(events, open(out, "w"))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The reference project, built by this provider on DuckDB, with dbt's manifest and catalog."""
    folder = tmp_path_factory.mktemp("datahub") / "project"
    ignored = shutil.ignore_patterns("data", "target", "logs", "*.pyc")
    shutil.copytree(ROOT / "dbt_project", folder, ignore=ignored)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "LINEAGE", "DBT"))}
    environment["PYTHONPATH"] = str(ROOT)
    commands = (
        (folder / "source_data.py", "--directory", folder / "data"),
        ("-c", PIPELINE, folder, folder / "events.json"),
        ("-m", "dbt.cli.main", "docs", "generate", "--project-dir", folder, "--profiles-dir", folder),
    )
    for command in commands:
        done = subprocess.run(
            [sys.executable, *map(str, command)], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def ingested(project, pipeline_map):
    """The file that DataHub's dbt source makes of the project, by the recipe of the map."""
    file = project / "dbt.json"
    recipe = project / "recipe.yml"
    recipe.write_text(recipe_text("dbt", recipes(pipeline_map, "dev", file=str(file))["dbt"]))
    run("-m", "datahub", "ingest", "-c", recipe, cwd=project)
    return read_datahub(load_catalog(file), bindings_of(pipeline_map, "dev"))


def in_layers(graph, *layers):
    return {edge for edge in graph.edges if edge[1].startswith(layers)}


def test_datahubs_dbt_source_and_our_events_agree_edge_by_edge(project, ingested, pipeline_map):
    events = json.loads((project / "events.json").read_text())
    emitted = read_events(events, bindings_of(pipeline_map, "dev"))
    assert not ingested.incomplete
    layers = ("bronze.", "silver.", "gold.")
    assert in_layers(ingested.graph, *layers) == in_layers(emitted.graph, *layers)
    assert len(in_layers(emitted.graph, *layers)) == 11

    def columns(graph):
        made = ("gold.",)
        direct = (e for e in graph.column_edges if e.direct and e.target.dataset.startswith(made))
        return {(str(e.source), str(e.target)) for e in direct}

    assert columns(ingested.graph) == columns(emitted.graph)


def test_events_and_the_dbt_sources_catalog_are_reconciled(project, ingested, pipeline_map):
    events = json.loads((project / "events.json").read_text())
    emitted = read_events(events, bindings_of(pipeline_map, "dev"), every_run=True)
    sources = [ComparedSource("event", emitted), ComparedSource("datahub", ingested)]
    found = reconcile(sources, pipeline_map, environment="dev").comparison.findings
    assert {str(finding.code) for finding in found} <= {"no-column-lineage", "type-changed"}


def test_the_recipes_are_three_files_of_their_own(tmp_path, pipeline_map):
    written = {
        name: yaml.safe_load(recipe_text(name, one)) for name, one in recipes(pipeline_map, "prod").items()
    }
    assert set(written) == {"snowflake", "dbt", "tableau"}
    assert all(set(one) == {"source", "sink"} for one in written.values())


def test_runs_and_the_results_of_tests_are_valid_aspects_too(tmp_path):
    warehouse = {"namespace": "snowflake://org-account", "name": "ANALYTICS.GOLD.CUSTOMER_BEHAVIOR"}
    params = {"max_value": 99, "mostly": 0.9}
    check = {"assertion": "expect_column_values_to_be_between", "success": False, "column": "event_count"}
    checked = {"dataQualityAssertions": {"assertions": [check | {"params": params, "severity": "warn"}]}}
    event = {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-20T00:00:00Z",
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": "0190a0e2-0000-7000-8000-000000000001"},
        "job": {"namespace": "airflow", "name": "customer_analytics_pipeline.check"},
        "inputs": [warehouse | {"inputFacets": checked}],
        "outputs": [warehouse | {"name": "ANALYTICS.GOLD.EXTRA"}],
    }
    event["job"]["facets"] = {
        "jobType": {"jobType": "TASK", "integration": "AIRFLOW", "processingType": "BATCH"}
    }
    store = tmp_path / "lineage.db"
    EventStore(str(store)).append(event)
    file = tmp_path / "catalog.json"
    arguments = (MAP, "-e", "prod", "--file", file, "--store", store, "--run", "all")
    written = publish(*arguments)
    for aspect in ("assertionInfo", "assertionRunEvent", "dataProcessInstanceRunEvent", "dataJobInputOutput"):
        assert f"add    {aspect}" in written
    assert publish(*arguments).splitlines() == [f"{file}: 0 aspects written"]
