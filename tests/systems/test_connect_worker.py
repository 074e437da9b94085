"""Observers against the real thing: a Kafka Connect worker with Debezium, a broker and Postgres."""

import json
import tempfile
from datetime import UTC
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace

import pytest
import schema_registry
from airflow_cases import run_cases
from connect_worker import MissingError, broker, class_path, wait_for, worker
from connect_worker_case import (
    AVRO,
    CHANGED,
    CHANGES,
    COLUMNS,
    CONNECT,
    JSON,
    KAFKA,
    MOVED,
    OUTBOX,
    TABLES,
    call,
    consume,
    debezium,
    failing,
    leaves,
    outputs,
    states,
    task_states,
    transformed,
    used,
)
from postgres_server import execute, free_port
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
