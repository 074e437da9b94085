"""Observers against the real thing: a Kafka Connect worker with Debezium, a broker and Postgres."""

import json
import tempfile
import urllib.error
import urllib.request
from datetime import UTC
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest
import schema_registry
from airflow_cases import run_cases
from connect_worker import MissingError, broker, class_path, wait_for, worker
from postgres_server import free_port
from registry_document import NEEDED, OPENAPI, recorded, violations
from transform_cases import CASES, SCHEMA, config, sql, topic

from airflow_lineage_provider.ingest.decoders import Decoders
from airflow_lineage_provider.ingest.lake import Lake
from airflow_lineage_provider.ingest.lake_to_bronze import load_landed
from airflow_lineage_provider.ingest.topic import Topic
from airflow_lineage_provider.ingest.topic_to_lake import land_topic
from airflow_lineage_provider.systems.http import JsonApi
from airflow_lineage_provider.systems.kafka_connect.client import KEPT, Connector
from airflow_lineage_provider.systems.kafka_connect.record import FieldOrigin, Record, RecordField
from airflow_lineage_provider.systems.kafka_connect.sources import source_kind
from airflow_lineage_provider.systems.kafka_connect.transforms import (
    TRANSFORMS,
    TransformStep,
    apply_transforms,
)
from airflow_lineage_provider.systems.schemas.registry import SchemaRegistryClient
from tests.ingest.streams import warehouse

pytestmark = pytest.mark.e2e
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


@pytest.fixture(scope="module")
def connect(postgres):
    """A worker and a broker, beside tables in Postgres."""
    try:
        class_path()
    except MissingError as missing:
        pytest.skip(str(missing))
    execute(postgres, TABLES + sql() + MOVED)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        with broker(base, free_port()) as bootstrap, worker(base, bootstrap, free_port()) as url:
            yield SimpleNamespace(folder=base, bootstrap=bootstrap, url=url, postgres=postgres)


def execute(postgres, statements):
    """Run SQL and return the rows of its last statement."""
    connection = psycopg2.connect(
        host=postgres["PGHOST"],
        port=postgres["PGPORT"],
        user=postgres["PGUSER"],
        password=postgres["PGPASSWORD"],
        dbname=postgres["PGDATABASE"],
    )
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statements)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.fixture(scope="module")
def cases(connect):
    """The outcome of each case, by one Airflow, and the records that the worker wrote."""
    base, bootstrap, url, postgres = connect.folder, connect.bootstrap, connect.url, connect.postgres
    call(url, "PUT", "connectors/envelope/config", debezium(postgres, "crm"))
    call(url, "PUT", "connectors/flat/config", transformed(postgres))
    call(url, "PUT", "connectors/paused/config", debezium(postgres, "paused"))
    wait_for(lambda: states(url) == {"RUNNING"})
    call(url, "PUT", "connectors/paused/pause")
    call(url, "PUT", "connectors/failed/config", failing(postgres))
    call(url, "PUT", f"connectors/{SCHEMA}/config", debezium(postgres, SCHEMA, **config()))
    topics = ["crm.shop.orders", "crm.shop.customers", "raw_orders", "raw_customers"]
    wait_for(lambda: set(topics[:2]) <= set(used(url, "envelope")))
    wait_for(lambda: set(topics[2:]) <= set(used(url, "flat")))
    made = {topic(case) for case in CASES} | {OUTBOX}
    wait_for(lambda: "FAILED" in task_states(url, SCHEMA) or made <= set(used(url, SCHEMA)))
    assert task_states(url, SCHEMA) == ["RUNNING"], call(url, "GET", f"connectors/{SCHEMA}/status")
    records = consume(bootstrap, [*topics, *made])
    wait_for(lambda: call(url, "GET", "connectors/paused/status")["connector"]["state"] == "PAUSED")
    wait_for(lambda: "FAILED" in task_states(url, "failed"))
    connections = {
        "connect": {
            "conn_type": "kafka_connect",
            "host": url,
            "extra": {"bootstrap_servers": bootstrap},
        },
        "source": {
            "conn_type": "postgres",
            "host": postgres["PGHOST"],
            "port": int(postgres["PGPORT"]),
            "login": postgres["PGUSER"],
            "password": postgres["PGPASSWORD"],
            "schema": postgres["PGDATABASE"],
        },
    }
    given = {
        name: CONNECT
        | {
            "operator": {
                "conn_id": "connect",
                "connectors": [name],
                "source_conn_ids": {name: "source"},
            }
        }
        for name in ("envelope", "flat", "paused", "failed", SCHEMA)
    }
    environ = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(conn) for name, conn in connections.items()}
    return run_cases(base / "airflow", given, environ), records, postgres


