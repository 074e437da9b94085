"""DmsReplicationLineageOperator in a real Airflow: what its task does, says and commits."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from airflow_cases import run_cases
from dms import CREDENTIALS, PASSWORD, REGION, aws_server, client, create_task, statistics

from tests.support.postgres_server import create_database, execute

CLASS = {"class": "dms.DmsReplicationLineageOperator"}
MAP = """
document: {title: Shop}
sources:
  crm:
    type: postgres
    extraction: {sla: < 5 minute latency}
    datasets: {public.orders: bronze.raw_orders}
layers: {bronze: {tables: [raw_orders]}}
"""
DATABASE = "dms_source"


def create_tables(postgres):
    create_database(postgres, DATABASE)
    execute(
        postgres | {"PGDATABASE": DATABASE},
        "create table public.orders (order_id bigint, amount numeric(10, 2), at timestamptz)",
    )


@pytest.fixture(scope="module")
def cases(tmp_path_factory, postgres):
    """The outcome of every case, by one Airflow."""
    create_tables(postgres)
    base = tmp_path_factory.mktemp("dms")
    (base / "map.yaml").write_text(MAP)
    answers = {
        "DescribeTableStatistics": {"TableStatistics": [statistics()]},
        "DescribeReplicationConfigs": {"ReplicationConfigs": []},
    }
    with aws_server(answers) as url:
        dms, cloudwatch = (client(service, endpoint_url=url) for service in ("dms", "cloudwatch"))
        for name in ("crm", "slow", "stopped", "broken"):
            arn = create_task(dms, name, mappings={"rules": 1} if name == "broken" else MAPPED)
            if name != "stopped":
                dms.start_replication_task(
                    ReplicationTaskArn=arn, StartReplicationTaskType="start-replication"
                )
        at = datetime.now(UTC) - timedelta(minutes=1)
        for name, seconds in (("crm", 4.0), ("slow", 301.0)):
            dimensions = [{"Name": "ReplicationTaskIdentifier", "Value": name}]
            metric = {"MetricName": "CDCLatencyTarget", "Value": seconds, "Timestamp": at}
            cloudwatch.put_metric_data(Namespace="AWS/DMS", MetricData=[metric | {"Dimensions": dimensions}])
        connections = {
            "aws": aws_connection(url),
            "nobody": aws_connection("http://127.0.0.1:9"),
            "source": {
                "conn_type": "postgres",
                "host": postgres["PGHOST"],
                "port": int(postgres["PGPORT"]),
                "login": postgres["PGUSER"],
                "password": postgres["PGPASSWORD"],
                "schema": DATABASE,
            },
            "no_database": {"conn_type": "http", "host": "example.com"},
        }
        documented = {"map_path": str(base / "map.yaml"), "source": "crm"}
        given = {
            "complete": {"replication": "crm", "source_conn_id": "source", **documented},
            "again": {"replication": "crm", "source_conn_id": "source"},
            "late": {"replication": "slow", "source_conn_id": "source", **documented},
            "late_by_argument": {"replication": "crm", "latency_sla": "2 seconds"},
            "no_columns": {"replication": "crm"},
            "stopped": {"replication": "stopped"},
            "unknown": {"replication": "nothing"},
            "unreachable": {"replication": "crm", "aws_conn_id": "nobody"},
            "bad_mappings": {"replication": "broken"},
            "bad_source": {"replication": "crm", "source_conn_id": "no_database"},
            "bad_sla": {"replication": "crm", "latency_sla": "soon"},
        }
        yield run_cases(
            base / "airflow",
            {name: CLASS | {"operator": {"aws_conn_id": "aws", **case}} for name, case in given.items()},
            {f"AIRFLOW_CONN_{name.upper()}": json.dumps(conn) for name, conn in connections.items()},
        )


MAPPED = {
    "rules": [
        {
            "rule-type": "selection",
            "rule-action": "include",
            "object-locator": {"schema-name": "public", "table-name": "%"},
        },
        {
            "rule-type": "transformation",
            "rule-target": "column",
            "rule-action": "rename",
            "object-locator": {"schema-name": "public", "table-name": "orders", "column-name": "amount"},
            "value": "order_amount",
        },
    ]
}


def aws_connection(url):
    return {
        "conn_type": "aws",
        "login": CREDENTIALS["aws_access_key_id"],
        "password": CREDENTIALS["aws_secret_access_key"],
        "extra": {
            "region_name": REGION,
            "endpoint_url": url,
            "config_kwargs": {"retries": {"total_max_attempts": 1}},
        },
    }


def test_a_replication_is_a_job_a_table_with_columns_types_and_rows(cases):
    start, end = cases["complete"].events
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert end["job"]["name"] == "crm.public.orders"
    assert end["job"]["namespace"].startswith("arn:aws:dms:eu-west-1:")
    (source,), (target,) = end["inputs"], end["outputs"]
    assert (source["namespace"], source["name"]) == ("postgres://crm-db:5432", "crm.public.orders")
    assert [(field["name"], field["type"]) for field in source["facets"]["schema"]["fields"]] == [
        ("order_id", "BIGINT"),
        ("amount", "NUMERIC(10, 2)"),
        ("at", "TIMESTAMP WITH TIME ZONE"),
    ]
    assert (target["namespace"], target["name"]) == ("s3://data-lake", "bronze/public/orders")
    lineage = target["facets"]["columnLineage"]["fields"]
    assert [source["field"] for source in lineage["order_amount"]["inputFields"]] == ["amount"]
    assert target["outputFacets"]["outputStatistics"]["rowCount"] == 115


def test_the_next_look_counts_the_rows_since_the_last(cases):
    (_, end) = cases["again"].events
    assert end["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 0
    assert end["outputs"][0]["facets"]["version"]["datasetVersion"] == "115"


def test_the_task_returns_what_it_saw(cases):
    done = cases["complete"]
    assert done.state == "success"
    assert done.returned["jobs"] == {"COMPLETE": 1}
    assert done.returned["latency"] == {"CDCLatencyTarget": 4.0}
    assert done.returned["events"] == 2


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("late", "sla-missed: CDCLatencyTarget of slow is 301 s, and '< 5 minute latency' is documented"),
        ("late_by_argument", "sla-missed: CDCLatencyTarget of crm is 4 s, and '2 seconds' is documented"),
        ("stopped", "DMS replication stopped is creating: start it"),
        ("unreachable", "connection 'nobody': AWS cannot be reached"),
    ],
)
def test_what_may_mend_itself_is_tried_again(cases, case, error):
    assert cases[case].state == "up_for_retry" or "AirflowException" in cases[case].log
    assert cases[case].error.startswith(error)
    assert "AirflowFailException" not in cases[case].log


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("unknown", "connection 'aws': DMS has no replication task and no serverless replication 'nothing'"),
        ("bad_mappings", "DMS replication broken: its table mappings cannot be read"),
        ("bad_source", "connection 'no_database' is of type 'http'; a source database is postgres"),
        ("bad_sla", "'soon' does not name one duration"),
    ],
)
def test_what_no_retry_mends_fails_for_good_and_claims_nothing(cases, case, error):
    assert cases[case].error.startswith(error)
    assert "AirflowFailException" in cases[case].log
    assert cases[case].events == []


def test_lateness_does_not_take_the_lineage_away(cases):
    assert [event["eventType"] for event in cases["late"].events] == ["START", "COMPLETE"]


def test_what_does_not_run_claims_no_columns(cases):
    end = cases["stopped"].events[-1]
    assert end["eventType"] == "ABORT"
    assert "columnLineage" not in end["outputs"][0]["facets"]


def test_without_a_connection_to_the_source_the_event_says_that_columns_are_not_known(cases):
    (error,) = cases["no_columns"].events[-1]["run"]["facets"]["extractionError"]["errors"]
    assert error["errorMessage"] == "crm: the columns of public.orders are not known: give source_conn_id"
    assert cases["no_columns"].returned["problems"] == [error["errorMessage"]]


def test_no_secret_is_in_a_log_or_an_event(cases, postgres):
    for case in cases.values():
        told = case.log + json.dumps(case.events) + json.dumps(case.returned)
        for secret in (PASSWORD, CREDENTIALS["aws_secret_access_key"], postgres["PGPASSWORD"]):
            assert secret not in told
