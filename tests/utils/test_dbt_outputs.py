"""Each type of connection as a profile, held to the adapter's own credentials class, and a table's name.

The adapters are in an environment of their own (`tests/support/dbt-adapters.txt`).
"""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from airflow_lineage_provider.dbt.profile import PREFIX, SECRET_PREFIX
from airflow_lineage_provider.dbt.records import Relation, Warehouse
from airflow_lineage_provider.events.naming import dataset_name
from airflow_lineage_provider.utils.dbt_profile import dbt_profile
from tests.support import dbt_credentials
from tests.support.environments import python_of

SECRET = "hunter2/with:odd@characters"


@dataclass(frozen=True)
class Case:
    """A connection, what the credentials class has of it, the fields that are secret, and a table's name."""

    name: str
    connection: dict
    has: dict
    secrets: tuple[str, ...] = ()
    namespace: str = ""
    table: str = "db.gold.orders"
    where: tuple[str, str] = field(default=("db", "gold"))


TRINO = {"conn_type": "trino", "host": "trino.example.com", "port": 8443, "login": "etl", "schema": "gold"}
TRINO_HAS = {"host": "trino.example.com", "port": 8443, "user": "etl", "database": "lake", "schema": "gold"}
BRICKS = {"conn_type": "databricks", "host": "https://dbc-1.cloud.databricks.com", "schema": "gold"}
BRICKS_EXTRA = {"http_path": "/sql/1.0/warehouses/ab", "catalog": "db"}
BRICKS_HAS = {"host": "dbc-1.cloud.databricks.com", "http_path": "/sql/1.0/warehouses/ab", "database": "db"}
BRICKS_NAME = "databricks://dbc-1.cloud.databricks.com"
REDSHIFT = {
    "conn_type": "redshift",
    "host": "shop.c1.eu-west-1.redshift.amazonaws.com",
    "login": "etl",
    "schema": "db",
}
REDSHIFT_HAS = {"host": REDSHIFT["host"], "port": 5439, "database": "db", "schema": "public"}
REDSHIFT_NAME = "redshift://shop.eu-west-1:5439"
MSSQL = {"conn_type": "mssql", "host": "sql.example.com", "schema": "db"}
MSSQL_HAS = {"host": "sql.example.com", "port": 1433, "database": "db", "schema": "dbo"}
CLICK = {"conn_type": "clickhouse", "host": "ch.example.com", "schema": "gold"}

