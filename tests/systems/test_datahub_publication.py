"""What is published, without DataHub's SDK: the aspects, read back as a graph, and merged with others'."""

from pathlib import Path

import pytest
import yaml

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map import bindings_of, load_map, parse_map
from airflow_lineage_provider.readers import read_datahub, read_map
from airflow_lineage_provider.readers.datahub_aspects import catalog_of
from airflow_lineage_provider.systems.datahub.plan import plan, registered_by
from airflow_lineage_provider.systems.datahub.publication import Publication

MAP = str(Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml")
GOLD = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.gold.customer_behavior,PROD)"
ELSEWHERE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.gold.by_hand,PROD)"


class MemorySink:
    """A catalog in memory."""

    def __init__(self, known=()):
        self.entities = {}
        for urn, aspect, value in known:
            self.entities.setdefault(urn, {})[aspect] = value

    def aspects(self, urn, names):
        return {k: v for k, v in self.entities.get(urn, {}).items() if k in names}

    def registered(self, map_name):
        return [u for u, a in self.entities.items() if registered_by(a, map_name)]

    def write(self, proposals):
        for one in proposals:
            self.entities.setdefault(one.urn, {})[one.aspect] = one.value


@pytest.fixture(scope="module")
def pipeline_map():
    return load_map(MAP)


def published(lineage_map, sink=None, **options):
    sink = sink or MemorySink()
    publication = Publication(lineage_map, "prod")
    planned = plan(sink, publication.proposals(), publication.map_name, **options)
    sink.write([one.proposal for one in planned])
    return sink, planned


def kinds(graph):
    return {(str(e.source), str(e.target)): e.transformations for e in graph.column_edges}


@pytest.mark.parametrize("environment", ["prod", "dev", "stack"])
def test_what_is_published_is_read_back_as_the_map(pipeline_map, environment):
    records = [
        {"entityUrn": one.urn, "aspectName": one.aspect, "aspect": {"json": one.value}}
        for one in Publication(pipeline_map, environment).proposals()
    ]
    found = read_datahub(catalog_of(records, "memory"), bindings_of(pipeline_map, environment))
    expected = read_map(pipeline_map).graph
    assert not found.incomplete
    assert not found.several_names
    assert found.graph.datasets.keys() == expected.datasets.keys()
    assert {n: d.kind for n, d in found.graph.datasets.items()} == {
        n: d.kind for n, d in expected.datasets.items()
    }
    assert found.graph.edges.keys() == expected.edges.keys()
    assert kinds(found.graph) == kinds(expected)
    for name, dataset in expected.datasets.items():
        assert found.graph.datasets[name].owners == dataset.owners
        assert dict(found.graph.datasets[name].properties) == dict(dataset.properties)
        assert {c.name: dict(c.properties) for c in found.graph.datasets[name].columns.values()} == {
            c.name: dict(c.properties) for c in dataset.columns.values()
        }
        assert {c.name: c.type for c in found.graph.datasets[name].columns.values()} == {
            c.name: c.type for c in dataset.columns.values()
        }


def test_each_column_edge_is_an_entry_of_its_own_with_its_kind(pipeline_map):
    sink, _ = published(pipeline_map)
    entries = sink.entities[GOLD]["upstreamLineage"]["fineGrainedLineages"]
    assert all(len(one["upstreams"]) == 1 and len(one["downstreams"]) <= 1 for one in entries)
    summary = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.gold.customer_orders_summary,PROD)"
    made = sink.entities[summary]["upstreamLineage"]["fineGrainedLineages"]
    assert "airflow-lineage DIRECT SUM(order_amount)" in {one["transformOperation"] for one in made}


def test_owners_tags_tier_and_documentation(pipeline_map):
    sink, _ = published(pipeline_map)
    gold = sink.entities[GOLD]
    assert gold["datasetProperties"]["description"] == "One row a customer, day and kind of event."
    assert gold["datasetProperties"]["customProperties"]["tier"] == "gold"
    assert [one["tag"] for one in gold["globalTags"]["tags"]] == ["urn:li:tag:gold", "urn:li:tag:tier:gold"]
    assert gold["ownership"]["owners"][0]["owner"] == "urn:li:corpGroup:data-platform-team"


