"""Decoders of the schemas that a registry has: references, other kinds, answers that are no schema."""

import io
import json

import fastavro
import pytest

from airflow_lineage_provider.ingest.avro import UndecodableError
from airflow_lineage_provider.ingest.model import IngestError
from airflow_lineage_provider.systems.errors import SystemReadError
from tests.support.registry import Registry, registry_server

from .streams import decoders


def record(name, *fields):
    return {"type": "record", "name": name, "fields": [{"name": n, "type": kind} for n, kind in fields]}


CENTS = record("Cents", ("value", "long"))
MONEY = record("Money", ("cents", "Cents"), ("currency", "string"))
ORDER = record("Order", ("order_id", "string"), ("price", "Money"), ("fee", "Cents"))


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def known(registry):
    with registry_server(registry) as url:
        yield decoders(url)


def reference(name, subject, version=1):
    return {"name": name, "subject": subject, "version": version}


def order(registry):
    """Register an order that refers to money, and both to cents; return its id."""
    registry.register("cents", CENTS)
    registry.register("money", MONEY, references=[reference("Cents", "cents")])
    to = [reference("Money", "money"), reference("Cents", "cents")]
    return registry.register("orders-value", ORDER, references=to)


def test_a_schema_is_read_with_those_that_it_refers_to(registry, known):
    number = order(registry)
    row = {"order_id": "O1", "price": {"cents": {"value": 995}, "currency": "EUR"}, "fee": {"value": 5}}
    named = {}
    for schema in (CENTS, MONEY, ORDER):
        parsed = fastavro.parse_schema(schema, named_schemas=named)
    body = io.BytesIO()
    fastavro.schemaless_writer(body, parsed, row)

    decoder = known.decoder(number)
    assert decoder.decode(b"\0" + number.to_bytes(4, "big") + body.getvalue()) == row
    assert known.latest("orders-value").schema == decoder.schema
    assert decoder.schema.names == ["order_id", "price", "fee"]


def test_each_schema_is_read_once(registry, known):
    number = registry.register("cents-value", CENTS)
    for _ in range(3):
        known.decoder(number)
        with pytest.raises(UndecodableError, match="has no schema 77"):
            known.decoder(77)
    assert [path for _, path, *_ in registry.exchanges] == [f"/schemas/ids/{number}", "/schemas/ids/77"]


def test_a_subject_that_is_not_there_has_no_decoder(known):
    assert known.latest("nowhere-value") is None


def test_a_reference_that_is_gone_names_the_missing_type(registry, known):
    number = order(registry)
    del registry.subjects["cents"]
    with pytest.raises(IngestError, match="Cents"):
        known.decoder(number)


@pytest.mark.parametrize(
    ("kind", "schema", "said"),
    [
        ("PROTOBUF", 'syntax = "proto3"; message A {}', "has a PROTOBUF schema; only Avro is read"),
        ("AVRO", "{", "has an Avro schema that is not JSON"),
        ("AVRO", "[" * 100_000, "has an Avro schema that is not JSON"),
        ("AVRO", json.dumps({"type": "string"}), "is no record"),
        ("AVRO", json.dumps({"type": "unheard"}), "is no Avro schema"),
    ],
)
def test_a_schema_that_cannot_be_used_is_one_line(registry, known, kind, schema, said):
    number = registry.register("events-value", schema, kind)
    with pytest.raises(IngestError, match=said) as caught:
        known.decoder(number)
    assert "\n" not in str(caught.value)


def test_an_answer_that_is_no_schema_names_the_registry(registry, known, monkeypatch):
    monkeypatch.setattr(registry, "answer", lambda *_: (200, ["a"]))
    with pytest.raises(SystemReadError, match=r"^Schema Registry at .*at schema 7\)"):
        known.decoder(7)


def test_references_without_end_are_not_followed(registry, known):
    for number in range(200):
        to = [reference("A", f"s{number + 1}")]
        registry.register(f"s{number}", record(f"A{number}", ("x", "int")), references=to)
    with pytest.raises(SystemReadError, match="refers to more than 100 schemas"):
        known.decoder(1)