@pytest.fixture(scope="module")
def captured(connect):
    """The topic of each converter, which has the same changes, and the exchanges with the registry."""
    server = schema_registry.serve(connect.folder / "schemas.json")
    registry = f"http://127.0.0.1:{server.server_address[1]}"
    exchanges = recorded(server)
    json_records = {f"{part}.converter": f"{JSON}" for part in ("key", "value")}
    avro_records = {f"{part}.converter": AVRO for part in ("key", "value")} | {
        f"{part}.converter.schema.registry.url": registry for part in ("key", "value")
    }
    modes = {"avro": (avro_records, "rewrite"), "json": (json_records, "tombstone")}
    unwrapped = "transforms.unwrap."
    for name, (converters, mode) in modes.items():
        more = {
            "table.include.list": "moved.orders",
            "transforms": "unwrap",
            f"{unwrapped}type": "io.debezium.transforms.ExtractNewRecordState",
            f"{unwrapped}delete.tombstone.handling.mode": mode,
        }
        call(
            connect.url,
            "PUT",
            f"connectors/{name}/config",
            {**debezium(connect.postgres, name), "decimal.handling.mode": "precise", **converters, **more},
        )
    wait_for(lambda: all("moved" in "".join(used(connect.url, name)) for name in modes))
    execute(connect.postgres, CHANGES)
    topics = {name: Topic(f"{name}.moved.orders", {"bootstrap.servers": connect.bootstrap}) for name in modes}
    wait_for(lambda: all(sum(s.end for s in one.spans({})) == CHANGED for one in topics.values()))
    yield topics, Decoders(SchemaRegistryClient(JsonApi(registry, "Schema Registry"))), exchanges
    server.shutdown()


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


@pytest.mark.parametrize(
    ("case", "topics"),
    [("envelope", ["crm.shop.orders", "crm.shop.customers"]), ("flat", ["raw_orders", "raw_customers"])],
)
def test_the_columns_that_are_claimed_are_those_that_the_worker_wrote(cases, case, topics):
    """Debezium's own `source` block is one field to the observer, and `before` of an insert is empty."""
    outcomes, records, _ = cases
    claimed = outputs(outcomes[case])
    assert set(claimed) == set(topics)
    for name in topics:
        written = {
            path for path in leaves(records[name]) if not path.startswith(("source.", "ts_us", "ts_ns"))
        }
        told = {path for path in claimed[name] if not path.startswith(("before.", "source"))}
        assert told == written - {"before", "source"}, name


@pytest.mark.parametrize("case", CASES)
def test_a_transform_makes_the_columns_that_the_worker_wrote(cases, case):
    """What is null in the record, such as `before`, has no columns in it."""
    outcomes, records, _ = cases
    record = records[topic(case)]
    blocks = ("before", "source", "transaction", "ts_us", "ts_ns")
    written = {path for path in leaves(record) if not path.startswith(blocks)}
    claimed = {path for path in outputs(outcomes[SCHEMA])[topic(case)] if not path.startswith(blocks)}
    assert claimed == written


def test_the_outbox_router_routes_to_the_topic_and_makes_the_envelope_that_is_claimed(cases):
    outcomes, records, _ = cases
    claimed = outputs(outcomes[SCHEMA])[OUTBOX]
    assert set(claimed) == set(leaves(records[OUTBOX])) == {"payload", "region", "kind"}
    assert {name: source[0][0] for name, source in claimed.items()} == {
        "payload": "payload",
        "region": "region",
        "kind": "type",
    }


