"""KafkaToLakeOperator and LakeToBronzeOperator in a real Airflow: what they move, say and claim."""

import json
from types import SimpleNamespace

import pytest

from tests.operators.airflow_cases import run_cases

from .conftest import PROJECT
from .streams import Stream, event

PASSWORD = "pass-that-nobody-prints"
LAND = {"class": "ingest.KafkaToLakeOperator"}
LOAD = {"class": "ingest.LakeToBronzeOperator"}
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def cases(event_stream, servers, tmp_path_factory):
    """The outcome of every case, by one Airflow; `load` follows `land`."""
    base = tmp_path_factory.mktemp("operators")
    stream = Stream(event_stream, servers, base / "lake")
    stream.produce([event(number) for number in range(30)])
    kafka = {"bootstrap.servers": servers.brokers}
    connections = {
        "kafka": {"conn_type": "kafka", "extra": kafka | {"error_cb": "some.function"}},
        "wrong": {"conn_type": "kafka", "extra": kafka | {"sasl.pasword": PASSWORD}},
        "no_brokers": {"conn_type": "kafka", "password": PASSWORD},
        "registry": {"conn_type": "schema_registry", "host": servers.registry},
        "down": {"conn_type": "schema_registry", "host": NOWHERE, "login": "u", "password": PASSWORD},
        "s3": {"conn_type": "aws", "login": "key", "password": PASSWORD, "extra": {"endpoint_url": NOWHERE}},
    }
    land = {
        "topic": stream.name,
        "lake": str(base / "lake"),
        "kafka_conn_id": "kafka",
        "registry_conn_id": "registry",
    }
    load = {
        "topic": stream.name,
        "lake": str(base / "lake"),
        "table": "bronze.raw_events",
        "key": "event_id",
        "project_dir": str(PROJECT),
        "profiles_dir": str(PROJECT),
    }
    given = {
        "land": LAND | {"operator": land},
        "load": LOAD | {"operator": load},
        "again": LOAD | {"operator": load},
        "wrong_setting": LAND | {"operator": land | {"kafka_conn_id": "wrong"}},
        "no_brokers": LAND | {"operator": land | {"kafka_conn_id": "no_brokers"}},
        "no_connection": LAND | {"operator": land | {"kafka_conn_id": "nobody"}},
        "no_topic": LAND | {"operator": land | {"topic": "nowhere"}},
        "registry_down": LAND
        | {"operator": land | {"registry_conn_id": "down", "lake": str(base / "other")}},
        "s3_down": LOAD | {"operator": load | {"lake": "s3://lake/events", "s3_conn_id": "s3"}},
        "no_key": LOAD | {"operator": load | {"key": None, "changes": True}},
        "bad_table": LOAD | {"operator": load | {"table": "a; drop table b"}},
    }
    environ = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(conn) for name, conn in connections.items()}
    environ |= {"LINEAGE_DEMO_DATA": str(base / "data")}
    found = run_cases(base / "airflow", given, environ)
    return SimpleNamespace(outcomes=found, base=base, topic=stream.name)


def columns(outcome):
    """Return the source of each column that the COMPLETE of a move claims."""
    (end,) = [one for one in outcome.events if one["eventType"] == "COMPLETE"]
    (output,) = end["outputs"]
    fields = output["facets"]["columnLineage"]["fields"]
    return {name: [source["field"] for source in made["inputFields"]] for name, made in fields.items()}


def test_a_topic_is_landed_and_loaded_with_its_lineage(cases):
    land, load, again = (cases.outcomes[name] for name in ("land", "load", "again"))
    assert land.returned["moved"][cases.topic]["rows"] == 30
    assert load.returned["moved"]["bronze.raw_events"] == {"rows": 30, "redelivered": 0}
    assert again.returned["moved"]["bronze.raw_events"]["rows"] == 0
    assert (
        columns(land)["page_url"] == columns(load)["page_url"] == columns(again)["page_url"] == ["page_url"]
    )
    assert columns(load)["kafka_offset"] == ["kafka_offset"]
    assert columns(land)["kafka_offset"] == columns(load)["_loaded_at"] == []


@pytest.mark.parametrize(
    ("case", "said", "again"),
    [
        ("wrong_setting", "the settings of Kafka (connection 'wrong') cannot be used: No such", False),
        ("no_brokers", "connection 'no_brokers' has no 'bootstrap.servers' in its extra", False),
        ("no_connection", "nobody", False),
        ("no_topic", "(connection 'kafka') have no topic 'nowhere': check its name", True),
        ("registry_down", f"Schema Registry (connection 'down') at {NOWHERE} cannot be reached", True),
        ("s3_down", "s3://lake/events", True),
        ("no_key", "bronze.raw_events: changes are loaded by a key", False),
        ("bad_table", "is not named as schema.table", False),
    ],
)
def test_a_system_that_fails_is_one_line_and_claims_no_lineage(cases, case, said, again):
    outcome = cases.outcomes[case]
    assert outcome.state == "failed"
    assert said in outcome.error
    assert ("AirflowFailException" not in outcome.log) is again
    assert [one["eventType"] for one in outcome.events if one["eventType"] == "COMPLETE"] == []
    for one in outcome.events:
        assert all("columnLineage" not in output.get("facets", {}) for output in one["outputs"])


def test_a_landing_that_failed_left_no_file(cases):
    assert list((cases.base / "other").glob("*.parquet")) == []


def test_no_secret_is_in_a_log_or_an_event(cases):
    for outcome in cases.outcomes.values():
        assert PASSWORD not in outcome.log + json.dumps(outcome.events) + json.dumps(outcome.returned)
