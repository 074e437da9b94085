"""A first map from DataHub, from dbt's catalog.json, and from several kinds of evidence."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from airflow_lineage_provider.adoption.first_map import first_map
from airflow_lineage_provider.adoption.seen import seen_in_manifest, together
from airflow_lineage_provider.adoption.seen_catalog import add_columns, seen_in_datahub
from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.cli import main
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import Severity
from airflow_lineage_provider.lineage_map import bindings_of, load_map, parse_map
from airflow_lineage_provider.readers import read_evidence
from airflow_lineage_provider.readers.datahub_aspects import load_catalog
from airflow_lineage_provider.systems.datahub.client import DataHubClient
from airflow_lineage_provider.systems.datahub.publication import Publication
from airflow_lineage_provider.systems.http import JsonApi
from tests.adoption.projects import node, project, source
from tests.support.gms import SECRET, Gms

ROOT = Path(__file__).parents[2]


def urn(platform, name):
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"


RAW, STAGING, MART = (
    urn("snowflake", f"shop.{name}") for name in ("raw.orders", "staging.stg_orders", "marts.revenue")
)
FILES, TOPIC = urn("s3", "lake/landing/orders"), urn("kafka", "orders.v1")
BOARD = "urn:li:dashboard:(tableau,board)"


def mcp(of, aspect, value):
    return {"entityUrn": of, "entityType": of.split(":")[2], "aspectName": aspect, "aspect": {"json": value}}


def made_from(*sources):
    return {"upstreams": [{"dataset": one, "type": "TRANSFORMED"} for one in sources]}


def columns(*names):
    return {"fields": [{"fieldPath": name, "nativeDataType": "TEXT"} for name in names]}


RECORDS = [
    mcp(RAW, "upstreamLineage", made_from(FILES, TOPIC)),
    mcp(RAW, "schemaMetadata", columns("id", "amount")),
    mcp(STAGING, "upstreamLineage", made_from(RAW)),
    mcp(MART, "upstreamLineage", made_from(STAGING)),
    mcp(MART, "schemaMetadata", columns("id", "total")),
    mcp(BOARD, "dashboardInfo", {"title": "Board", "description": "", "datasets": [MART]}),
]


@pytest.fixture
def file(tmp_path):
    """A file of DataHub's metadata."""
    path = tmp_path / "datahub.json"
    path.write_text(json.dumps(RECORDS))
    return path


def agrees(text, kind, evidence):
    documented = parse_map(text)
    loud = [f for f in lint(documented).findings if f.severity in {Severity.ERROR, Severity.WARNING}]
    assert not loud, [str(f) for f in loud]
    found = validate(read_evidence(kind, evidence, documented), documented).comparison.findings
    assert not found, [str(f) for f in found]
    return documented


def test_datahub_gives_a_map_that_it_agrees_with(file):
    catalog = load_catalog(str(file))
    made = first_map(seen_in_datahub(catalog), ignore_case=True)
    documented = agrees(made.text, "datahub", catalog)
    content = documented.content
    assert list(content.layers) == ["raw", "staging", "marts"]
    assert content.layers["marts"].tables["revenue"].sources == ("staging.stg_orders",)
    assert content.dashboards["Board"].sources == ("marts.revenue",)
    bindings = bindings_of(documented)
    assert bindings.logical("snowflake://account", "SHOP.MARTS.REVENUE") == "marts.revenue"
    assert bindings.logical("s3://lake", "landing/orders") in content.layers["raw"].tables["orders"].sources
    assert bindings.logical("kafka://broker:9092", "orders.v1") is not None


def test_datahub_and_a_dbt_project_are_one_map(file):
    manifest = project(
        node("stg_orders", ["source.p.orders"], schema="staging", database="shop", folder="staging"),
        node("revenue", ["model.p.stg_orders"], schema="marts", database="shop", folder="marts"),
        sources=[source("orders", database="shop")],
    )
    catalog = load_catalog(str(file))
    both = together(seen_in_manifest(manifest, columns=False), seen_in_datahub(catalog))
    text = first_map(both, ignore_case=True).text
    agrees(text, "datahub", catalog)
    agrees(text, "manifest", manifest)
    assert "Board" in parse_map(text).content.dashboards


def test_columns_of_what_sql_does_not_tell_come_from_dbts_catalog(tmp_path):
    manifest = project(
        node("stg", ["source.p.orders"], folder="staging", sql="select * from db.raw.orders"),
        node(
            "fct", ["model.p.stg"], folder="marts", sql="select id, amount * 2 as twice from db.analytics.stg"
        ),
        sources=[source("orders")],
    )
    path = tmp_path / "catalog.json"
    listed = {"amount": {"index": 2}, "id": {"index": 1}}
    path.write_text(json.dumps({"nodes": {}, "sources": {"source.p.orders": {"columns": listed}}}))
    add_columns(manifest, path)
    text = first_map(seen_in_manifest(manifest, columns=True), columns=["*"]).text
    tables = agrees(text, "manifest", manifest).content.layers["analytics"].tables
    assert list(tables["stg"].columns) == ["id", "amount"]
    assert tables["fct"].columns["twice"].sources == ("analytics.stg.amount",)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"nodes": {}}', '{"nodes": {"a": {"columns": [1]}}, "sources": {}}']
)
def test_a_file_that_is_no_catalog_is_refused(tmp_path, text):
    path = tmp_path / "catalog.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"not dbt's catalog\.json; `dbt docs generate` writes it"):
        add_columns(project(), path)


def test_a_server_gives_a_map_that_it_agrees_with(monkeypatch):
    """The reference pipeline as it is published: its consumers too."""
    published = Publication(load_map(ROOT / "dags" / "customer_analytics_pipeline.yaml"), "prod").proposals()
    monkeypatch.setenv("DATAHUB_GMS_TOKEN", SECRET)
    with Gms() as server:
        server.add(
            {"entityUrn": p.urn, "aspectName": p.aspect, "aspect": {"json": p.value}} for p in published
        )
        made = CliRunner().invoke(main, ["init", "--datahub", server.url])
        assert made.exit_code == 0, made.output
        catalog = DataHubClient(JsonApi(server.url, "DataHub", token=SECRET)).catalog()
    content = agrees(made.stdout, "datahub", catalog).content
    assert list(content.layers) == ["bronze", "silver", "gold"]
    assert list(content.ml_models) == ["churn_prediction_model"]


def test_the_command_takes_datahub_and_says_what_it_needs(file):
    made = CliRunner().invoke(main, ["init", "--datahub", str(file)])
    assert made.exit_code == 0, made.output
    assert "layers by schema: raw (1), staging (1), marts (1)" in made.stderr
    assert CliRunner().invoke(main, ["init"]).exit_code == 2
    alone = CliRunner().invoke(main, ["init", "--catalog", str(file), "--datahub", str(file)])
    assert "name it too" in alone.output
