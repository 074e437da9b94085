"""airflow-lineage publish, recipes and reconcile."""

import json
from pathlib import Path

import pytest
import yaml

from airflow_lineage_provider.lineage_map import load_map
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.systems.datahub.publication import Publication
from tests.support.command_line import call
from tests.support.gms import SECRET, Gms

MAP = str(Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml")
GOLD = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.gold.customer_behavior,PROD)"


def records():
    return [
        {"entityUrn": one.urn, "aspectName": one.aspect, "aspect": {"json": dict(one.value)}}
        for one in Publication(load_map(MAP), "prod").proposals()
    ]


@pytest.fixture
def catalog(tmp_path):
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(records()))
    return path


def without_an_edge(path):
    found = records()
    for one in found:
        if one["entityUrn"] == GOLD and one["aspectName"] == "upstreamLineage":
            kept = [e for e in one["aspect"]["json"]["upstreams"] if "stg_events" not in e["dataset"]]
            one["aspect"]["json"] = {"upstreams": kept}
    path.write_text(json.dumps(found))


ONLY = ("--kind", "map", "--kind", "datahub")


def test_a_catalog_that_agrees_exits_with_0(catalog):
    done = call("reconcile", MAP, "-e", "prod", "--datahub", catalog, *ONLY)
    assert done.exit_code == 0, done.output
    assert "PASS" in done.output
    assert "gold.customer_behavior <- silver.stg_events" in done.output


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "junit", "sarif", "github"])
def test_a_difference_exits_with_1_and_is_in_every_format(catalog, form):
    without_an_edge(catalog)
    done = call("reconcile", MAP, "-e", "prod", "--datahub", catalog, *ONLY, "--format", form)
    assert done.exit_code == 1
    assert "edge-missing" in done.output
    assert "silver.stg_events" in done.output
    if form == "json":
        assert json.loads(done.output)["trend"]["new"]


def test_the_trend_is_kept_when_asked(catalog, tmp_path):
    store = tmp_path / "lineage.db"
    EventStore(str(store)).append([])
    arguments = ("reconcile", MAP, "-e", "prod", "--datahub", catalog, *ONLY, "--store", store)
    assert "the first reconciliation that is kept" in call(*arguments).output
    call(*arguments, "--record")
    without_an_edge(catalog)
    later = call(*arguments, "--record").output
    assert "1 new, 0 gone, 0 open" in later or "2 new, 0 gone, 0 open" in later
    assert "+ edge-missing silver.stg_events -> gold.customer_behavior" in later
    assert "(since 2" in call(*arguments).output


def test_a_server_is_read_with_the_token_of_the_environment():
    with Gms() as gms:
        gms.add(records())
        arguments = ("reconcile", MAP, "-e", "prod", "--datahub", gms.url, *ONLY)
        assert call(*arguments, DATAHUB_GMS_TOKEN=SECRET).exit_code == 0
        refused = call(*arguments, DATAHUB_GMS_TOKEN="another")
    assert "INCOMPLETE" in refused.output
    assert "refuses the login (401)" in refused.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("reconcile", MAP, "--kind", "map"), "name two or more of map"),
        (("reconcile", MAP, "--kind", "map", "--kind", "datahub"), "no location is given for"),
        (("reconcile", MAP, "--datahub", "/nowhere.json", *ONLY), "/nowhere.json: cannot be read"),
        (("publish", "datahub", MAP, "-e", "nowhere", "--file", "x.json"), "no environment 'nowhere'"),
        (("publish", "datahub", MAP, "-e", "prod", "--file", "x", "--instance", "a"), "is not PLATFORM=NAME"),
        (("recipes", MAP, "--connection", "snowflake=wh"), "set the environment variable AIRFLOW_CONN_WH"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(*arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert done.output.count("\n") == 1


def test_a_dry_run_prints_each_aspect_and_writes_nothing(tmp_path):
    file = tmp_path / "catalog.json"
    done = call(
        "publish", "datahub", MAP, "-e", "prod", "--file", file, "--dry-run", "--instance", "snowflake=eu"
    )
    assert done.exit_code == 0, done.output
    assert "add    upstreamLineage" in done.output
    assert "(urn:li:dataPlatform:snowflake,eu.analytics.gold.customer_behavior,PROD)" in done.output
    assert "aspects would be written" in done.output
    assert not file.exists()


def test_recipes_are_written_as_files_without_secrets(tmp_path):
    connection = "snowflake://ingest:s3cret@/?account=ab-cd12345&warehouse=wh&role=reader"
    done = call(
        "recipes",
        MAP,
        "-e",
        "prod",
        "--directory",
        tmp_path,
        "--connection",
        "snowflake=wh",
        AIRFLOW_CONN_WH=connection,
    )
    assert done.exit_code == 0, done.output
    names = ["datahub_dbt.yml", "datahub_snowflake.yml", "datahub_tableau.yml"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    config = yaml.safe_load((tmp_path / "datahub_snowflake.yml").read_text())["source"]["config"]
    assert config["username"] == "ingest"
    assert config["password"] == "${SNOWFLAKE_PASSWORD}"
    assert config["warehouse"] == "wh"
    assert "s3cret" not in "".join(path.read_text() for path in tmp_path.iterdir())
    assert not set(yaml.safe_load((tmp_path / "datahub_dbt.yml").read_text())["source"]["config"]) & {
        "extract_lineage"
    }


def test_the_map_a_manifest_and_a_query_log_are_compared_without_events(tmp_path):
    sql = "create table w.gold.daily as select total from w.silver.stg"
    (tmp_path / "log.jsonl").write_text(json.dumps({"query": sql, "user": "dbt"}) + "\n")
    (tmp_path / "map.yaml").write_text(
        """
        document: {title: shop}
        layers:
          silver: {tables: {stg: {columns: [total]}}}
          gold: {tables: {daily: {from: silver.stg, columns: [total]}}}
        environments:
          dev:
            produces: gold
            bindings: [{dataset: "{layer}.{table}", namespace: "duckdb://*", name: "w.{layer}.{table}"}]
        """
    )
    node = {"name": "daily", "resource_type": "model", "database": "w", "schema": "gold", "alias": "daily"}
    node |= {"unique_id": "model.shop.daily", "compiled_code": 'select total from "w"."silver"."stg"'}
    source = {
        "unique_id": "source.shop.silver.stg",
        "name": "stg",
        "resource_type": "source",
        "database": "w",
    }
    source |= {"schema": "silver", "identifier": "stg"}
    node["depends_on"] = {"nodes": [source["unique_id"]]}
    manifest = {"metadata": {"adapter_type": "duckdb"}, "nodes": {node["unique_id"]: node}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"sources": {source["unique_id"]: source}}))
    done = call(
        *("reconcile", tmp_path / "map.yaml", "-e", "dev", "--manifest", tmp_path / "manifest.json"),
        *("--queries", tmp_path / "log.jsonl"),
        *("--kind", "map", "--kind", "manifest", "--kind", "query", "--format", "json"),
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert said["compared"] == ["map", "manifest", "query"]
    (edge,) = said["edges"]
    assert edge["evidence"] == {"map": "yes", "manifest": "yes", "query": "yes"}
    assert said["outcome"] == "PASS"
