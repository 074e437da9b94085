"""DataHub's API read, against a stand-in that executes GraphQL by a schema."""

from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from airflow_lineage_provider.checks.reconcile import ComparedSource, reconcile
from airflow_lineage_provider.lineage_map import bindings_of, load_map
from airflow_lineage_provider.readers import read_datahub, read_map
from airflow_lineage_provider.reports.reconciliation import reconciliation_outcome
from airflow_lineage_provider.systems import http
from airflow_lineage_provider.systems.datahub.client import DataHubClient
from airflow_lineage_provider.systems.datahub.publication import Publication
from airflow_lineage_provider.systems.datahub.queries import ENTITIES, REGISTERED, UPSTREAMS
from airflow_lineage_provider.systems.http import JsonApi
from tests.support.gms import SCHEMA, SECRET, Gms

ROOT = Path(__file__).parents[2]
FILES = ROOT.parent / "shared" / "recipes" / "datahub" / "graphql"
NEEDED = pytest.mark.skipif(
    not FILES.is_dir(), reason="needs DataHub's schema files, ../shared/recipes/datahub"
)
GOLD = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.gold.customer_behavior,PROD)"


@pytest.fixture(scope="module")
def pipeline_map():
    return load_map(ROOT / "dags" / "customer_analytics_pipeline.yaml")


@pytest.fixture
def gms(pipeline_map):
    with Gms() as server:
        proposals = Publication(pipeline_map, "prod").proposals()
        server.add(
            {"entityUrn": p.urn, "aspectName": p.aspect, "aspect": {"json": p.value}} for p in proposals
        )
        yield server


def client(gms, token=SECRET):
    return DataHubClient(JsonApi(gms.url, "DataHub (connection 'd')", token=token))


def reconciled(catalog, pipeline_map):
    evidence = read_datahub(catalog, bindings_of(pipeline_map, "prod"))
    sources = [ComparedSource("map", read_map(pipeline_map)), ComparedSource("datahub", evidence)]
    return reconcile(sources, pipeline_map, environment="prod")


@pytest.fixture(scope="module")
def datahubs_schema():
    return build_schema("\n".join(path.read_text() for path in sorted(FILES.glob("*.graphql"))))


@NEEDED
@pytest.mark.parametrize("query", [ENTITIES, UPSTREAMS, REGISTERED])
def test_datahubs_own_schema_allows_the_queries(datahubs_schema, query):
    assert validate(datahubs_schema, parse(query)) == []


@NEEDED
def test_the_stand_ins_schema_is_a_part_of_datahubs(datahubs_schema):
    for name, own in build_schema(SCHEMA).type_map.items():
        theirs = datahubs_schema.type_map.get(name)
        if name.startswith("__") or not hasattr(own, "fields"):
            continue
        assert theirs is not None, name
        for key, field in own.fields.items():
            assert str(theirs.fields[key].type) == str(field.type), f"{name}.{key}"


@pytest.mark.parametrize("page", [50, 3, 1])
def test_what_is_read_page_by_page_is_the_map(gms, pipeline_map, page):
    gms.largest_page = page
    catalog = client(gms).catalog()
    assert (catalog.incomplete, gms.invalid) == ([], [])
    result = reconciled(catalog, pipeline_map)
    assert [str(finding) for finding in result.comparison.findings] == []
    assert reconciliation_outcome(result) == "PASS"
    found = read_datahub(catalog, bindings_of(pipeline_map, "prod")).graph
    expected = read_map(pipeline_map).graph
    assert found.edges.keys() == expected.edges.keys()
    assert {(e.source, e.target): e.transformations for e in found.column_edges} == {
        (e.source, e.target): e.transformations for e in expected.column_edges
    }


def test_more_upstreams_than_come_with_an_entity_are_read_by_pages(gms, pipeline_map, monkeypatch):
    monkeypatch.setattr("airflow_lineage_provider.systems.datahub.client.EDGES", 1)
    gms.most_edges, gms.largest_page = 1, 1
    catalog = client(gms).catalog()
    assert catalog.incomplete == []
    assert len(catalog.entities[GOLD].upstreams) == 4