CASES = [
    Case(
        "bigquery with a key",
        {
            "conn_type": "gcpbigquery",
            "schema": "gold",
            "extra": {"project": "acme", "location": "EU", "keyfile_dict": {"private_key": SECRET}},
        },
        {"database": "acme", "schema": "gold", "location": "EU", "keyfile_json": {"private_key": SECRET}},
        ("KEYFILE_JSON_PRIVATE_KEY",),
        "bigquery",
    ),
    Case(
        "bigquery with the key in a file, as another account",
        {
            "conn_type": "google_cloud_platform",
            "schema": "gold",
            "extra": {"project": "acme", "key_path": "/key.json", "impersonation_chain": "etl@acme"},
        },
        {"keyfile": "/key.json", "impersonate_service_account": "etl@acme"},
        (),
        "bigquery",
    ),
    Case(
        "databricks with a token",
        {**BRICKS, "password": SECRET, "extra": BRICKS_EXTRA},
        {**BRICKS_HAS, "token": SECRET, "schema": "gold"},
        ("TOKEN",),
        BRICKS_NAME,
    ),
    Case(
        "databricks with a service principal",
        {
            **BRICKS,
            "login": "app",
            "password": SECRET,
            "extra": {**BRICKS_EXTRA, "service_principal_oauth": "true"},
        },
        {**BRICKS_HAS, "auth_type": "oauth", "client_id": "app", "client_secret": SECRET},
        ("CLIENT_SECRET",),
        BRICKS_NAME,
    ),
    Case(
        "databricks with a service principal of Azure",
        {**BRICKS, "login": "app", "password": SECRET, "extra": {**BRICKS_EXTRA, "azure_tenant_id": "t"}},
        {**BRICKS_HAS, "azure_client_id": "app", "azure_client_secret": SECRET},
        ("AZURE_CLIENT_SECRET",),
        BRICKS_NAME,
    ),
    Case(
        "redshift with a password",
        {**REDSHIFT, "password": SECRET, "extra": {"sslmode": "require"}},
        {**REDSHIFT_HAS, "user": "etl", "password": SECRET, "sslmode": "require"},
        ("PASSWORD",),
        REDSHIFT_NAME,
    ),
    Case(
        "redshift by IAM",
        {
            **REDSHIFT,
            "extra": {
                "iam": True,
                "cluster_identifier": "shop",
                "region": "eu-west-1",
                "db_user": "loader",
                "profile": "prod",
            },
        },
        {**REDSHIFT_HAS, "method": "iam", "cluster_id": "shop", "user": "loader", "iam_profile": "prod"},
        (),
        REDSHIFT_NAME,
    ),
    Case(
        "trino without a login",
        {**TRINO, "extra": {"catalog": "lake"}},
        {**TRINO_HAS, "http_scheme": "http"},
        (),
        "trino://trino.example.com:8443",
    ),
    Case(
        "trino with a password",
        {**TRINO, "password": SECRET, "extra": {"catalog": "lake", "protocol": "https", "verify": "false"}},
        {**TRINO_HAS, "password": SECRET, "cert": False},
        ("PASSWORD",),
        "trino://trino.example.com:8443",
    ),
    Case(
        "trino with a token",
        {**TRINO, "extra": {"catalog": "lake", "auth": "jwt", "jwt__token": SECRET, "verify": "/ca.pem"}},
        {**TRINO_HAS, "jwt_token": SECRET, "cert": "/ca.pem"},
        ("JWT_TOKEN",),
        "trino://trino.example.com:8443",
    ),
    Case(
        "trino with a certificate",
        {
            **TRINO,
            "extra": {
                "catalog": "lake",
                "auth": "certs",
                "certs__client_cert_path": "/c.pem",
                "certs__client_key_path": "/k.pem",
            },
        },
        {**TRINO_HAS, "client_certificate": "/c.pem", "client_private_key": "/k.pem"},
        (),
        "trino://trino.example.com:8443",
    ),
    Case(
        "trino by Kerberos",
        {
            **TRINO,
            "extra": {
                "catalog": "lake",
                "auth": "kerberos",
                "kerberos__principal": "etl@ACME",
                "kerberos__service_name": "presto",
                "kerberos__config": "/krb5.conf",
            },
        },
        {**TRINO_HAS, "principal": "etl@ACME", "service_name": "presto", "krb5_config": "/krb5.conf"},
        (),
        "trino://trino.example.com:8443",
    ),
    Case(
        "athena with a key",
        {
            "conn_type": "athena",
            "login": "AKIA",
            "password": SECRET,
            "schema": "gold",
            "extra": {
                "region_name": "eu-west-1",
                "s3_staging_dir": "s3://lake/athena/",
                "work_group": "etl",
                "aws_session_token": SECRET,
            },
        },
        {
            "region_name": "eu-west-1",
            "s3_staging_dir": "s3://lake/athena/",
            "work_group": "etl",
            "database": "awsdatacatalog",
            "schema": "gold",
            "aws_access_key_id": "AKIA",
            "aws_secret_access_key": SECRET,
            "aws_session_token": SECRET,
        },
        ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        "awsathena://athena.eu-west-1.amazonaws.com",
    ),
    Case(
        "athena by a role",
        {
            "conn_type": "aws",
            "extra": {"region_name": "eu-west-1", "role_arn": "arn:aws:iam::1:role/etl", "external_id": "x"},
        },
        {"assume_role_arn": "arn:aws:iam::1:role/etl", "assume_role_external_id": "x", "schema": "default"},
        (),
        "awsathena://athena.eu-west-1.amazonaws.com",
    ),
    Case(
        "sql server with a password",
        {**MSSQL, "login": "etl", "password": SECRET, "extra": {"trust_cert": "true"}},
        {
            **MSSQL_HAS,
            "UID": "etl",
            "PWD": SECRET,
            "trust_cert": True,
            "driver": "ODBC Driver 18 for SQL Server",
        },
        ("PASSWORD",),
        "mssql://sql.example.com:1433",
    ),
    Case(
        "sql server with a service principal",
        {**MSSQL, "port": 1444, "login": "app", "password": SECRET, "extra": {"tenant_id": "t"}},
        {**MSSQL_HAS, "port": 1444, "tenant_id": "t", "client_id": "app", "client_secret": SECRET},
        ("CLIENT_SECRET",),
        "mssql://sql.example.com:1444",
    ),
    Case(
        "clickhouse",
        {**CLICK, "login": "etl", "password": SECRET, "extra": {"secure": True, "cluster": "main"}},
        {"host": "ch.example.com", "port": 8443, "user": "etl", "password": SECRET, "cluster": "main"},
        ("PASSWORD",),
        "clickhouse://ch.example.com:8443",
        "gold.orders",
        ("", "gold"),
    ),
    Case(
        "clickhouse by its own protocol",
        {**CLICK, "extra": {"driver": "native"}},
        {"driver": "native", "port": 9000, "user": "default", "schema": "gold"},
        ("PASSWORD",),
        "clickhouse://ch.example.com:9000",
        "gold.orders",
        ("", "gold"),
    ),
    Case(
        "mysql",
        {
            "conn_type": "mysql",
            "host": "db.example.com",
            "login": "etl",
            "password": SECRET,
            "schema": "gold",
            "extra": {"charset": "utf8mb4"},
        },
        {
            "server": "db.example.com",
            "port": 3306,
            "schema": "gold",
            "username": "etl",
            "password": SECRET,
        },
        ("PASSWORD",),
        "mysql://db.example.com:3306",
        "gold.orders",
        ("", "gold"),
    ),
]


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Return, by the name of a case, what the adapter's credentials class made of its profile."""
    project = tmp_path_factory.mktemp("project")
    (project / "dbt_project.yml").write_text("name: shop\nprofile: warehouse\n")
    made = [profile(case.connection, str(project)) for case in CASES]
    given = json.dumps([(output, variables) for output, variables, _ in made])
    command = [python_of("dbt-adapters"), dbt_credentials.__file__]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {case.name: (*one, other) for case, one, other in zip(CASES, made, found, strict=True)}


