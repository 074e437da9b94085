# ruff: noqa: E501 - a case is a row
"""Single message transforms: what each makes of a record's topic and of the origins of its fields."""

import pytest

from airflow_lineage_provider.systems.kafka_connect.record import FieldOrigin, Record, RecordField
from airflow_lineage_provider.systems.kafka_connect.transforms import apply_transforms

KAFKA = "org.apache.kafka.connect.transforms."
DEBEZIUM = "io.debezium.transforms."


def leaf(name, kind=""):
    return RecordField(name, kind, (FieldOrigin(name),))


def record(*fields, topic="crm.public.orders"):
    return Record(topic, RecordField("", "record", fields=fields))


def envelope(*columns, topic="crm.public.orders"):
    row = tuple(leaf(column) for column in columns)
    return record(
        RecordField("before", "record", fields=row),
        RecordField("after", "record", fields=row),
        RecordField("source", "record"),
        RecordField("op", "string"),
        topic=topic,
    )


ORDER = record(
    leaf("id"), leaf("amount"), RecordField("customer", "record", fields=(leaf("email"), leaf("name")))
)


def config(*steps, predicates=()):
    """Return a connector's configuration of these transforms: (type, options)."""
    made = {"transforms": ",".join(f"t{number}" for number, _ in enumerate(steps))}
    for number, (kind, options) in enumerate(steps):
        made[f"transforms.t{number}.type"] = kind
        made |= {f"transforms.t{number}.{key}": value for key, value in options.items()}
    for name, options in predicates:
        made |= {f"predicates.{name}.{key}": value for key, value in options.items()}
    return made


def shape(found):
    """Return the origins of each leaf, by its dotted path."""
    return {path: [o.column for o in leaf.origins] for field in found.fields for path, leaf in field.leaves()}


SAME = {"id": ["id"], "amount": ["amount"], "customer.email": ["email"], "customer.name": ["name"]}


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        (
            f"{KAFKA}ReplaceField$Value",
            {"renames": "amount:total, id:order_id", "exclude": "customer"},
            {"order_id": ["id"], "total": ["amount"]},
        ),
        (f"{KAFKA}ReplaceField$Value", {"include": "id"}, {"id": ["id"]}),
        (f"{KAFKA}ReplaceField$Value", {"whitelist": "id,amount", "blacklist": "id"}, {"amount": ["amount"]}),
        (
            f"{KAFKA}Flatten$Value",
            {"delimiter": "_"},
            {"id": ["id"], "amount": ["amount"], "customer_email": ["email"], "customer_name": ["name"]},
        ),
        (f"{KAFKA}ExtractField$Value", {"field": "customer"}, {"email": ["email"], "name": ["name"]}),
        (f"{KAFKA}ExtractField$Value", {"field": "amount"}, {"value": ["amount"]}),
        (
            f"{KAFKA}ExtractField$Value",
            {"field": "customer.email", "field.syntax.version": "V2"},
            {"value": ["email"]},
        ),
        (
            f"{KAFKA}HoistField$Value",
            {"field": "line"},
            {f"line.{path}": made for path, made in SAME.items()},
        ),
        (
            f"{KAFKA}InsertField$Value",
            {
                "topic.field": "topic!",
                "offset.field": "offset?",
                "static.field": "origin",
                "static.value": "x",
            },
            SAME | {"topic": [], "offset": [], "origin": []},
        ),
        (f"{KAFKA}HeaderFrom$Value", {"fields": "id", "headers": "h", "operation": "copy"}, SAME),
        (
            f"{KAFKA}HeaderFrom$Value",
            {"fields": "id,customer", "headers": "h,c", "operation": "move"},
            {"amount": ["amount"]},
        ),
        (f"{KAFKA}ReplaceField$Key", {"exclude": "id"}, SAME),
        (f"{KAFKA}ValueToKey", {"fields": "id"}, SAME),
        (f"{KAFKA}SetSchemaMetadata$Value", {"schema.name": "x"}, SAME),
        (f"{KAFKA}Filter", {}, SAME),
        (f"{DEBEZIUM}ExtractNewRecordState", {}, SAME),
    ],
)
def test_what_a_transform_makes_of_the_fields(kind, options, expected):
    assert shape(apply_transforms(ORDER, config((kind, options)))) == expected


@pytest.mark.parametrize(
    ("kind", "options", "masking", "expression"),
    [
        (f"{KAFKA}MaskField$Value", {"fields": "amount", "replacement": "0"}, True, "MaskField"),
        (f"{KAFKA}Cast$Value", {"spec": "amount:float64,other:string"}, False, "Cast to float64"),
        (
            f"{KAFKA}TimestampConverter$Value",
            {"field": "amount", "target.type": "Date"},
            False,
            "TimestampConverter to Date",
        ),
    ],
)
def test_what_changes_a_value_is_a_transformation(kind, options, masking, expression):
    by_name = {field.name: field for field in apply_transforms(ORDER, config((kind, options))).fields}
    (origin,) = by_name["amount"].origins
    assert origin == FieldOrigin("amount", "TRANSFORMATION", masking, expression)
    assert by_name["id"].origins == (FieldOrigin("id"),)


def test_masking_stays_through_the_steps_that_follow():
    found = apply_transforms(
        ORDER,
        config(
            (f"{KAFKA}MaskField$Value", {"fields": "amount"}),
            (f"{KAFKA}Cast$Value", {"spec": "amount:string"}),
            (f"{KAFKA}ReplaceField$Value", {"renames": "amount:total"}),
        ),
    )
    (origin,) = next(field for field in found.fields if field.name == "total").origins
    assert (origin.masking, origin.expression) == (True, "MaskField; Cast to string")


