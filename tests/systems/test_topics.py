# ruff: noqa: E501 - a case is a row
"""A topic's schema over its versions, read from a registry, and what a change reaches by the map."""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
import schema_registry
from confluent_kafka.schema_registry import Schema, SchemaReference
from confluent_kafka.schema_registry import SchemaRegistryClient as ConfluentClient
from registry import Registry, registry_server
from registry_document import NEEDED, OPENAPI, recorded, violations

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph.findings import Code
from airflow_lineage_provider.lineage_map.load import load_map, parse_map
from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.http import JsonApi
from airflow_lineage_provider.systems.schemas.registry import SchemaRegistryClient
from airflow_lineage_provider.systems.schemas.topics import (
    change_findings,
    merged_fields,
    topic_schemas,
    topic_subjects,
)
from airflow_lineage_provider.systems.service_levels import format_findings

MAP = Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml"


def avro(*fields, name="Event"):
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields]}


V1 = avro(("id", "string"), ("page_url", "string"), ("amount", "int"))
V2 = avro(("id", "string"), ("page_url", "string"), ("amount", "long"))
V3 = avro(("id", "string"), ("amount", "long"), ("customer", avro(("email", "string"), name="Customer")))


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def client(registry):
    with registry_server(registry) as url:
        yield SchemaRegistryClient(JsonApi(url, "Schema Registry (connection 'registry')"))


def told(changes):
    return [(change.code.value, change.path, change.version, change.was, change.now) for change in changes]


def test_every_version_since_the_last_look_is_compared_with_the_one_before_it(registry, client):
    for schema in (V1, V2, V3):
        registry.register("events-value", schema)
    newest, changes = topic_schemas(client, ["events-value"], {"events-value": 1})
    assert [(schema.version, schema.kind) for schema in newest] == [(3, "AVRO")]
    assert told(changes) == [
        ("field-retyped", "amount", 2, "int", "long"),
        ("field-removed", "page_url", 3, "string", ""),
        ("field-added", "customer", 3, "", "record"),
    ]


@pytest.mark.parametrize(("since", "versions"), [({}, 3), ({"events-value": 3}, 3), ({"events-value": 9}, 3)])
def test_without_a_new_version_nothing_changed(registry, client, since, versions):
    for schema in (V1, V2, V3):
        registry.register("events-value", schema)
    newest, changes = topic_schemas(client, ["events-value"], since)
    assert newest[0].version == versions
    assert changes == []


def test_a_version_that_was_deleted_is_compared_with_the_one_before_it(registry, client):
    for schema in (V1, V2, V3):
        registry.register("events-value", schema)
    del registry.subjects["events-value"][2]
    _, changes = topic_schemas(client, ["events-value"], {"events-value": 2})
    assert [path for _, path, *_ in told(changes)] == ["page_url", "customer", "amount"]


def test_a_topic_that_the_registry_does_not_know_is_one_line(client):
    with pytest.raises(
        SystemReadError, match=r"has no subject events-value: check the topic and subject_strategy"
    ):
        topic_schemas(client, topic_subjects(client, "events", "topic_name", ()), {})


def test_the_subjects_of_each_strategy(registry, client):
    for subject in (
        "events-value",
        "events-key",
        "events-com.acme.Order",
        "events-com.acme.User",
        "events2-x",
    ):
        registry.register(subject, V1)
    assert topic_subjects(client, "events", "topic_name", ()) == ("events-value",)
    both = ("events-com.acme.Order", "events-com.acme.User")
    assert topic_subjects(client, "events", "topic_record_name", ()) == both
    assert topic_subjects(client, "events", "topic_record_name", ("com.acme.User",)) == both[1:]
    assert topic_subjects(client, "events", "record_name", ("com.acme.User",)) == ("com.acme.User",)
    with pytest.raises(SystemReadError, match="has no subject other-"):
        topic_subjects(client, "other", "topic_record_name", ())
    for strategy in ("record_name", "nonsense"):
        with pytest.raises(InputError, match=strategy):
            topic_subjects(client, "events", strategy, ())


def test_the_records_of_one_topic_are_one_set_of_fields(registry, client):
    registry.register("a", avro(("id", "string"), ("x", "int")))
    registry.register("b", avro(("id", "string"), ("x", "string"), ("y", "int")))
    schemas, _ = topic_schemas(client, ["a", "b"], {})
    assert [(field.name, field.type) for field in merged_fields(schemas)] == [
        ("id", "string"),
        ("x", ""),
        ("y", "int"),
    ]