def profile(connection, project):
    """Return the profile's output of a connection, its variables, and its text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
        with dbt_profile("warehouse", project, "prod") as folder:
            text = Path(folder, "profiles.yml").read_text()
            variables = {k: v for k, v in os.environ.items() if k.startswith((PREFIX, SECRET_PREFIX))}
    return yaml.safe_load(text)["warehouse"]["outputs"]["prod"], variables, text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_adapter_accepts_the_profile_and_has_each_field(checked, case):
    _, _, _, found = checked[case.name]
    assert found["unknown"] == []
    assert {name: found["has"].get(name) for name in case.has} == case.has


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_secrets_are_in_secret_variables_only(checked, case):
    _, variables, text, _ = checked[case.name]
    assert SECRET not in text
    secret = {k.removeprefix(SECRET_PREFIX) for k in variables if k.startswith(SECRET_PREFIX)}
    assert secret == set(case.secrets)
    assert not [k for k, v in variables.items() if SECRET in v and not k.startswith(SECRET_PREFIX)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_table_has_openlineages_name(checked, case):
    _, _, _, found = checked[case.name]
    relation = Relation("", case.where[0] or None, case.where[1], "orders")
    name = dataset_name(relation, Warehouse(**found["warehouse"]))
    assert (name.namespace, name.name) == (case.namespace, case.table)
