"""The DMS client against moto, and against stubs that botocore's service model validates."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.stub import Stubber
from dms import PASSWORD, client, create_task, statistics
from moto import mock_aws
from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.systems.dms.client import DmsClient, DmsEndpoint, Replication, TableStatistics
from airflow_lineage_provider.systems.dms.lineage import dms_lineage, endpoint_dataset, rows_since
from airflow_lineage_provider.systems.errors import SystemReadError

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAME = "connection 'aws'"


@pytest.fixture
def aws():
    with mock_aws():
        yield client("dms"), client("cloudwatch")


def stubbed(*answers):
    """Return a client whose DMS gives these answers: (operation, answer, expected parameters)."""
    dms, cloudwatch = client("dms"), client("cloudwatch")
    stubber = Stubber(dms)
    for operation, answer, expected in answers:
        stubber.add_response(operation, answer, expected)
    stubber.activate()
    return DmsClient(dms, cloudwatch, NAME), stubber


def test_a_task_is_read_with_its_endpoints_and_without_their_secrets(aws):
    create_task(aws[0])
    found = DmsClient(*aws, NAME).replication("crm-to-lake")
    assert (found.identifier, found.serverless, found.kind) == ("crm-to-lake", False, "full-load-and-cdc")
    assert found.engine_version == "3.5.3"
    assert (found.source.engine, found.source.host, found.source.port) == ("postgres", "crm-db", 5432)
    assert found.target.settings["BucketName"] == "data-lake"
    assert PASSWORD not in repr(found)


def test_an_unknown_replication_is_one_line_that_names_connection_and_region():
    missing = {"Filters": [{"Name": "replication-config-id", "Values": ["crm"]}], "MaxRecords": 100}
    found, stubber = stubbed(
        ("describe_replication_tasks", {"ReplicationTasks": []}, None),
        ("describe_replication_configs", {"ReplicationConfigs": []}, missing),
    )
    with pytest.raises(
        SystemReadError, match=r"^connection 'aws': DMS has no replication task and no serverless"
    ):
        found.replication("crm")
    stubber.assert_no_pending_responses()


CONFIG_ARN = "arn:aws:dms:eu-west-1:123456789012:replication-config:ABC"


def test_a_serverless_replication_is_read_with_its_state():
    def endpoint(arn, **more):
        asked = {"Filters": [{"Name": "endpoint-arn", "Values": [arn]}], "MaxRecords": 100}
        return ("describe_endpoints", {"Endpoints": [{"EndpointIdentifier": arn, **more}]}, asked)

    found, stubber = stubbed(
        ("describe_replication_tasks", {"ReplicationTasks": []}, None),
        (
            "describe_replication_configs",
            {
                "ReplicationConfigs": [
                    {
                        "ReplicationConfigIdentifier": "crm",
                        "ReplicationConfigArn": CONFIG_ARN,
                        "SourceEndpointArn": "source",
                        "TargetEndpointArn": "target",
                        "ReplicationType": "cdc",
                        "TableMappings": '{"rules": []}',
                    }
                ]
            },
            None,
        ),
        (
            "describe_replications",
            {"Replications": [{"Status": "failed", "FailureMessages": ["source gone", "target gone"]}]},
            {"Filters": [{"Name": "replication-config-arn", "Values": [CONFIG_ARN]}], "MaxRecords": 100},
        ),
        endpoint("source", EngineName="oracle", OracleSettings={"ServerName": "ora", "DatabaseName": "ORCL"}),
        endpoint(
            "target",
            EngineName="kafka",
            KafkaSettings={"Broker": "b1:9092,b2:9092", "SaslPassword": PASSWORD},
        ),
    )
    replication = found.replication("crm")
    stubber.assert_no_pending_responses()
    assert (replication.serverless, replication.status) == (True, "failed")
    assert replication.error == "source gone; target gone"
    assert (replication.source.host, replication.source.database) == ("ora", "ORCL")
    assert PASSWORD not in repr(replication)


def test_all_pages_of_table_statistics_are_read():
    found, stubber = stubbed(
        (
            "describe_table_statistics",
            {"TableStatistics": [statistics("orders")], "Marker": "next"},
            {"ReplicationTaskArn": "arn", "MaxRecords": 100},
        ),
        (
            "describe_table_statistics",
            {"TableStatistics": [statistics("customers", FullLoadRows=0)]},
            {"ReplicationTaskArn": "arn", "MaxRecords": 100, "Marker": "next"},
        ),
    )
    rows = found.table_statistics(replication(arn="arn"))
    stubber.assert_no_pending_responses()
    assert [(row.table, row.rows) for row in rows] == [("orders", 115), ("customers", 15)]


def test_serverless_statistics_have_an_operation_of_their_own():
    found, stubber = stubbed(
        (
            "describe_replication_table_statistics",
            {"ReplicationTableStatistics": [statistics()]},
            {"ReplicationConfigArn": CONFIG_ARN, "MaxRecords": 100},
        ),
    )
    (row,) = found.table_statistics(replication(arn=CONFIG_ARN, serverless=True))
    stubber.assert_no_pending_responses()
    assert row.rows == 115


@pytest.mark.parametrize("identified_by", ["crm", "RESOURCE"])
def test_the_newest_latency_is_read_by_identifier_or_resource_id(aws, identified_by):
    dimensions = [
        {"Name": "ReplicationInstanceIdentifier", "Value": "instance"},
        {"Name": "ReplicationTaskIdentifier", "Value": identified_by},
    ]
    other = [{"Name": "ReplicationTaskIdentifier", "Value": "another"}]
    now = datetime.now(UTC)
    for minutes, value, where in ((20, 900.0, dimensions), (2, 4.0, dimensions), (1, 5000.0, other)):
        data = {"MetricName": "CDCLatencyTarget", "Value": value, "Dimensions": where}
        at = now - timedelta(minutes=minutes)
        aws[1].put_metric_data(Namespace="AWS/DMS", MetricData=[data | {"Timestamp": at}])
    found = DmsClient(*aws, NAME).latency(
        replication(identifier="crm", arn="arn:aws:dms:eu-west-1:1:task:RESOURCE"), now
    )
    assert found == {"CDCLatencyTarget": 4.0}


@pytest.mark.parametrize(
    ("code", "status", "unreachable", "said"),
    [
        ("ThrottlingException", 400, True, "AWS answers ThrottlingException (slow down)"),
        ("InternalFailure", 500, True, "AWS answers InternalFailure (slow down)"),
        (
            "AccessDeniedException",
            403,
            False,
            "AWS refuses the credentials (AccessDeniedException): allow dms:",
        ),
        ("InvalidParameterValueException", 400, False, "AWS answers InvalidParameterValueException"),
    ],
)
def test_what_aws_refuses_is_one_line_and_busy_is_tried_again(code, status, unreachable, said):
    dms = client("dms")
    stubber = Stubber(dms)
    stubber.add_client_error("describe_table_statistics", code, "slow\ndown", http_status_code=status)
    stubber.activate()
    with pytest.raises(SystemReadError) as found:
        DmsClient(dms, client("cloudwatch"), NAME).table_statistics(replication())
    assert str(found.value).startswith(f"{NAME}: {said}")
    assert "\n" not in str(found.value)
    assert found.value.unreachable is unreachable


def test_nobody_answers():
    dms = client("dms", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(
        SystemReadError, match=r"^connection 'aws': AWS cannot be reached .*check region"
    ) as found:
        DmsClient(dms, client("cloudwatch"), NAME).replication("crm")
    assert found.value.unreachable


CRM = DmsEndpoint("crm", "aurora-postgresql", "crm-db", 5432, "crm")
LAKE = DmsEndpoint("lake", "s3", settings={"BucketName": "data-lake", "BucketFolder": "/bronze/"})
INCLUDE_ALL = (
    '{"rules": [{"rule-type": "selection", "rule-action": "include",'
    ' "object-locator": {"schema-name": "%", "table-name": "%"}}]}'
)


def replication(**given):
    defaults = {
        "identifier": "crm",
        "arn": "arn:aws:dms:eu-west-1:123456789012:task:ABC",
        "serverless": False,
        "kind": "full-load-and-cdc",
        "status": "running",
        "table_mappings": INCLUDE_ALL,
        "source": CRM,
        "target": LAKE,
    }
    return Replication(**defaults | given)


ORDERS = TableStatistics("public", "orders", "Table completed", 100, 10, 5, 2)
COLUMNS = {("public", "orders"): [("order_id", "BIGINT"), ("amount", "NUMERIC(10, 2)")]}


def only(lineage):
    (observation,) = lineage.observations
    return observation


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        (CRM, DatasetName("postgres://crm-db:5432", "crm.public.Orders")),
        (DmsEndpoint("m", "mysql", "my", None, ""), DatasetName("mysql://my:3306", "public.Orders")),
        (
            DmsEndpoint("o", "oracle", "ora", 1521, "ORCL"),
            DatasetName("oracle://ora:1521", "ORCL.public.Orders"),
        ),
        (
            DmsEndpoint("s", "sqlserver", "ms", 1433, "crm"),
            DatasetName("mssql://ms:1433", "crm.public.Orders"),
        ),
        (
            DmsEndpoint("r", "redshift", "wh.abc.eu-west-1.redshift.amazonaws.com", 5439, "dw"),
            DatasetName("redshift://wh.eu-west-1:5439", "dw.public.orders"),
        ),
        (LAKE, DatasetName("s3://data-lake", "bronze/public/Orders")),
        (
            DmsEndpoint("k", "kafka", settings={"Broker": "b1:9092,b2:9092", "Topic": "cdc"}),
            DatasetName("kafka://b1:9092", "cdc"),
        ),
        (
            DmsEndpoint("k", "kafka", settings={"Broker": "b1:9092"}),
            DatasetName("kafka://b1:9092", "kafka-default-topic"),
        ),
    ],
    ids=lambda value: value.engine if isinstance(value, DmsEndpoint) else "",
)
def test_each_engine_is_named_as_openlineage_names_it(endpoint, name):
    assert endpoint_dataset(endpoint, "public", "Orders") == name


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        (DmsEndpoint("x", "mongodb", "m"), "its engine 'mongodb' is not supported"),
        (DmsEndpoint("x", "postgres"), "does not show its server"),
    ],
)
def test_an_endpoint_that_has_no_name_is_one_line(endpoint, said):
    with pytest.raises(SystemReadError, match=said):
        endpoint_dataset(endpoint, "public", "orders")


def test_a_table_on_s3_has_the_operation_and_the_commit_time_that_dms_adds():
    settings = LAKE.settings | {"TimestampColumnName": "committed_at"}
    target = DmsEndpoint("lake", "s3", settings=settings)
    movement = only(dms_lineage(replication(target=target), [ORDERS], COLUMNS, NOW)).movement
    (output,) = movement.outputs
    assert [field.name for field in output.fields] == ["Op", "committed_at", "order_id", "amount"]
    assert {name: [s.column for s in made] for name, made in movement.columns.items()} == {
        "Op": [],
        "committed_at": [],
        "order_id": ["order_id"],
        "amount": ["amount"],
    }
    assert output.rows == 115


@pytest.mark.parametrize(("last", "rows"), [(100, 15), (115, 0), (0, 115), (400, 115)])
def test_rows_are_those_since_the_last_look_unless_the_replication_began_anew(last, rows):
    seen = only(dms_lineage(replication(), [ORDERS], COLUMNS, NOW))
    assert seen.movement.outputs[0].version == "115"
    assert rows_since(seen, last).movement.outputs[0].rows == rows


def test_a_type_is_kept_only_where_source_and_target_are_of_one_engine():
    same = only(dms_lineage(replication(target=CRM), [ORDERS], COLUMNS, NOW)).movement.outputs[0]
    other = only(dms_lineage(replication(), [ORDERS], COLUMNS, NOW)).movement.outputs[0]
    assert [field.type for field in same.fields] == ["BIGINT", "NUMERIC(10, 2)"]
    assert [field.type for field in other.fields][1:] == ["", ""]


def test_kafka_holds_the_columns_in_data():
    target = DmsEndpoint("k", "kafka", settings={"Broker": "b1:9092"})
    movement = only(dms_lineage(replication(target=target), [ORDERS], COLUMNS, NOW)).movement
    assert set(movement.columns) == {"data.order_id", "data.amount"}
    assert [field.name for field in movement.outputs[0].fields[0].fields] == ["order_id", "amount"]


def test_without_the_sources_columns_the_event_says_what_to_give():
    movement = only(dms_lineage(replication(), [ORDERS], None, NOW)).movement
    assert movement.columns is None
    assert movement.problems == ("crm: the columns of public.orders are not known: give source_conn_id",)


def test_a_name_that_is_not_certain_is_not_claimed():
    twice = INCLUDE_ALL.replace(
        "]}",
        ', {"rule-type": "transformation", "rule-target": "table", "rule-action": "convert-uppercase"}'
        ', {"rule-type": "transformation", "rule-target": "table", "rule-action": "add-prefix"}]}',
    )
    movement = only(dms_lineage(replication(table_mappings=twice), [ORDERS], COLUMNS, NOW)).movement
    assert movement.outputs == ()
    assert movement.columns is None
    assert "matches 2 naming rules" in movement.problems[0]


@pytest.mark.parametrize(
    ("given", "table", "state", "said"),
    [
        ({}, "Table completed", RunState.COMPLETE, ""),
        ({}, "Full load", RunState.COMPLETE, ""),
        ({"kind": "full-load", "status": "stopped"}, "Table completed", RunState.COMPLETE, ""),
        ({}, "Before load", RunState.ABORT, "nothing has been loaded yet"),
        ({}, "Table error", RunState.FAIL, "public.orders is in state 'Table error'"),
        (
            {"status": "stopped", "stop_reason": "by user"},
            "Table completed",
            RunState.ABORT,
            "is stopped (by user)",
        ),
        ({"status": "failed", "error": "no slot"}, "Table completed", RunState.FAIL, "has failed: no slot"),
        ({"status": "creating"}, "Before load", RunState.ABORT, "is creating: start it"),
    ],
)
def test_the_state_of_the_replication_and_of_the_table_is_the_state_of_the_job(given, table, state, said):
    statistics = TableStatistics("public", "orders", table)
    observation = only(dms_lineage(replication(**given), [statistics], COLUMNS, NOW))
    assert observation.state is state
    assert said in observation.error


def test_a_table_without_statistics_is_said_and_not_claimed():
    named = INCLUDE_ALL.replace('"table-name": "%"', '"table-name": "orders"').replace(
        '"schema-name": "%"', '"schema-name": "public"'
    )
    lineage = dms_lineage(replication(table_mappings=named), [], COLUMNS, NOW)
    assert lineage.observations == ()
    assert lineage.problems == (
        "DMS replication crm selects public.orders, but DMS has no statistics of it: nothing was replicated",
    )


def test_a_table_that_is_no_longer_selected_is_said_and_not_claimed():
    lineage = dms_lineage(replication(table_mappings='{"rules": []}'), [ORDERS], COLUMNS, NOW)
    assert lineage.observations == ()
    assert "no longer select public.orders" in lineage.problems[0]
