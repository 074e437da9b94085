"""Registered schemas as fields: Avro, JSON Schema and Protobuf."""

import json

import pytest

from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.schemas.fields import schema_fields
from airflow_lineage_provider.systems.schemas.registry import RegisteredSchema


def read(schema, kind="AVRO", references=()):
    """Return the types of a schema's fields, by dotted path."""
    text = schema if isinstance(schema, str) else json.dumps(schema)
    named = tuple(RegisteredSchema(name, 1, kind, held, name=name) for name, held in references)
    found = {}

    def collect(fields, prefix):
        for field in fields:
            found[prefix + field.name] = field.type
            collect(field.fields, f"{prefix}{field.name}.")

    collect(schema_fields(RegisteredSchema("s-value", 3, kind, text, named)), "")
    return found


def record(*fields, name="Order", **more):
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": key, "type": kind} for key, kind in fields],
        **more,
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("string", {"f": "string"}),
        (["null", "long"], {"f": "long"}),
        (["string", "long", "null"], {"f": "union<string,long>"}),
        (["null", record(("a", "int"), name="A"), "string"], {"f": "union<record,string>"}),
        ({"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}, {"f": "decimal(10,2)"}),
        ({"type": "long", "logicalType": "timestamp-millis"}, {"f": "timestamp-millis"}),
        ({"type": "string", "logicalType": "uuid"}, {"f": "uuid"}),
        ({"type": "int", "connect.name": "io.debezium.time.Date"}, {"f": "int (io.debezium.time.Date)"}),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, {"f": "enum"}),
        ({"type": "fixed", "name": "F", "size": 16}, {"f": "fixed(16)"}),
        ({"type": "array", "items": "string"}, {"f": "array", "f._element": "string"}),
        (
            {"type": "array", "items": record(("a", ["null", "int"]), name="A")},
            {"f": "array", "f._element": "record", "f._element.a": "int"},
        ),
        ({"type": "map", "values": "double"}, {"f": "map", "f._key": "string", "f._value": "double"}),
        (
            record(("a", record(("b", "int"), name="B")), name="A"),
            {"f": "record", "f.a": "record", "f.a.b": "int"},
        ),
        ({"type": {"type": "string"}}, {"f": "string"}),
        (["null", "Order"], {"f": "record"}),
    ],
    ids=str,
)
def test_a_field_of_avro(kind, expected):
    assert read(record(("f", kind))) == expected


def test_named_types_are_found_by_their_namespaces():
    money = record(("amount", "int"), name="Money", namespace="com.acme")
    schema = record(("price", "com.acme.Money"), ("tax", ["null", "com.acme.Money"]), namespace="com.shop")
    assert read(schema, references=[("com.acme.Money", json.dumps(money))])["tax.amount"] == "int"
    inner = record(("a", record(("x", "int"), name="X")), ("b", "X"), namespace="com.shop")
    assert read(inner)["b.x"] == "int"


def test_a_schema_that_is_no_record_is_one_field():
    assert read('"string"') == {"value": "string"}
    assert read({"type": "array", "items": "int"}) == {"value": "array", "value._element": "int"}


JSON_SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "at": {"type": ["null", "string"], "format": "date-time"},
        "amount": {
            "type": "number",
            "title": "org.apache.kafka.connect.data.Decimal",
            "connect.type": "bytes",
        },
        "count": {"type": "integer", "connect.type": "int64"},
        "maybe": {"oneOf": [{"type": "null"}, {"type": "integer"}]},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "customer": {"$ref": "#/definitions/Customer"},
        "shop": {"$ref": "shop.json"},
        "any": {},
        "free": {"type": "object"},
    },
    "definitions": {"Customer": {"type": "object", "properties": {"email": {"type": "string"}}}},
}


def test_the_fields_of_json_schema():
    shop = json.dumps({"type": "object", "properties": {"name": {"type": "string"}}})
    assert read(JSON_SCHEMA, "JSON", [("shop.json", shop)]) == {
        "id": "string(uuid)",
        "at": "string(date-time)",
        "amount": "bytes (org.apache.kafka.connect.data.Decimal)",
        "count": "int64",
        "maybe": "integer",
        "either": "union<string,integer>",
        "tags": "array",
        "tags._element": "string",
        "customer": "record",
        "customer.email": "string",
        "shop": "record",
        "shop.name": "string",
        "any": "",
        "free": "object",
    }


PROTO = """
// The events; option "x" = 1;
syntax = "proto3";
package com.acme;
import "money.proto";
option java_package = "com.acme; {";
message Order {
  reserved 4, 9 to 11;
  option (my.opt) = { a: 1 };
  string id = 1 [json_name = "ID", deprecated = true];
  optional int64 count = 2; /* how many
  message Hidden { string x = 1; } */
  repeated string tags = 3;
  map<string, Line> lines = 5;
  enum State { UNKNOWN = 0; PAID = 1; }
  State state = 6;
  message Line { double price = 1; .com.acme.Order.State state = 2; }
  repeated Line more = 7;
  oneof payment { string card = 8; Money cash = 12; }
  Order parent = 13;
  google.protobuf.Timestamp at = 14;
}
message Other { string y = 1; }
service S { rpc Get (Order) returns (Other) { option x = 1; } }
"""


def test_the_fields_of_protobuf():
    money = 'syntax = "proto3"; package com.acme; message Money { int32 cents = 1; }'
    assert read(PROTO, "PROTOBUF", [("money.proto", money)]) == {
        "id": "string",
        "count": "int64",
        "tags": "array",
        "tags._element": "string",
        "lines": "map",
        "lines._key": "string",
        "lines._value": "record",
        "lines._value.price": "double",
        "lines._value.state": "enum",
        "state": "enum",
        "more": "array",
        "more._element": "record",
        "more._element.price": "double",
        "more._element.state": "enum",
        "card": "string",
        "cash": "record",
        "cash.cents": "int32",
        "parent": "record",
        "at": "google.protobuf.Timestamp",
    }


def bomb():
    """Return a short schema of 2 ** 30 fields."""
    kinds = [record(("x", "int"), name="T0")]
    for level in range(1, 30):
        inner = kinds[-1] if level == 1 else f"T{level - 1}"
        kinds.append(
            record(("a", kinds.pop() if level > 1 else inner), ("b", f"T{level - 1}"), name=f"T{level}")
        )
    return kinds[-1]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AVRO", "{"),
        ("AVRO", "[]x"),
        ("AVRO", json.dumps(record(("f", "Nobody")))),
        ("AVRO", json.dumps({"type": "record", "name": "R"})),
        ("AVRO", "[" * 100_000),
        ("AVRO", json.dumps(bomb())),
        ("JSON", '{"$ref": "#/nobody"}'),
        ("JSON", '{"$ref": "#"}'),
        ("JSON", '{"$ref": "http://example.com/x.json"}'),
        ("PROTOBUF", "message"),
        ("PROTOBUF", "message Order { string id = 1;"),
        ("PROTOBUF", ""),
        ("THRIFT", "struct X {}"),
    ],
    ids=lambda value: value[:40],
)
def test_what_cannot_be_read_is_one_line_that_names_the_version(kind, text):
    with pytest.raises(
        SystemReadError, match=rf"^version 3 of subject s-value is no {kind} schema that can be read"
    ) as found:
        read(text, kind)
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 500