def test_a_second_publication_writes_nothing(pipeline_map):
    sink, first = published(pipeline_map)
    assert len(first) > 100
    assert published(pipeline_map, sink)[1] == ()


def test_only_what_differs_is_written(pipeline_map):
    sink, _ = published(pipeline_map)
    text = load_text().replace("One row a customer, day and kind of event.", "Another text.")
    _, planned = published(parse_map(text, MAP), sink)
    assert [(one.action, one.proposal.aspect, one.proposal.urn) for one in planned] == [
        ("change", "datasetProperties", GOLD)
    ]


def load_text():
    return Path(MAP).read_text(encoding="utf-8")


def test_edges_of_others_stay_and_own_ones_follow_the_map(pipeline_map):
    sink, _ = published(pipeline_map)
    lineage = sink.entities[GOLD]["upstreamLineage"]
    by_hand = {"dataset": ELSEWHERE, "type": "TRANSFORMED", "properties": {"source": "UI"}}
    entry = {"upstreamType": "FIELD_SET", "upstreams": [f"urn:li:schemaField:({ELSEWHERE},a)"]}
    entry |= {"downstreamType": "FIELD", "downstreams": [f"urn:li:schemaField:({GOLD},a)"]}
    sink.entities[GOLD]["upstreamLineage"] = {
        "upstreams": [by_hand, *lineage["upstreams"]],
        "fineGrainedLineages": [entry, *lineage["fineGrainedLineages"]],
    }
    assert published(pipeline_map, sink)[1] == ()
    fewer = load_text().replace(
        "from: [silver.stg_customers, silver.stg_events, silver.stg_orders]",
        "from: [silver.stg_customers, silver.stg_events]",
    )
    published(parse_map(fewer, MAP), sink)
    left = sink.entities[GOLD]["upstreamLineage"]
    assert left["upstreams"][0] == by_hand
    assert left["fineGrainedLineages"][0] == entry
    sources = {one["dataset"].split(",")[1] for one in left["upstreams"]}
    assert sources == {
        "analytics.gold.by_hand",
        "analytics.gold.customer_orders_summary",
        "analytics.silver.stg_customers",
        "analytics.silver.stg_events",
    }


def test_an_entity_that_another_producer_registered_keeps_its_own_properties(pipeline_map):
    schema = {
        "fields": [{"fieldPath": "X", "nativeDataType": "NUMBER"}],
        "lastModified": {"actor": "urn:li:corpuser:s"},
    }
    known = [
        (GOLD, "datasetProperties", {"name": "CB", "description": "theirs", "customProperties": {"a": "1"}}),
        (GOLD, "schemaMetadata", schema),
        (GOLD, "ownership", {"owners": [{"owner": "urn:li:corpuser:ada", "type": "DATAOWNER"}]}),
        (GOLD, "globalTags", {"tags": [{"tag": "urn:li:tag:pii"}]}),
    ]
    sink, _ = published(pipeline_map, MemorySink(known))
    gold = sink.entities[GOLD]
    assert gold["datasetProperties"]["description"] == "theirs"
    assert gold["datasetProperties"]["customProperties"]["a"] == "1"
    assert gold["schemaMetadata"] == schema
    assert [one["owner"] for one in gold["ownership"]["owners"]] == [
        "urn:li:corpuser:ada",
        "urn:li:corpGroup:data-platform-team",
    ]
    assert gold["globalTags"]["tags"][0] == {"tag": "urn:li:tag:pii"}
    assert published(pipeline_map, sink)[1] == ()
    assert GOLD not in sink.registered("customer_analytics_pipeline")


def test_what_the_map_no_longer_has_is_removed_when_asked_and_nothing_else(pipeline_map):
    sink, _ = published(pipeline_map)
    sink.entities[ELSEWHERE] = {"datasetProperties": {"name": "by_hand"}, "status": {"removed": False}}
    content = yaml.safe_load(load_text())
    del content["dashboards"]["Executive KPI Report"]
    content["scenarios"] = []
    changed = parse_map(yaml.safe_dump(content, sort_keys=False), MAP)
    _, kept = published(changed, sink)
    assert kept == ()
    _, planned = published(changed, sink, remove=True)
    assert [(one.action, one.proposal.urn, one.proposal.value) for one in planned] == [
        ("remove", "urn:li:dashboard:(tableau,executive-kpi-report)", {"removed": True})
    ]


