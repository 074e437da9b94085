# ruff: noqa: E501 - a case is a row
"""Connectors as movements of data: tables, topics, files, and what is not claimed."""

from dataclasses import replace

import pytest
from connect_case import CONTEXT, DEBEZIUM, EVENT, RUNNING, S3, WITH_SCHEMA, columns, lineage, ways
from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.systems.jdbc import parse_jdbc, without_credentials
from airflow_lineage_provider.systems.kafka_connect.client import ConnectTask


def test_debezium_is_a_job_a_table_from_its_row_to_the_envelope():
    observations, problems = lineage("source", DEBEZIUM)
    assert problems == []
    assert ways(observations) == {
        ("crm.public.orders", "kafka://kafka:9092", "crm.public.orders"),
        ("crm.public.customers", "kafka://kafka:9092", "crm.public.customers"),
    }
    orders = observations[0]
    assert orders.movement.job_namespace == "kafka-connect://connect:8083"
    assert orders.movement.job_name == "c.public.orders"
    assert columns(orders)["after.amount"] == ["amount"]
    assert columns(orders)["op"] == []
    assert [field.type for field in orders.movement.inputs[0].fields] == ["BIGINT", "NUMERIC(10, 2)"]


UNWRAP = {
    "transforms": "unwrap,route",
    "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
    "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
    "transforms.route.regex": r"crm\.public\.(.*)",
    "transforms.route.replacement": "raw_$1",
}


def test_transforms_give_the_topic_and_its_columns():
    observations, _ = lineage("source", DEBEZIUM | UNWRAP)
    assert {name for _, _, name in ways(observations)} == {"raw_orders", "raw_customers"}
    assert columns(observations[0]) == {"order_id": ["order_id"], "amount": ["amount"]}


@pytest.mark.parametrize(
    ("kind", "setting", "value"),
    [
        ("source", "database.hostname", "${env:CRM_HOST}"),
        ("source", "database.dbname", "${file:/opt/crm.properties:dbname}"),
        ("source", "topic.prefix", "${vault:secret/data/connect:prefix}_crm"),
        ("sink", "s3.bucket.name", "${env:BUCKET}"),
    ],
)
def test_what_a_config_provider_sets_is_not_known_and_not_claimed(kind, setting, value):
    config = DEBEZIUM if kind == "source" else S3_SINK | {"topics": "events"}
    observations, problems = lineage(kind, config | {setting: value})
    assert observations == []
    assert problems == [
        f"connector c: {setting} is set by a config provider, which the worker alone reads: its lineage is not claimed"
    ]


def test_a_placeholder_of_the_connector_itself_is_no_config_provider():
    given = {"topics": "events", "table.name.format": "raw_${topic}"}
    observations, _ = lineage("sink", JDBC_SINK | given, replace(CONTEXT, schemas={"events": EVENT}))
    assert [name for _, _, name in ways(observations)] == ["shop.public.raw_events"]


def routed(kind, **options):
    return {"transforms": "r", "transforms.r.type": kind} | {
        f"transforms.r.{name}": value for name, value in options.items()
    }


BY_VALUE = routed("io.confluent.connect.transforms.ExtractTopic$Value", field="kind")
BY_TIME = routed("org.apache.kafka.connect.transforms.TimestampRouter")
BY_FIELD = routed("io.debezium.transforms.ExtractNewRecordState", **{"route.by.field": "kind"})
S3_SINK = {"connector.class": "io.confluent.connect.s3.S3SinkConnector", "s3.bucket.name": "lake"}
JDBC_SINK = {
    "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
    "connection.url": "jdbc:postgresql://db/shop",
}


@pytest.mark.parametrize("transform", [BY_VALUE, BY_FIELD], ids=["ExtractTopic", "route.by.field"])
def test_a_topic_that_a_value_names_is_not_claimed(transform):
    observations, problems = lineage("source", DEBEZIUM | transform, topics=("crm.public.orders", "paid"))
    assert observations == []
    assert problems[0] == (
        "connector c: the records of public.orders go to topics that their values name: its lineage is not claimed"
    )