def test_a_topic_of_a_timestamp_and_its_columns_are_those_that_the_worker_wrote(connect):
    """By the source of files, whose records have a time: Debezium's have none, and fail this transform."""
    (connect.folder / "lines.txt").write_text("one\ntwo\n")
    transforms = {
        "transforms": "hoist,put,route",
        "transforms.hoist.type": f"{KAFKA}HoistField$Value",
        "transforms.hoist.field": "line",
        "transforms.put.type": f"{KAFKA}InsertField$Value",
        "transforms.put.timestamp.field": "written_at",
        "transforms.route.type": f"{KAFKA}TimestampRouter",
        "transforms.route.topic.format": "lines-${timestamp}",
        "transforms.route.timestamp.format": "yyyy",
    }
    source = {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "file": str(connect.folder / "lines.txt"),
        "topic": "lines",
    }
    call(connect.url, "PUT", "connectors/lines/config", source | transforms)
    (written,) = wait_for(lambda: used(connect.url, "lines"))
    claimed = apply_transforms(Record("lines", RecordField("", "string")), transforms)
    assert fnmatchcase(written, claimed.topic), (written, claimed.topic)
    assert written != claimed.topic
    record = consume(connect.bootstrap, [written])[written]
    assert {field.name for field in claimed.fields} == set(record)


class Asked(dict):
    """Options that note which of them are read."""

    def __init__(self, given):
        super().__init__(given)
        self.names = set()

    def get(self, key, default=None):
        self.names.add(key)
        return super().get(key, default)

    def __getitem__(self, key):
        self.names.add(key)
        return super().__getitem__(key)


OLDER = {"whitelist", "blacklist", "delete.handling.mode"}
"""Options of older versions, which the worker has no longer."""


@pytest.mark.parametrize("kind", [kind for kind in TRANSFORMS if not kind.startswith("io.confluent.")])
def test_each_option_that_is_read_is_one_that_the_worker_has_and_the_client_keeps(connect, kind):
    """No fault of spelling is hidden by an option's default, and none is lost with the secrets."""
    part = "$Value" if f"{kind}$Value" in plugins(connect.url) else ""
    known = {one["name"] for one in call(connect.url, "GET", f"connector-plugins/{kind}{part}/config")}
    row = (RecordField("amount", "", (FieldOrigin("amount"),)), RecordField("payload", "string"))
    for fields in (row, (RecordField("after", "record", fields=row), RecordField("op", "string"))):
        options = Asked({"spec": "amount:string", "fields": "amount"})
        options |= {"add.fields": "op", "table.fields.additional.placement": "amount:envelope"}
        record = Record("a.b.c", RecordField("", "record", fields=fields))
        TRANSFORMS[kind](record, TransformStep("t", kind, "Value", options))
        assert options.names - OLDER <= known
        assert all(KEPT.fullmatch(f"transforms.t.{name}") for name in options.names)


@pytest.mark.parametrize("name", ["postgresql.PostgresConnector", "mysql.MySqlConnector"])
def test_each_option_of_debezium_that_is_read_is_one_that_the_connector_has(connect, name):
    kind, _ = source_kind({"connector.class": f"io.debezium.connector.{name}"})
    known = {
        one["name"]
        for one in call(connect.url, "GET", f"connector-plugins/io.debezium.connector.{name}/config")
    }
    options = Asked({"connector.class": f"io.debezium.connector.{name}", "column.exclude.list": "a.b.c"})
    read = Connector("c", "source", "RUNNING", options, topics=("a.b.c",))
    kind.candidates(read)
    kind.selects(options, ("shop", "orders"))
    kind.read(options, ("shop", "orders"), [("amount", "int")])
    older = {name for name in options.names if name.endswith((".whitelist", ".blacklist", "server.name"))}
    known |= {"connector.class", "database.dbname"}  # MySQL has no database above its schemas
    assert options.names - older <= known
    assert all(KEPT.fullmatch(name) for name in options.names)


def plugins(url):
    return {one["class"] for one in call(url, "GET", "connector-plugins?connectorsOnly=false")}


def test_a_table_whose_records_are_filtered_out_has_no_lineage(cases):
    outcomes, _, _ = cases
    assert topic("filtered") not in outputs(outcomes[SCHEMA])
    assert f"no record of {SCHEMA}.case_filtered has reached a topic" in outcomes[SCHEMA].log


def test_a_transform_that_is_not_known_makes_the_columns_unknown_and_the_event_says_so(cases):
    outcomes, _, _ = cases
    ends = [event for event in outcomes[SCHEMA].events if event["job"]["name"].endswith(".case_unknown")]
    (output,) = ends[-1]["outputs"]
    assert output["name"] == topic("unknown")
    assert "columnLineage" not in output["facets"]
    assert "(TimezoneConverter) is not known: its columns are not claimed" in json.dumps(ends[-1])


