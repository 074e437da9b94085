# ruff: noqa: E501 - a case is a row
"""KafkaConnectLineageOperator and KafkaTopicLineageOperator in a real Airflow: what their tasks do and commit."""

import json

import pytest
from airflow_cases import run_cases
from http_stub import http_server
from registry import Registry, registry_server

PASSWORD = "pass-that-nobody-prints"
CONNECT = {"class": "kafka_connect.KafkaConnectLineageOperator"}
TOPIC = {"class": "kafka_topic.KafkaTopicLineageOperator"}
V1 = {
    "type": "record",
    "name": "Event",
    "fields": [{"name": "id", "type": "string"}, {"name": "page_url", "type": "string"}],
}
V2 = V1 | {"fields": V1["fields"][:1]}
MAP = """
document: {title: Shop}
sources:
  kafka:
    type: kafka
    kind: topic
    datasets: {events: {to: bronze.events, format: Avro, columns: [id, page_url]}}
layers: {bronze: {tables: {events: {columns: [id, page_url]}}}}
policy: {POLICY}
environments:
  prod:
    bindings:
      - {dataset: "kafka.{topic}", namespace: "kafka://*", name: "{topic}"}
      - {dataset: "{layer}.{table}", namespace: "snowflake://*", name: "*.{layer}.{table}"}
"""


class Evolving(Registry):
    """A registry in which a topic gets its second version when it is looked at for the second time."""

    def __init__(self):
        super().__init__()
        self.looks = {}

    def answer(self, method, path, query, body):
        status, found = super().answer(method, path, query, body)
        if path.endswith("/versions") and method == "GET" and status == 200:
            self.looks[path] = self.looks.get(path, 0) + 1
            return 200, found[: self.looks[path]]
        return status, found


def connector(name, kind, config, state="RUNNING", trace=None):
    status = {
        "name": name,
        "connector": {"state": state, "worker_id": "w"},
        "tasks": [{"id": 0, "state": "FAILED" if trace else "RUNNING", "worker_id": "w", "trace": trace}],
        "type": kind,
    }
    info = {
        "name": name,
        "config": config | {"name": name, "x.password": PASSWORD},
        "tasks": [],
        "type": kind,
    }
    return {"info": {"info": info}, "status": {"status": status}}


CONNECTORS = {
    "lake": connector(
        "lake",
        "sink",
        {
            "connector.class": "io.confluent.connect.s3.S3SinkConnector",
            "topics": "connect-events",
            "s3.bucket.name": "data-lake",
            "topics.dir": "bronze",
        },
    ),
    "broken": connector(
        "broken",
        "sink",
        {"connector.class": "io.confluent.connect.s3.S3SinkConnector", "topics": "connect-events"},
        trace=f"java.lang.Exception: no bucket for {PASSWORD}\n\tat x",
    ),
    "strange": connector("strange", "sink", {"connector.class": "com.acme.Sink", "topics": "t"}),
}


def worker(path, query):
    if path == "/":
        return 200, {"version": "4.3.0", "commit": "", "kafka_cluster_id": ""}
    if path == "/connectors":
        return 200, {name: one[query.removeprefix("expand=")] for name, one in CONNECTORS.items()}
    if path.endswith("/topics"):
        name = path.split("/")[2]
        return 200, {name: {"topics": ["connect-events"]}}
    return 404, {}


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """The outcome of every case, by one Airflow."""
    base = tmp_path_factory.mktemp("kafka")
    (base / "map.yaml").write_text(MAP.replace("POLICY", ""))
    (base / "lenient.yaml").write_text(MAP.replace("POLICY", "field-removed: warning"))
    parties = "connect-events: {to: bronze.events, producer: Web shop, consumer: Flink → Iceberg}"
    events = "events: {to: bronze.events, format: Avro, columns: [id, page_url]}"
    (base / "parties.yaml").write_text(MAP.replace("POLICY", "").replace(events, parties))
    registry = Evolving()
    for subject in ("connect-events-value", "events-value", "lenient-value"):
        registry.register(subject, V1)
        registry.register(subject, V2)
    registry.register("json-value", '{"type": "object", "properties": {"id": {"type": "string"}}}', "JSON")
    with http_server(worker) as connect, registry_server(registry) as url:
        connections = {
            "connect": {
                "conn_type": "kafka_connect",
                "host": connect,
                "password": PASSWORD,
                "extra": {"bootstrap_servers": "kafka:9092"},
            },
            "no_brokers": {"conn_type": "kafka_connect", "host": connect},
            "down": {
                "conn_type": "kafka_connect",
                "host": "http://127.0.0.1:9",
                "extra": {"bootstrap_servers": "k:1"},
            },
            "registry": {"conn_type": "schema_registry", "host": url},
        }
        topic = {"bootstrap_servers": "kafka:9092", "conn_id": "registry", "environment": "prod"}
        documented = topic | {"map_path": str(base / "map.yaml")}
        given = {
            "lake": CONNECT | {"operator": {"connectors": ["lake"], "schema_registry_conn_id": "registry"}},
            "strange": CONNECT | {"operator": {"connectors": ["strange"]}},
            "broken": CONNECT | {"operator": {"connectors": ["broken"]}},
            "unknown": CONNECT | {"operator": {"connectors": ["nobody"]}},
            "no_brokers": CONNECT | {"operator": {"conn_id": "no_brokers"}},
            "down": CONNECT | {"operator": {"conn_id": "down"}},
            "first": TOPIC | {"operator": documented | {"topic": "events"}},
            "changed": TOPIC | {"operator": documented | {"topic": "events"}},
            "again": TOPIC | {"operator": documented | {"topic": "events"}},
            "lenient_first": TOPIC | {"operator": documented | {"topic": "lenient"}},
            "lenient": TOPIC
            | {"operator": topic | {"topic": "lenient", "map_path": str(base / "lenient.yaml")}},
            "parties": TOPIC
            | {"operator": topic | {"topic": "connect-events", "map_path": str(base / "parties.yaml")}},
            "no_topic": TOPIC | {"operator": topic | {"topic": "nobody"}},
        }
        for case in given.values():
            if case["class"] == CONNECT["class"]:
                case["operator"].setdefault("conn_id", "connect")
        environ = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(conn) for name, conn in connections.items()}
        yield run_cases(base / "airflow", given, environ)