@pytest.mark.parametrize(
    ("sink", "transform", "target"),
    [
        (S3_SINK, BY_VALUE, None),
        (JDBC_SINK, BY_VALUE, None),
        (JDBC_SINK, BY_TIME, None),
        (S3_SINK, BY_TIME, "topics/events-*"),
    ],
    ids=["S3 by value", "a table by value", "a table by time", "S3 by time"],
)
def test_a_sink_whose_records_go_where_their_values_say_claims_no_table(sink, transform, target):
    context = replace(CONTEXT, schemas={"events": EVENT})
    observations, problems = lineage("sink", sink | {"topics": "events"} | transform, context)
    assert [name for _, _, name in ways(observations)] == ([target] if target else [])
    assert ("go where their values say" in "".join(problems)) is (target is None)


@pytest.mark.parametrize(
    ("given", "tables"),
    [
        ({"table.include.list": r"public\.ord.*"}, {"orders"}),
        ({"table.include.list": "", "table.exclude.list": "public.secrets"}, {"orders", "customers"}),
        ({"table.include.list": "", "schema.exclude.list": "public"}, set()),
        ({"table.include.list": "PUBLIC.ORDERS"}, {"orders"}),
        ({"table.include.list": "(, public.orders"}, {"orders"}),
    ],
    ids=["a regex", "exclude", "schema", "whatever case", "a broken regex"],
)
def test_debezium_selects_tables_by_regular_expressions(given, tables):
    observations, _ = lineage("source", DEBEZIUM | given)
    assert {name.rpartition(".")[2] for name, _, _ in ways(observations)} == tables


def test_columns_are_left_out_and_masked_as_debezium_is_told():
    observations, _ = lineage(
        "source",
        DEBEZIUM
        | UNWRAP
        | {
            "column.exclude.list": r"public\.orders\.order_id",
            "column.mask.with.5.chars": "public.customers.email",
        },
    )
    orders, customers = observations
    assert list(columns(orders)) == ["amount"]
    assert customers.movement.columns["email"][0].masking


def test_without_the_database_the_tables_are_those_named_and_the_columns_unknown():
    observations, _ = lineage("source", DEBEZIUM, replace(CONTEXT, columns=None))
    assert len(observations) == 2
    assert columns(observations[0]) is None
    (problem,) = observations[0].movement.problems
    assert (
        problem
        == "connector c: the columns of crm.public.orders are not known: give the connection of its database"
    )


def test_without_the_database_a_regex_is_answered_by_the_topics_in_use():
    context = replace(CONTEXT, columns=None)
    given = DEBEZIUM | {"table.include.list": "public.o.*"}
    observations, _ = lineage("source", given, context, topics=("crm.public.orders", "crm.public.x", "other"))
    assert ways(observations) == {("crm.public.orders", "kafka://kafka:9092", "crm.public.orders")}
    assert lineage("source", given, context)[1] == [
        "connector c: its tables are not known: give the connection of its database"
    ]


def test_a_table_whose_topic_has_no_record_is_said_and_not_claimed():
    observations, problems = lineage("source", DEBEZIUM, topics=("crm.public.orders",))
    assert [name for name, _, _ in ways(observations)] == ["crm.public.orders"]
    assert problems == [
        "connector c: no record of public.customers has reached a topic crm.public.customers yet"
    ]


def test_an_outbox_reaches_each_topic_that_is_in_use():
    router = {
        "transforms": "outbox",
        "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
        "table.include.list": "public.orders",
        "transforms.outbox.table.field.event.payload": "amount",
    }
    observations, _ = lineage(
        "source", DEBEZIUM | router, topics=("outbox.event.order", "outbox.event.user", "x")
    )
    assert {name for _, _, name in ways(observations)} == {"outbox.event.order", "outbox.event.user"}
    assert len({one.movement.job_name for one in observations}) == 2
    assert columns(observations[0]) == {"value": ["amount"]}


def test_mysql_names_its_tables_by_the_database():
    mysql = {
        "connector.class": "io.debezium.connector.mysql.MySqlConnector",
        "database.hostname": "shop-db",
        "topic.prefix": "shop",
        "table.include.list": "shop.orders",
    }
    observations, _ = lineage("source", mysql, replace(CONTEXT, columns=None))
    (movement,) = [one.movement for one in observations]
    assert (movement.inputs[0].name.namespace, movement.inputs[0].name.name) == (
        "mysql://shop-db:3306",
        "shop.orders",
    )
    assert movement.outputs[0].name.name == "shop.shop.orders"