def test_a_binding_without_a_database_is_an_error(pipeline_map):
    with pytest.raises(InputError, match="leaves its database open"):
        list(Publication(pipeline_map, "postgres").proposals())


def event(name, outputs, *, checks=(), at="2026-11-20T00:00:00Z", kind="MODEL", state="COMPLETE"):
    def dataset(table):
        return {"namespace": "snowflake://org-account", "name": table}

    read = dataset("ANALYTICS.SILVER.STG_ORDERS")
    read["inputFacets"] = {"dataQualityAssertions": {"assertions": list(checks)}} if checks else {}
    return {
        "eventType": state,
        "eventTime": at,
        "run": {"runId": "0190a0e2-0000-7000-8000-000000000001", "facets": {}},
        "job": {"namespace": "dbt", "name": name, "facets": {"jobType": {"jobType": kind}}},
        "inputs": [read],
        "outputs": [dataset(table) for table in outputs],
    }


def observed(pipeline_map, *events):
    found = {}
    for one in Publication(pipeline_map, "prod", events).proposals():
        found.setdefault((one.urn.split(":")[2], one.aspect), []).append(one)
    return found


def test_what_was_observed_is_published_beside_what_is_documented(pipeline_map):
    run = event("gold.extra", ["ANALYTICS.GOLD.EXTRA"])
    begun = event("gold.extra", ["ANALYTICS.GOLD.EXTRA"], at="2026-11-19T23:59:00Z", state="START")
    found = observed(pipeline_map, begun, run)
    extra = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.gold.extra,PROD)"
    lineage = {one.urn: one.value for one in found["dataset", "upstreamLineage"]}[extra]
    (upstream,) = lineage["upstreams"]
    assert upstream["dataset"].split(",")[1] == "analytics.silver.stg_orders"
    assert upstream["auditStamp"]["time"] == 1795132800000
    jobs = {one.urn: one.value for one in found["dataJob", "dataJobInputOutput"]}
    job = jobs["urn:li:dataJob:(urn:li:dataFlow:(dbt,dbt,PROD),gold.extra)"]
    assert job["outputDatasetEdges"][0]["destinationUrn"] == extra
    states = [one.value["status"] for one in found["dataProcessInstance", "dataProcessInstanceRunEvent"]]
    assert states == ["STARTED", "COMPLETE"]
    assert found["dataProcessInstance", "dataProcessInstanceRunEvent"][1].value["durationMillis"] == 60_000


def test_assertions_of_dbt_and_great_expectations_with_their_results(pipeline_map):
    between = "expect_column_values_to_be_between"
    checks = [
        {"assertion": "not_null", "success": True, "column": "order_id"},
        {
            "assertion": between,
            "success": False,
            "column": "order_amount",
            "params": {"max": 9},
            "severity": "warn",
        },
        {"assertion": between, "success": True, "column": "order_amount", "params": {"max": 99}},
    ]
    found = observed(pipeline_map, event("tests", [], checks=checks, kind="TEST"))
    about = [one.value["datasetAssertion"] for one in found["assertion", "assertionInfo"]]
    assert [one["nativeType"] for one in about] == ["not_null", between, between]
    assert about[0]["fields"][0].endswith(",order_id)")
    results = [one.value["result"]["type"] for one in found["assertion", "assertionRunEvent"]]
    assert results == ["SUCCESS", "FAILURE", "SUCCESS"]
    assert len({one.urn for one in found["assertion", "assertionInfo"]}) == 3


def test_time_series_are_sent_with_what_they_belong_to(pipeline_map):
    check = {"assertion": "not_null", "success": True, "column": "order_id"}
    events = (event("tests", [], checks=[check], kind="TEST"),)
    sink = MemorySink()
    first = plan(sink, Publication(pipeline_map, "prod", events).proposals(), "m")
    assert "assertionRunEvent" in {one.proposal.aspect for one in first}
    sink.write([one.proposal for one in first])
    assert plan(sink, Publication(pipeline_map, "prod", events).proposals(), "m") == ()
    failed = (event("tests", [], checks=[check | {"success": False}], kind="TEST"),)
    later = plan(sink, Publication(pipeline_map, "prod", failed).proposals(), "m")
    assert [one.proposal.aspect for one in later] == ["assertionInfo", "assertionRunEvent"]
