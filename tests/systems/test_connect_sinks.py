# ruff: noqa: E501 - a case is a row
"""Sinks: from a topic's columns to tables and files."""

from dataclasses import replace

import pytest
from connect_case import S3, WITH_SCHEMA, columns, lineage, ways

SNOWFLAKE = {
    "connector.class": "com.snowflake.kafka.connector.SnowflakeSinkConnector",
    "topics": "customer-events-prod",
    "snowflake.url.name": "https://org-account.snowflakecomputing.com:443",
    "snowflake.database.name": "analytics",
    "snowflake.schema.name": "bronze",
    "snowflake.topic2table.map": "customer-events-prod:raw_customer_events, other:t",
}
STREAMING = SNOWFLAKE | {"connector.class": "com.snowflake.kafka.connector.SnowflakeStreamingSinkConnector"}
SINK = {
    "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector",
    "topics": "customer-events-prod",
    "connection.url": "jdbc:mysql://dw:3307/bronze?user=a&password=b",
    "table.name.format": "raw_${topic}",
}
TABLE = "ANALYTICS.BRONZE.RAW_CUSTOMER_EVENTS"


@pytest.mark.parametrize(
    ("config", "namespace", "name", "expected"),
    [
        (S3, "s3://data-lake", "bronze/customer-events-prod", {"id": ["id"], "tags": ["tags"]}),
        (
            SNOWFLAKE,
            "snowflake://org-account",
            TABLE,
            {"RECORD_METADATA": [], "RECORD_CONTENT": ["id", "tags"]},
        ),
        (
            SNOWFLAKE | {"snowflake.enable.schematization": "true"},
            "snowflake://org-account",
            TABLE,
            {"RECORD_METADATA": [], "ID": ["id"], "TAGS": ["tags"]},
        ),
        (
            STREAMING,
            "snowflake://org-account",
            TABLE,
            {"RECORD_METADATA": [], "id": ["id"], "tags": ["tags"]},
        ),
        (
            STREAMING | {"snowflake.enable.schematization": "false"},
            "snowflake://org-account",
            TABLE,
            {"RECORD_METADATA": [], "RECORD_CONTENT": ["id", "tags"]},
        ),
        (SINK, "mysql://dw:3307", "bronze.raw_customer-events-prod", {"id": ["id"], "tags": ["tags"]}),
        (
            SINK | {"fields.whitelist": "id"},
            "mysql://dw:3307",
            "bronze.raw_customer-events-prod",
            {"id": ["id"]},
        ),
    ],
)
def test_each_sink_writes_a_dataset_with_the_topics_columns(config, namespace, name, expected):
    (observation,), problems = lineage("sink", config, WITH_SCHEMA)
    (output,) = observation.movement.outputs
    assert (output.name.namespace, output.name.name) == (namespace, name)
    assert columns(observation) == expected
    assert problems == []
    assert observation.movement.job_name == "c.customer-events-prod"


@pytest.mark.parametrize(
    ("given", "table"),
    [
        ({"snowflake.topic2table.map": ""}, "CUSTOMER_EVENTS_PROD_1674141724"),
        ({"snowflake.topic2table.map": "customer-.*:events"}, "EVENTS"),
        ({"snowflake.topic2table.map": 'customer-.*:"Events"'}, "Events"),
        (
            {
                "snowflake.topic2table.map": "customer-(.*)-prod:raw_$1",
                "snowflake.topic2table.map.regex.replacement": "true",
            },
            "RAW_EVENTS",
        ),
    ],
    ids=["its own rule", "a regex", "quoted", "groups"],
)
def test_the_table_of_a_topic_in_snowflake(given, table):
    (observation,), _ = lineage("sink", SNOWFLAKE | given, WITH_SCHEMA)
    assert observation.movement.outputs[0].name.name == f"ANALYTICS.BRONZE.{table}"


def test_a_regex_of_topics_reads_those_that_are_known():
    context = replace(WITH_SCHEMA, topics=("customer-events-prod", "other"))
    observations, _ = lineage("sink", S3 | {"topics": "", "topics.regex": "customer-.*"}, context)
    assert {name for name, _, _ in ways(observations)} == {"customer-events-prod"}


def test_without_a_schema_the_columns_are_unknown_and_the_event_says_what_to_give():
    (observation,), _ = lineage("sink", S3)
    assert columns(observation) is None
    assert observation.movement.problems == (
        "connector c: the fields of topic customer-events-prod are not known: give a schema registry that has them",
    )


def test_a_key_that_is_not_in_the_value_makes_the_columns_unknown():
    (observation,), _ = lineage("sink", SINK | {"pk.mode": "record_key", "pk.fields": "key_id"}, WITH_SCHEMA)
    assert columns(observation) is None
    assert "key_id are made of the record's key" in observation.movement.problems[0]
