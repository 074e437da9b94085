"""Tables, connectors and records for the tests that run a Kafka Connect worker."""

import json
import urllib.error
import urllib.request

from connect_worker import wait_for

OUTBOX = "outbox.event.order"
AVRO = "io.confluent.connect.avro.AvroConverter"
JSON = "org.apache.kafka.connect.json.JsonConverter"
CONNECT = {"class": "kafka_connect.KafkaConnectLineageOperator"}
KAFKA = "org.apache.kafka.connect.transforms."
TABLES = """
drop schema if exists shop cascade;
create schema shop;
create table shop.orders (order_id bigint primary key, amount numeric(10, 2), status text, internal text);
create table shop.customers (customer_id bigint primary key, email text);
insert into shop.orders values (1, 9.50, 'paid', 'x');
insert into shop.customers values (1, 'a@example.com');
"""
MOVED = """
drop schema if exists moved cascade;
create schema moved;
create table moved.orders (
  order_id bigint primary key, amount numeric(10, 2), note text, paid boolean, rate double precision,
  ordered_at timestamp, updated_at timestamptz, due date, at_time time, content bytea, extra jsonb
);
insert into moved.orders values
  (1, 9.50, 'ä', true, 0.5, '2025-07-01 12:30:00.123456', '2025-07-01 12:30:00.5+02',
   '2025-07-02', '08:30', 'ab', '{"a": 1}'),
  (2, -0.01, '', false, null, '1969-12-31 23:59:59', '1969-12-31 23:59:59+00',
   '1969-12-31', '00:00', '', null),
  (3, null, null, null, null, null, null, null, null, null, null);
"""
CHANGES = """
update moved.orders set amount = 7.25, note = 'changed' where order_id = 2;
delete from moved.orders where order_id = 3;
insert into moved.orders (order_id, amount) values (4, 4), (5, 5);
delete from moved.orders where order_id = 5;
"""
CHANGED = 8
"""How many records each topic has then: three of the snapshot, five of the changes."""
COLUMNS = "order_id, amount, note, paid, rate, ordered_at, updated_at, due, at_time, content, extra"


def debezium(postgres, name, **more):
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": postgres["PGHOST"],
        "database.port": postgres["PGPORT"],
        "database.user": postgres["PGUSER"],
        "database.password": postgres["PGPASSWORD"],
        "database.dbname": postgres["PGDATABASE"],
        "topic.prefix": name,
        "plugin.name": "pgoutput",
        "publication.name": f"{name}_publication",
        "slot.name": f"{name}_slot",
        "table.include.list": "shop.orders,shop.customers",
        "decimal.handling.mode": "string",
    } | more


def transformed(postgres):
    """Return a connector whose transformations change topics, names, columns and values."""
    return debezium(
        postgres,
        "flat",
        **{
            "column.exclude.list": "shop.orders.internal",
            "transforms": "unwrap,route,ren,mask,cast,put",
            "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            "transforms.unwrap.add.fields": "op,source.ts_ms",
            "transforms.route.type": f"{KAFKA}RegexRouter",
            "transforms.route.regex": r"flat\.shop\.(.*)",
            "transforms.route.replacement": "raw_$1",
            "transforms.ren.type": f"{KAFKA}ReplaceField$Value",
            "transforms.ren.renames": "status:order_status",
            "transforms.mask.type": f"{KAFKA}MaskField$Value",
            "transforms.mask.fields": "email",
            "transforms.mask.predicate": "customers",
            "transforms.cast.type": f"{KAFKA}Cast$Value",
            "transforms.cast.spec": "order_id:string",
            "transforms.cast.predicate": "customers",
            "transforms.cast.negate": "true",
            "transforms.put.type": f"{KAFKA}InsertField$Value",
            "transforms.put.topic.field": "came_from",
            "predicates": "customers",
            "predicates.customers.type": f"{KAFKA}predicates.TopicNameMatches",
            "predicates.customers.pattern": "raw_customers",
        },
    )


def failing(postgres):
    """Return a connector whose task fails at the first record: a text is cast to a number."""
    return debezium(
        postgres,
        "failed",
        **{
            "transforms": "unwrap,cast",
            "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            "transforms.cast.type": f"{KAFKA}Cast$Value",
            "transforms.cast.spec": "status:int32,email:int32",
        },
    )


def call(url, method, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        f"{url}/{path}", data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


def consume(bootstrap, topics):
    """Return the first record of each topic, as the worker wrote it. The topics exist."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test"})
    known = consumer.list_topics(timeout=30).topics
    consumer.assign(
        [
            TopicPartition(topic, number, OFFSET_BEGINNING)
            for topic in topics
            for number in known[topic].partitions
        ]
    )
    found = {}

    def all_there():
        message = consumer.poll(1)
        if message is not None and not message.error() and message.value():
            value = json.loads(message.value())
            payload = value["payload"] if isinstance(value, dict) and "payload" in value else value
            if payload is not None:
                found.setdefault(message.topic(), payload)
        return set(found) == set(topics)

    try:
        wait_for(all_there)
    finally:
        consumer.close()
    return found


def states(url):
    return {state for name in ("envelope", "flat", "paused") for state in task_states(url, name) or ["NONE"]}


def task_states(url, name):
    try:
        return [task["state"] for task in call(url, "GET", f"connectors/{name}/status")["tasks"]]
    except urllib.error.HTTPError:
        return []


def used(url, name):
    return call(url, "GET", f"connectors/{name}/topics")[name]["topics"]


def outputs(case):
    """Return what each COMPLETE says of its topic: the sources of its columns."""
    found = {}
    for event in case.events:
        for output in event["outputs"] if event["eventType"] == "COMPLETE" else ():
            fields = output["facets"].get("columnLineage", {}).get("fields", {})
            found[output["name"]] = {
                name: [(source["field"], source["transformations"][0]) for source in made["inputFields"]]
                for name, made in fields.items()
            }
    return found


def leaves(record, prefix=""):
    if not isinstance(record, dict):  # a value that is no record
        record = {"value": record}
    for name, value in record.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