def test_only_the_platforms_that_are_named_are_read(gms):
    catalog = client(gms).catalog(platforms=["kafka", "tableau"])
    assert {urn.split(":")[2] for urn in catalog.entities} == {"dataset", "dashboard"}
    assert len(catalog.entities) == 3


def test_what_is_soft_deleted_is_known_and_not_there(gms, pipeline_map):
    gms.aspects[GOLD]["status"] = {"removed": True}
    result = reconciled(client(gms).catalog(), pipeline_map)
    (missing,) = [f for f in result.comparison.findings if f.subject == "gold.customer_behavior"]
    assert "not in DataHub: it is soft-deleted" in missing.message


def test_the_time_of_an_edge_is_read(gms, pipeline_map):
    lineage = gms.aspects[GOLD]["upstreamLineage"]["upstreams"]
    lineage[0] = {**lineage[0], "auditStamp": {"time": 1700000000000, "actor": "urn:li:corpuser:x"}}
    edge = next(
        e for e in client(gms).catalog().entities[GOLD].upstreams if e.source == lineage[0]["dataset"]
    )
    assert edge.at.startswith("2023-11-14")


def no_server(gms):
    gms.__exit__()


def too_busy(gms):
    gms.statuses = [503] * 5


def without_a_page(gms):
    gms.largest_page, gms.lost_page = 5, 3


def of_an_older_schema(gms):
    gms.schema = build_schema(SCHEMA.replace("fineGrainedLineages: [FineGrainedLineage!]", ""))


def with_a_malformed_urn(gms):
    entity = gms.entity
    gms.entity = lambda urn: entity(urn) | ({"urn": "urn:li:dataset:(broken"} if urn == GOLD else {})


def answering(body):
    def change(gms):
        gms.body = body

    return change


def of_another_token(gms):
    gms.token = "another"


FAULTS = {
    "down": (no_server, "cannot be reached"),
    "401": (of_another_token, "refuses the login (401)"),
    "503": (too_busy, "answers 503 (busy)"),
    "missing page": (without_a_page, "a page is missing: 10 of"),
    "older schema": (of_an_older_schema, "rejects the query scrollAcrossEntities"),
    "malformed URN": (with_a_malformed_urn, "is not a URN of DataHub"),
    "no JSON": (answering(b"<html>"), "does not answer with JSON"),
    "another answer": (
        answering(b'{"data": {"scrollAcrossEntities": {"total": 1, "searchResults": "x"}}}'),
        "its schema is another one",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_read_makes_it_incomplete_with_the_reason_and_never_clean(gms, pipeline_map, name):
    fault, reason = FAULTS[name]
    fault(gms)
    catalog = client(gms).catalog()
    assert any(reason in one for one in catalog.incomplete), catalog.incomplete
    assert SECRET not in repr(catalog.incomplete)
    result = reconciled(catalog, pipeline_map)
    assert reconciliation_outcome(result) == "INCOMPLETE"
    assert {str(f.code) for f in result.comparison.findings} == {"incomplete"}


def test_a_slow_server_is_given_up(pipeline_map, monkeypatch):
    import socket
    import threading

    monkeypatch.setattr(http, "TIMEOUT_SECONDS", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=silent.accept, daemon=True).start()
        api = JsonApi(f"http://127.0.0.1:{silent.getsockname()[1]}", "DataHub", token=SECRET)
        catalog = DataHubClient(api).catalog()
    assert "cannot be reached" in catalog.incomplete[0]
    assert reconciliation_outcome(reconciled(catalog, pipeline_map)) == "INCOMPLETE"


def test_aspects_and_registered_entities(gms):
    reader = client(gms)
    assert reader.aspects(GOLD, ["status", "deprecation"]) == {"status": {"removed": False}}
    assert reader.aspects("urn:li:dataset:(urn:li:dataPlatform:x,new,PROD)", ["status"]) == {}
    registered = list(reader.registered("customer_analytics_pipeline"))
    assert GOLD in registered
    assert list(reader.registered("another map")) == []
    assert reader.version() == "v1.7.0"
