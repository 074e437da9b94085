"""DMS and CloudWatch for tests: moto, and botocore's Stubber for what moto does not have."""

import json
from contextlib import contextmanager
from threading import Thread

import boto3
import requests
from botocore.config import Config
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

CREDENTIALS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "not-a-real-secret"}
REGION = "eu-west-1"
PASSWORD = "pass-that-nobody-prints"

MAPPINGS = {
    "rules": [
        {
            "rule-type": "selection",
            "rule-id": "1",
            "rule-name": "1",
            "rule-action": "include",
            "object-locator": {"schema-name": "public", "table-name": "%"},
        },
        {
            "rule-type": "transformation",
            "rule-id": "2",
            "rule-name": "2",
            "rule-action": "add-prefix",
            "rule-target": "table",
            "object-locator": {"schema-name": "public", "table-name": "%"},
            "value": "raw_",
        },
    ]
}


def client(service, **options):
    """Return a boto3 client that does not retry, so that a fault is seen at once."""
    return boto3.client(
        service, region_name=REGION, config=Config(retries={"max_attempts": 1}), **CREDENTIALS, **options
    )


def create_task(dms, name="crm-to-lake", mappings=MAPPINGS, **source):
    """Make a replication task from a Postgres database to S3; returns its ARN."""
    dms.create_replication_instance(
        ReplicationInstanceIdentifier=f"{name}-instance",
        ReplicationInstanceClass="dms.t3.medium",
        EngineVersion="3.5.3",
    )
    instance = dms.describe_replication_instances()["ReplicationInstances"][0]["ReplicationInstanceArn"]
    from_crm = {
        "EngineName": "postgres",
        "ServerName": "crm-db",
        "Port": 5432,
        "DatabaseName": "crm",
        "Username": "dms",
        "Password": PASSWORD,
    }
    crm = dms.create_endpoint(EndpointIdentifier=f"{name}-source", EndpointType="source", **from_crm | source)
    lake = dms.create_endpoint(
        EndpointIdentifier=f"{name}-target",
        EndpointType="target",
        EngineName="s3",
        S3Settings={"BucketName": "data-lake", "BucketFolder": "bronze", "DataFormat": "parquet"},
    )
    task = dms.create_replication_task(
        ReplicationTaskIdentifier=name,
        SourceEndpointArn=crm["Endpoint"]["EndpointArn"],
        TargetEndpointArn=lake["Endpoint"]["EndpointArn"],
        ReplicationInstanceArn=instance,
        MigrationType="full-load-and-cdc",
        TableMappings=json.dumps(mappings),
    )
    return task["ReplicationTask"]["ReplicationTaskArn"]


def statistics(table="orders", state="Table completed", **counts):
    """Return a row of DescribeTableStatistics."""
    counted = {"FullLoadRows": 100, "Inserts": 10, "Updates": 5, "Deletes": 2} | counts
    return {"SchemaName": "public", "TableName": table, "TableState": state, **counted}


@contextmanager
def aws_server(answers):
    """Serve moto over HTTP; `answers` gives the bodies of DMS operations that moto does not have."""
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ, start_response):
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        if operation not in answers:
            return moto(environ, start_response)
        body = json.dumps(answers[operation]).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        # The objects of moto are the process's: those of other tests are there too.
        requests.post(f"{url}/moto-api/reset", timeout=30).raise_for_status()
        yield url
    finally:
        server.shutdown()
        thread.join()