def test_all_pages_of_subjects_are_read(registry, client, monkeypatch):
    monkeypatch.setattr("airflow_lineage_provider.systems.schemas.registry.PAGE", 2)
    names = [f"events-{number}" for number in range(5)]
    for name in names:
        registry.register(name, V1)
    assert client.subjects("events-") == tuple(names)


def test_references_are_read_with_the_schema(registry, client):
    registry.register("money", avro(("cents", "int"), name="Money"))
    reference = {"name": "Money", "subject": "money", "version": 1}
    registry.register("events-value", avro(("price", "Money")), references=[reference])
    (schema,), _ = topic_schemas(client, ["events-value"], {})
    assert schema.fields[0].fields[0].name == "cents"


def test_a_change_names_the_columns_and_consumers_that_it_reaches():
    lineage_map = parse_map(
        """
        document: {title: Shop}
        sources:
          kafka: {type: kafka, kind: topic, datasets: {events: {to: bronze.events, columns: [page_url, id]}}}
        layers:
          bronze: {tables: {events: {columns: [page_url, id]}}}
        dashboards: {Pages: {tool: Tableau, from: bronze.events, fields: {Page: page_url}}}
        """
    )
    changes = [change for change in _changes(V2, V3) if change.path in {"page_url", "customer"}]
    removed, added = change_findings(changes, "kafka.events", read_map(lineage_map).graph)
    assert (removed.code, removed.subject) == (Code.FIELD_REMOVED, "kafka.events.page_url")
    assert removed.message == (
        "version 3 of events-value removed the field page_url; it reaches bronze.events.page_url, Pages.Page, Pages"
    )
    assert added.message == "version 3 of events-value added the field customer"


def _changes(before, after):
    registry = Registry()
    registry.register("events-value", "{}")
    for schema in (before, after):
        registry.register("events-value", schema)
    with registry_server(registry) as url:
        return topic_schemas(SchemaRegistryClient(JsonApi(url, "x")), ["events-value"], {"events-value": 2})[
            1
        ]


def test_a_schema_that_cannot_be_read_names_the_registry(registry, client):
    registry.register("events-value", "{")
    with pytest.raises(
        SystemReadError, match=r"^Schema Registry \(connection 'registry'\) at .*: version 1 of"
    ):
        topic_schemas(client, ["events-value"], {})


def test_the_documented_format_is_held_to_what_is_registered():
    lineage_map = load_map(MAP)
    topic = "kafka.customer-events-prod"
    assert format_findings(lineage_map, topic, ["AVRO"]) == []
    (finding,) = format_findings(lineage_map, topic, ["JSON"])
    assert finding.message == f"{topic} is JSON, and 'Avro (Confluent Schema Registry)' is documented"
    assert format_findings(lineage_map, "kafka.other", ["JSON"]) == []


@contextmanager
def stand_in(kind, folder):
    """Run one of the two stand-ins; gives its URL and its exchanges."""
    if kind == "tests":
        registry = Registry()
        with registry_server(registry) as url:
            yield url, registry.exchanges
        return
    server = schema_registry.serve(folder / "schemas.json")
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", recorded(server)
    finally:
        server.shutdown()


@pytest.mark.skipif(not OPENAPI.exists(), reason=NEEDED)
@pytest.mark.parametrize("kind", ["tests", "demo"])
def test_each_stand_in_answers_as_the_openapi_document_has_it(kind, tmp_path):
    """Confluent's own client registers, ours reads; every answer is validated by the document."""
    with stand_in(kind, tmp_path) as (url, exchanges):
        confluent = ConfluentClient({"url": url})
        money = json.dumps(avro(("cents", "int"), name="Money"))
        confluent.register_schema("money", Schema(money, "AVRO"))
        ordered = Schema(json.dumps(avro(("price", "Money"))), "AVRO", [SchemaReference("Money", "money", 1)])
        number = confluent.register_schema("events-value", ordered)
        confluent.get_schema(number)
        confluent.register_schema("json-value", Schema('{"type": "object"}', "JSON"))
        confluent.lookup_schema("events-value", ordered)
        ours = SchemaRegistryClient(JsonApi(url, "x"))
        assert ours.subjects() == ("events-value", "json-value", "money")
        found = ours.schema("events-value")
        assert found.text == confluent.get_latest_version("events-value").schema.schema_str
        assert [one.subject for one in found.references] == ["money"]
        assert ours.schema("nobody") is None
        assert ours.schema_by_id(99) is None
        assert ours.schema("events-value", 7) is None
    assert len(exchanges) > 8
    for exchange in exchanges:
        assert violations(exchange) == [], exchange