def test_a_sink_is_a_job_a_topic_with_the_columns_of_its_schema(cases):
    assert cases["lake"].state == "success"
    start, end = cases["lake"].events
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert end["job"]["name"] == "lake.connect-events"
    (source,), (target,) = end["inputs"], end["outputs"]
    assert (source["namespace"], source["name"]) == ("kafka://kafka:9092", "connect-events")
    assert (target["namespace"], target["name"]) == ("s3://data-lake", "bronze/connect-events")
    assert set(target["facets"]["columnLineage"]["fields"]) == {"id"}
    assert cases["lake"].returned["jobs"] == {"COMPLETE": 1}


def test_a_connector_that_is_not_understood_is_said_and_the_task_goes_on(cases):
    assert cases["strange"].state == "success"
    assert cases["strange"].events == []
    (problem,) = cases["strange"].returned["problems"]
    assert (
        problem
        == "connector strange: connectors of class com.acme.Sink are not supported: its lineage is not claimed"
    )
    assert problem in cases["strange"].log


def test_a_failed_task_is_committed_and_fails_the_task_to_be_tried_again(cases):
    broken = cases["broken"]
    assert broken.error == "connector broken: task 0 has failed: java.lang.Exception: no bucket for ***"
    assert "AirflowFailException" not in broken.log
    end = broken.events[-1]
    assert end["eventType"] == "FAIL"
    assert end["run"]["facets"]["errorMessage"]["message"] == broken.error


@pytest.mark.parametrize(
    ("case", "said", "again"),
    [
        ("unknown", "has no connector nobody; it has broken, lake, strange", False),
        ("no_brokers", "connection 'no_brokers' has no bootstrap_servers in its extra", False),
        ("down", "Kafka Connect (connection 'down') at http://127.0.0.1:9 cannot be reached", True),
        ("no_topic", "has no subject nobody-value: check the topic and subject_strategy", False),
    ],
)
def test_what_cannot_be_read_is_one_line_and_claims_nothing(cases, case, said, again):
    assert said in cases[case].error
    assert ("AirflowFailException" not in cases[case].log) is again
    assert cases[case].events == []


def test_the_first_look_reports_no_change(cases):
    assert cases["first"].returned["versions"] == {"events-value": 1}
    assert cases["first"].returned["findings"] == []
    (topic,) = cases["first"].events[-1]["inputs"]
    assert (topic["namespace"], topic["name"]) == ("kafka://kafka:9092", "events")
    assert [field["name"] for field in topic["facets"]["schema"]["fields"]] == ["id", "page_url"]
    assert topic["facets"]["version"]["datasetVersion"] == "events-value:1"


def test_a_change_fails_the_task_once_and_names_what_it_reaches(cases):
    assert cases["changed"].error == (
        "field-removed: version 2 of events-value removed the field page_url; it reaches bronze.events.page_url"
    )
    assert "AirflowFailException" in cases["changed"].log
    assert cases["again"].state == "success"
    assert cases["again"].returned["findings"] == []


def test_the_documented_parties_of_a_topic_are_held_to_the_jobs_that_were_seen(cases):
    ran = cases["parties"]
    assert ran.state == "success"
    (finding,) = ran.returned["findings"]
    assert finding.startswith(
        "consumer-differs: kafka.connect-events is documented with the consumer 'Flink', and "
        "lake.connect-events (KAFKA_CONNECT) reads it"
    )
    assert ran.returned["unchecked"] == [
        "producer 'Web shop' of kafka.connect-events: no event says which job writes it"
    ]


def test_the_maps_policy_weighs_a_change(cases):
    assert cases["lenient"].state == "success"
    assert cases["lenient"].returned["findings"][0].startswith("field-removed: version 2 of lenient-value")


def test_no_secret_is_in_a_log_or_an_event(cases):
    for case in cases.values():
        assert PASSWORD not in case.log + json.dumps(case.events) + json.dumps(case.returned)