@pytest.mark.parametrize(
    ("kind", "options", "topic"),
    [
        (f"{KAFKA}RegexRouter", {"regex": r"crm\.public\.(.*)", "replacement": "raw_$1"}, "raw_orders"),
        (
            f"{KAFKA}RegexRouter",
            {"regex": r"(?<db>\w+)\.(.*)", "replacement": "${db}-$2"},
            "crm-public.orders",
        ),
        (f"{KAFKA}RegexRouter", {"regex": "public", "replacement": "x"}, "crm.public.orders"),
        (f"{KAFKA}TimestampRouter", {"topic.format": "${topic}_${timestamp}"}, "crm.public.orders_*"),
        (f"{KAFKA}TimestampRouter", {}, "crm.public.orders-*"),
        (
            f"{DEBEZIUM}ByLogicalTableRouter",
            {"topic.regex": r"(.*)\.orders.*", "topic.replacement": "$1.all"},
            "crm.public.all",
        ),
    ],
)
def test_what_a_transform_makes_of_the_topic(kind, options, topic):
    assert apply_transforms(ORDER, config((kind, options))).topic == topic


@pytest.mark.parametrize(
    ("predicate", "negate", "applies"),
    [
        ({"type": f"{KAFKA}predicates.TopicNameMatches", "pattern": r"crm\..*"}, "false", True),
        ({"type": f"{KAFKA}predicates.TopicNameMatches", "pattern": r"crm\..*"}, "true", False),
        ({"type": f"{KAFKA}predicates.TopicNameMatches", "pattern": "crm"}, "false", False),
        ({"type": f"{KAFKA}predicates.RecordIsTombstone"}, "false", False),
        ({"type": f"{KAFKA}predicates.RecordIsTombstone"}, "true", True),
        ({"type": f"{KAFKA}predicates.HasHeaderKey", "name": "h"}, "false", None),
        ({"type": "com.acme.Predicate"}, "false", None),
    ],
)
def test_a_predicate_decides_by_the_topic_and_else_the_columns_are_unknown(predicate, negate, applies):
    step = (f"{KAFKA}ReplaceField$Value", {"include": "id", "predicate": "p", "negate": negate})
    found = apply_transforms(ORDER, config(step, predicates=[("p", predicate)]))
    if applies is None:
        assert found.value is None
        assert found.problems == (
            "transform t0 (ReplaceField) applies by a predicate on each record: its columns are not claimed",
        )
    else:
        assert shape(found) == ({"id": ["id"]} if applies else SAME)


def test_a_predicate_sees_the_topic_that_the_steps_before_it_made():
    found = apply_transforms(
        ORDER,
        config(
            (f"{KAFKA}RegexRouter", {"regex": ".*", "replacement": "raw"}),
            (f"{KAFKA}ReplaceField$Value", {"include": "id", "predicate": "p"}),
            predicates=[("p", {"type": f"{KAFKA}predicates.TopicNameMatches", "pattern": "raw"})],
        ),
    )
    assert shape(found) == {"id": ["id"]}


def test_an_unknown_transform_makes_the_columns_unknown_and_says_so():
    found = apply_transforms(ORDER, config(("com.acme.Encrypt$Value", {}), (f"{KAFKA}Flatten$Value", {})))
    assert found.value is None
    assert found.problems == ("transform t0 (Encrypt) is not known: its columns are not claimed",)


def test_a_pattern_that_cannot_be_read_makes_the_columns_unknown():
    found = apply_transforms(ORDER, config((f"{KAFKA}RegexRouter", {"regex": "(", "replacement": ""})))
    assert "has a pattern that cannot be read" in found.problems[0]


def test_the_new_record_state_is_the_row_after_the_change_with_the_fields_asked_for():
    step = (
        f"{DEBEZIUM}ExtractNewRecordState",
        {"add.fields": "op,source.lsn,table:tbl", "delete.tombstone.handling.mode": "rewrite"},
    )
    assert shape(apply_transforms(envelope("id", "amount"), config(step))) == {
        "id": ["id"],
        "amount": ["amount"],
        "__op": [],
        "__source_lsn": [],
        "__tbl": [],
        "__deleted": [],
    }


OUTBOX = envelope("id", "aggregatetype", "payload", "tenant", topic="crm.public.outbox")


@pytest.mark.parametrize(
    ("options", "topic", "expected"),
    [
        ({}, "outbox.event.*", {"value": ["payload"]}),
        ({"route.topic.replacement": "events_${routedByValue}"}, "events_*", {"value": ["payload"]}),
        ({"table.field.event.payload": "tenant"}, "outbox.event.*", {"value": ["tenant"]}),
        (
            {"table.fields.additional.placement": "tenant:envelope:customer,id:header"},
            "outbox.event.*",
            {"payload": ["payload"], "customer": ["tenant"]},
        ),
    ],
)
def test_the_outbox_router_takes_the_payload(options, topic, expected):
    found = apply_transforms(OUTBOX, config((f"{DEBEZIUM}outbox.EventRouter", options)))
    assert (found.topic, shape(found)) == (topic, expected)


def test_an_expanded_payload_is_not_known():
    step = (f"{DEBEZIUM}outbox.EventRouter", {"table.expand.json.payload": "true"})
    found = apply_transforms(OUTBOX, config(step))
    assert found.value is None
    assert "expanded JSON payload" in found.problems[0]


def test_steps_work_on_a_value_that_is_not_known():
    steps = [(f"{KAFKA}{name}$Value", {"field": "x", "spec": "x:int8", "fields": "x"}) for name in (
        "Flatten", "Cast", "MaskField", "HoistField", "ReplaceField", "ExtractField", "InsertField")]  # fmt: skip
    assert apply_transforms(Record("t", None), config(*steps)).value is None