def test_each_column_is_made_of_its_column_of_the_table(cases):
    outcomes, _, _ = cases
    flat = outputs(outcomes["flat"])["raw_orders"]
    assert {name: source[0][0] for name, source in flat.items() if source} == {
        "order_id": "order_id",
        "amount": "amount",
        "order_status": "status",
    }
    assert flat["order_id"][0][1]["subtype"] == "TRANSFORMATION"
    assert flat["__op"] == flat["came_from"] == []
    assert outputs(outcomes["envelope"])["crm.shop.orders"]["after.amount"][0][0] == "amount"


def test_a_masked_column_is_masked_in_the_record_and_in_the_event(cases):
    outcomes, records, _ = cases
    assert records["raw_customers"]["email"] != "a@example.com"
    ((_, how),) = outputs(outcomes["flat"])["raw_customers"]["email"]
    assert how["masking"] is True


def test_types_are_those_of_the_database(cases):
    outcomes, _, postgres = cases
    event = next(e for e in outcomes["envelope"].events if e["job"]["name"] == "envelope.shop.orders")
    (source,) = event["inputs"]
    assert source["name"] == f"{postgres['PGDATABASE']}.shop.orders"
    types = {field["name"]: field["type"] for field in source["facets"]["schema"]["fields"]}
    assert types == {"order_id": "BIGINT", "amount": "NUMERIC(10, 2)", "status": "TEXT", "internal": "TEXT"}


@pytest.mark.parametrize(
    ("case", "said"),
    [("paused", "connector paused is paused: resume it"), ("failed", "connector failed: task 0 has failed:")],
)
def test_a_connector_that_does_not_run_fails_the_task_and_claims_no_lineage(cases, case, said):
    outcomes, _, _ = cases
    assert outcomes[case].error.startswith(said), outcomes[case].error
    assert outputs(outcomes[case]) == {}


def test_the_password_is_in_no_log_and_no_event(cases):
    outcomes, _, postgres = cases
    for outcome in outcomes.values():
        assert postgres["PGPASSWORD"] not in outcome.log + json.dumps(outcome.events)


@pytest.mark.parametrize("converter", ["avro", "json"])
def test_what_debezium_captured_reaches_bronze_row_by_row(connect, captured, tmp_path, converter):
    """Types keep their meaning; a deleted row is a tombstone, whichever way the connector says so."""
    topics, decoders, _ = captured
    lake = Lake(str(tmp_path / "lake"))
    landed = land_topic(topics[converter], decoders, lake, lambda _line: None, changes=True)
    assert landed.counts["dead_letters"] == 0
    target = warehouse(tmp_path / "warehouse.duckdb")
    try:
        load_landed(
            lake,
            topics[converter].name,
            target,
            "bronze.orders",
            "order_id",
            lambda _line: None,
            changes=True,
        )
        live = target.query(f"select {COLUMNS} from bronze.orders where _op <> 'D' order by order_id")
        gone = target.query("select order_id from bronze.orders where _op = 'D'")
    finally:
        target.close()
    expected = execute(connect.postgres, f"select {COLUMNS} from moved.orders order by order_id")
    assert [comparable(row) for row in live] == [comparable(row) for row in expected]
    assert gone == []  # order 3 came and went before the first load


def comparable(row):
    """Return a row with JSON as an object, bytes as bytes and moments in one zone."""
    *values, content, extra = row
    moments = [value.astimezone(UTC) if getattr(value, "tzinfo", None) else value for value in values]
    loaded = json.loads(extra) if isinstance(extra, str) else extra
    return [*moments, bytes(content) if content is not None else None, loaded]


def test_connect_s_avro_converter_works_with_the_registry_stand_in(captured):
    _, _, exchanges = captured
    registered = [path for method, path, *_ in exchanges if method == "POST"]
    assert {"/subjects/avro.moved.orders-key/versions", "/subjects/avro.moved.orders-value/versions"} <= set(
        registered
    )


@pytest.mark.skipif(not OPENAPI.exists(), reason=NEEDED)
def test_what_the_converter_and_the_stand_in_say_is_in_the_openapi_document(captured):
    _, _, exchanges = captured
    for exchange in exchanges:
        assert violations(exchange) == [], exchange