JDBC = {
    "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
    "connection.url": "jdbc:postgresql://crm-db/crm",
    "topic.prefix": "jdbc-",
    "table.whitelist": "orders",
}


def test_a_jdbc_source_reads_tables_into_flat_records():
    observations, _ = lineage("source", JDBC)
    assert ways(observations) == {("crm.public.orders", "kafka://kafka:9092", "jdbc-orders")}
    assert columns(observations[0]) == {"order_id": ["order_id"], "amount": ["amount"]}


@pytest.mark.parametrize(
    ("kind", "config", "said"),
    [
        (
            "source",
            JDBC | {"query": "select 1"},
            "it reads a query and not tables: its lineage is not claimed",
        ),
        ("source", JDBC | {"connection.url": "x"}, "its connection.url is of no form that is known"),
        (
            "source",
            {"connector.class": "com.acme.Source"},
            "connectors of class com.acme.Source are not supported",
        ),
        (
            "sink",
            {"connector.class": "com.acme.Sink", "topics": "t"},
            "connectors of class com.acme.Sink are not",
        ),
        ("sink", {}, "connectors of class unknown are not supported"),
        (
            "sink",
            {"connector.class": "io.confluent.connect.s3.S3SinkConnector", "topics.regex": "x.*"},
            "no topic matches its configuration: nothing is written",
        ),
    ],
)
def test_what_is_not_understood_is_said_and_not_claimed(kind, config, said):
    observations, (problem,) = lineage(kind, config)
    assert observations == []
    assert problem.startswith(f"connector c: {said}")


@pytest.mark.parametrize(
    ("state", "tasks", "expected", "said"),
    [
        ("RUNNING", RUNNING, RunState.COMPLETE, ""),
        ("PAUSED", (), RunState.ABORT, "connector c is paused: resume it"),
        ("STOPPED", (), RunState.ABORT, "connector c is stopped: resume it"),
        ("RUNNING", (), RunState.ABORT, "connector c has no running task"),
        ("FAILED", RUNNING, RunState.FAIL, "connector c has failed: see the log of its worker"),
        (
            "RUNNING",
            (*RUNNING, ConnectTask(1, "FAILED", "no slot")),
            RunState.FAIL,
            "connector c: task 1 has failed: no slot",
        ),
    ],
)
def test_the_state_of_connector_and_tasks_is_the_state_of_its_jobs(state, tasks, expected, said):
    (observation,), _ = lineage("sink", S3, WITH_SCHEMA, state=state, tasks=tasks)
    assert observation.state is expected
    assert observation.error.startswith(said)


FAILED = (ConnectTask(0, "FAILED", "no slot"),)


@pytest.mark.parametrize(
    ("kind", "config", "jobs"),
    [
        ("source", DEBEZIUM, ["c.public.orders", "c.public.customers"]),
        ("source", {"connector.class": "com.acme.Source"}, ["c"]),
        ("sink", S3, ["c.customer-events-prod"]),
        ("sink", S3 | {"topics": ""}, ["c"]),
    ],
)
def test_a_failed_connector_is_said_also_where_it_has_moved_nothing(kind, config, jobs):
    observations, _ = lineage(kind, config, tasks=FAILED, topics=())
    assert [one.movement.job_name for one in observations] == jobs
    assert {one.error for one in observations} == {"connector c: task 0 has failed: no slot"}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("jdbc:postgresql://h:1/d?currentSchema=s&password=p", ("postgres", "h", 1, "d", "s")),
        ("jdbc:sqlserver://h:1433;databaseName=d;user=u;password=p", ("sqlserver", "h", 1433, "d", "dbo")),
        ("jdbc:oracle:thin:scott/tiger@h:1521:ORCL", ("oracle", "h", 1521, "ORCL", "")),
        ("jdbc:oracle:thin:@//h/ORCL", ("oracle", "h", None, "ORCL", "")),
        ("jdbc:mariadb://u:p@h/d", ("mysql", "h", None, "d", "")),
        ("jdbc:redshift://h:5439/d", ("redshift", "h", 5439, "d", "public")),
    ],
)
def test_jdbc_urls(url, found):
    for given in (url, without_credentials(url)):
        parsed = parse_jdbc(given)
        assert (parsed.engine, parsed.host, parsed.port, parsed.database, parsed.schema) == found
    for secret in ("password", "tiger", "u:p"):
        assert secret not in without_credentials(url)
