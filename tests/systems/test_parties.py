"""The documented producer and consumer of a topic beside the jobs that write and read it."""

import pytest

from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.systems.parties import Parties, Party, parties_of, party_findings

TOPIC = DatasetName("kafka://kafka.example.com:9092", "events")
SINK = Party("events-to-s3", "KAFKA_CONNECT")


def event(name, *, inputs=(), outputs=(), integration="KAFKA_CONNECT", kind="CONNECTOR", **changes):
    named = [[{"namespace": one.namespace, "name": one.name} for one in side] for side in (inputs, outputs)]
    return {
        "eventType": "COMPLETE",
        "job": {
            "namespace": "kafka-connect://connect:8083",
            "name": name,
            "facets": {"jobType": {"integration": integration, "jobType": kind}},
        },
        "inputs": named[0],
        "outputs": named[1],
    } | changes


def document(**statements):
    lines = "".join(f", {key}: {text!r}" for key, text in statements.items())
    return parse_map(
        "document: {title: Shop}\n"
        "sources:\n"
        "  kafka:\n"
        "    type: kafka\n"
        f"    datasets: {{events: {{to: bronze.events{lines}}}}}\n"
        "layers: {bronze: {tables: [events]}}\n",
        "map.yaml",
    )


def test_jobs_that_completed_with_the_topic_are_its_parties():
    other = DatasetName(TOPIC.namespace, "other")
    found = parties_of(
        [
            event("debezium", outputs=[TOPIC]),
            event("events-to-s3", inputs=[TOPIC], outputs=[other]),
            event("events-to-s3", inputs=[TOPIC], outputs=[other]),
            event("elsewhere", inputs=[other]),
            event("failed", inputs=[TOPIC], eventType="FAIL"),
            event("events", inputs=[TOPIC], integration="SCHEMA_REGISTRY", kind="SCHEMA"),
            event("odd", inputs=[TOPIC], job={"namespace": "ingest", "name": "events"}),
            {"eventType": "COMPLETE", "job": None, "inputs": None, "outputs": [None]},
        ],
        TOPIC,
    )
    assert found == Parties((Party("debezium", "KAFKA_CONNECT"),), (SINK,))


@pytest.mark.parametrize(
    "consumer",
    ["Kafka Connect → S3 → Snowflake", "kafka-connect", "events-to-s3", "Kafka Connect (S3 sink)", ""],
)
def test_a_documented_consumer_is_found_by_its_name_or_its_kind(consumer):
    assert party_findings(document(consumer=consumer), "kafka.events", Parties((), (SINK,))) == ([], [])


def test_another_consumer_is_a_finding_that_names_who_reads():
    (finding,), unchecked = party_findings(
        document(consumer="Flink → Iceberg"), "kafka.events", Parties((), (SINK,))
    )
    assert str(finding) == (
        "consumer-differs: kafka.events is documented with the consumer 'Flink', and "
        "events-to-s3 (KAFKA_CONNECT) reads it (documented in map.yaml:5)"
    )
    assert unchecked == []


def test_another_producer_is_a_finding():
    found = party_findings(document(producer="Web shop"), "kafka.events", Parties((SINK,), ()))
    assert [finding.code for finding in found[0]] == ["producer-differs"]


def test_a_party_that_no_event_knows_is_said_to_be_unchecked():
    statements = document(producer="Web shop", consumer="Kafka Connect")
    assert party_findings(statements, "kafka.events", Parties()) == (
        [],
        [
            "producer 'Web shop' of kafka.events: no event says which job writes it",
            "consumer 'Kafka Connect' of kafka.events: no event says which job reads it",
        ],
    )


def test_a_topic_that_the_map_does_not_have_has_no_statements():
    assert party_findings(document(), "kafka.other", Parties((), (SINK,))) == ([], [])
