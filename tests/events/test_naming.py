# ruff: noqa: E501 - a case is a row
"""OpenLineage names of relations and files. A new warehouse is one row."""

from pathlib import Path

import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials

from airflow_lineage_provider.dbt.attached import attached
from airflow_lineage_provider.dbt.records import Relation, Warehouse
from airflow_lineage_provider.events.naming import (
    DatasetName,
    dataset_name,
    each_file,
    file_name,
)

ORDERS = Relation("model.shop.orders", "Shop", "gold", "orders")


@pytest.mark.parametrize(
    ("warehouse", "namespace", "name"),
    [
        (Warehouse("duckdb", path="/data/shop.duckdb"), "duckdb:///data/shop.duckdb", "Shop.gold.orders"),
        (Warehouse("duckdb", path="/data/../data/shop.duckdb"), "duckdb:///data/shop.duckdb", "Shop.gold.orders"),
        (Warehouse("duckdb", path="/data/day=1/shop.duckdb"), "duckdb:///data/day=1/shop.duckdb", "Shop.gold.orders"),
        (Warehouse("duckdb", path="shop.duckdb"), f"duckdb://{Path.cwd()}/shop.duckdb", "Shop.gold.orders"),
        (Warehouse("duckdb", path=":memory:"), "duckdb:///:memory:", "Shop.gold.orders"),
        (Warehouse("duckdb"), "duckdb:///:memory:", "Shop.gold.orders"),
        (Warehouse("duckdb", path="md:shop"), "motherduck://shop", "Shop.gold.orders"),
        (Warehouse("duckdb", path="motherduck:shop"), "motherduck://shop", "Shop.gold.orders"),
        (Warehouse("duckdb", path="s3://lake/shop.duckdb"), "s3://lake/shop.duckdb", "Shop.gold.orders"),
        (
            Warehouse("duckdb", path="/data/other.duckdb", attached={"shop": Warehouse("duckdb", path="/data/shop.duckdb")}),
            "duckdb:///data/shop.duckdb",
            "Shop.gold.orders",
        ),
        (Warehouse("postgres", host="db.example.com", port=5432), "postgres://db.example.com:5432", "Shop.gold.orders"),
        (Warehouse("snowflake", account="acme-emea"), "snowflake://acme-emea", "SHOP.GOLD.ORDERS"),
        (Warehouse("snowflake", account="xy12345"), "snowflake://xy12345.us-west-1.aws", "SHOP.GOLD.ORDERS"),
        (
            Warehouse("redshift", host="dwh.abc123.eu-west-1.redshift.amazonaws.com", port=5439),
            "redshift://dwh.eu-west-1:5439",
            "Shop.gold.orders",
        ),
        (
            Warehouse("redshift", host="team.123456.eu-west-1.redshift-serverless.amazonaws.com", port=5439),
            "redshift://team.eu-west-1:5439",
            "Shop.gold.orders",
        ),
        (Warehouse("redshift", host="10.1.2.3", port=5439), "redshift://10.1.2.3:5439", "Shop.gold.orders"),
        (Warehouse("bigquery"), "bigquery", "Shop.gold.orders"),
        (Warehouse("athena", region="eu-west-1"), "awsathena://athena.eu-west-1.amazonaws.com", "Shop.gold.orders"),
        (Warehouse("sqlserver", host="sql", port=1433), "mssql://sql:1433", "Shop.gold.orders"),
        (Warehouse("databricks", host="adb-1.azuredatabricks.net"), "databricks://adb-1.azuredatabricks.net", "Shop.gold.orders"),
        (Warehouse("snowflake", account="xy12345.east-us-2.azure"), "snowflake://xy12345.east-us-2.azure", "SHOP.GOLD.ORDERS"),
        (Warehouse("glue", region="eu-west-1", account="123456789012"), "arn:aws:glue:eu-west-1:123456789012", "table/gold/orders"),
        (Warehouse("synapse", host="syn", port=1433), "sqlserver://syn:1433", "gold.orders"),
        (Warehouse("fabric", host="fab"), "fabric-warehouse://fab", "Shop.gold.orders"),
        (Warehouse("mysql", host="db", port=3306), "mysql://db:3306", "gold.orders"),
        (Warehouse("oracle", host="db", port=1521), "oracle://db:1521", "Shop.gold.orders"),
        (Warehouse("teradata", host="td", port=1025), "teradata://td:1025", "gold.orders"),
        (Warehouse("postgres", host="db.example.com"), "postgres://db.example.com", "Shop.gold.orders"),
        (Warehouse("trino", host="trino", port=8080), "trino://trino:8080", "Shop.gold.orders"),
        (Warehouse("clickhouse", host="ch", port=8123), "clickhouse://ch:8123", "Shop.gold.orders"),
    ],
)  # fmt: skip
def test_a_relation_is_named_by_its_warehouse(warehouse, namespace, name):
    assert dataset_name(ORDERS, warehouse) == DatasetName(namespace, name)


def test_a_warehouse_without_databases_names_by_schema():
    relation = Relation("model.shop.orders", None, "gold", "orders")
    assert dataset_name(relation, Warehouse("mysql", host="db", port=3306)).name == "gold.orders"


@pytest.mark.parametrize(
    ("location", "namespace", "name"),
    [
        ("/lake/events/*.parquet", "file", "/lake/events/*.parquet"),
        ("events.csv", "file", f"{Path.cwd()}/events.csv"),
        ("file:///lake/events.csv", "file", "/lake/events.csv"),
        ("read_csv('/lake/a=1/events.csv', sep = '=')", "file", "/lake/a=1/events.csv"),
        ("s3://lake/bronze/events/*.parquet", "s3://lake", "bronze/events/*.parquet"),
        ("s3a://lake/events.parquet", "s3://lake", "events.parquet"),
        ("read_parquet('s3://lake/events/*/*.parquet', hive_partitioning = true)", "s3://lake", "events/*/*.parquet"),
        ("gs://lake/events.json", "gs://lake", "events.json"),
        ("gcs://lake/events.json", "gs://lake", "events.json"),
        ("abfss://bronze@acme.dfs.core.windows.net/events", "abfss://bronze@acme.dfs.core.windows.net", "events"),
        ("https://data.example.com/events.csv", "https://data.example.com", "events.csv"),
        ("s3://lake", "s3://lake", "/"),
    ],
)  # fmt: skip
def test_a_file_is_named_by_its_location(location, namespace, name):
    external = Relation("source.shop.landing.events", "Shop", "landing", "events", location=location)
    assert file_name(location) == DatasetName(namespace, name)
    assert dataset_name(external, Warehouse("duckdb", path="/data/shop.duckdb")) == file_name(location)


def test_each_file_of_a_source_is_a_dataset():
    location = "read_csv(['/lake/a.csv', '/lake/b-[0-9]*.csv', '/lake/o''hara.csv'], sep = ';')"
    external = Relation("source.shop.landing.events", "Shop", "landing", "events", location=location)
    names = [dataset_name(one, Warehouse("duckdb")).name for one in each_file(external)]
    assert names == ["/lake/a.csv", "/lake/b-[0-9]*.csv", "/lake/o'hara.csv"]


@pytest.mark.parametrize(
    ("account", "namespace"),
    [
        ("acme-emea", "acme-emea"),
        ("acme-my_account", "acme-my_account"),
        ("acme-emea.privatelink", "acme-emea"),
        ("acme-emea.snowflakecomputing.com", "acme-emea"),
        ("https://acme-emea.snowflakecomputing.com", "acme-emea"),
        ("https://acme-emea.privatelink.snowflakecomputing.com:443/", "acme-emea"),
        ("xy12345", "xy12345.us-west-1.aws"),
        ("xy12345.snowflakecomputing.com", "xy12345.us-west-1.aws"),
        ("xy12345.eu-central-1", "xy12345.eu-central-1.aws"),
        ("xy12345.eu-central-1.aws", "xy12345.eu-central-1.aws"),
        ("xy12345.eu-central-1.privatelink", "xy12345.eu-central-1.aws"),
        ("xy12345.east-us-2.azure.privatelink", "xy12345.east-us-2.azure"),
        ("xy12345.us-central1.gcp.snowflakecomputing.com", "xy12345.us-central1.gcp"),
        ("xy12345.cn-northwest-1.aws.snowflakecomputing.cn", "xy12345.cn-northwest-1.aws"),
        ("https://user:secret@xy12345.eu-central-1.snowflakecomputing.com/", "xy12345.eu-central-1.aws"),
    ],
)
def test_every_form_of_a_snowflake_account_is_one_namespace(account, namespace):
    relation = Relation("", "shop", "gold", "orders")
    assert dataset_name(relation, Warehouse("snowflake", account=account)) == DatasetName(
        f"snowflake://{namespace}", "SHOP.GOLD.ORDERS"
    )


def test_snowflake_upper_cases_unquoted_names():
    relation = Relation("m", "analytics", "gold", "Customer Orders", quoted=frozenset({"identifier"}))
    assert (
        dataset_name(relation, Warehouse("snowflake", account="a-b")).name == "ANALYTICS.GOLD.Customer Orders"
    )


def attached_as(alias, path, secrets=(), **settings):
    """Return the attached database of a profile that has one."""
    return attached(
        DuckDBCredentials.from_dict(
            {
                "database": "memory",
                "schema": "main",
                "attach": [{"alias": alias, "path": path, **settings}],
                "secrets": list(secrets),
            }
        )
    )


@pytest.mark.parametrize(
    ("path", "settings"),
    [
        ("host=crm-db.example.com port=5433 dbname=crm user=etl password=hunter2", {"type": "postgres"}),
        ("dbname='crm' host = 'crm-db.example.com' port=5433 password='a \\' b'", {"type": "POSTGRES"}),
        ("host=crm-db.example.com dbname=crm port=5433", {"options": {"type": "postgres"}}),
        ("postgres:host=crm-db.example.com port=5433 dbname=crm", {}),
        ("postgres://etl:hunter2@crm-db.example.com:5433/crm?sslmode=require", {"type": "postgres"}),
        ("postgresql://etl@crm-db.example.com:5433/crm", {"type": "postgres"}),
        ("", {"type": "postgres", "secret": "pg"}),
    ],
)
def test_an_attached_postgres_is_named_as_postgres_is(path, settings):
    secret = {"name": "pg", "type": "postgres", "host": "crm-db.example.com", "port": 5433, "database": "crm"}
    attached = attached_as("shop", path, [secret | {"password": SECRET}], **settings)
    warehouse = Warehouse("duckdb", path="/data/shop.duckdb", attached=attached)
    assert dataset_name(ORDERS, warehouse) == DatasetName(
        "postgres://crm-db.example.com:5433", "crm.gold.orders"
    )


@pytest.mark.parametrize(
    "path", ["", "dbname=crm", "host=/var/run/postgresql dbname=crm", "host=a,b dbname=crm"]
)
def test_an_attached_postgres_of_unknown_host_is_named_by_its_alias(path):
    warehouse = Warehouse("duckdb", attached=attached_as("shop", path, type="postgres"))
    assert dataset_name(ORDERS, warehouse) == DatasetName("duckdb:///attached/Shop", "Shop.gold.orders")


def test_an_attached_file_without_an_alias_is_known_by_its_name():
    warehouse = Warehouse(
        "duckdb", path="/data/other.duckdb", attached=attached_as(None, "/data/shop.v2.duckdb")
    )
    assert dataset_name(ORDERS, warehouse).namespace == "duckdb:///data/shop.v2.duckdb"


SECRET = "hunter2"


@pytest.mark.parametrize(
    "path",
    [
        f"md:shop?motherduck_token={SECRET}",
        f"motherduck:shop?motherduck_token={SECRET}&saas_mode=true",
        f"md:?motherduck_token={SECRET}",
        f"/data/shop.duckdb?token={SECRET}",
        f"host=db.example.com dbname=shop user=etl password={SECRET}",
        f"  password = {SECRET} host = db.example.com",
        f"host=db.example.com sslkey=file://keys password={SECRET}",
        f"postgres://etl:{SECRET}@db.example.com:5432/shop",
        f"https://etl:{SECRET}@files.example.com/shop.duckdb",
        f"s3://lake/shop.duckdb?s3_secret_access_key={SECRET}",
    ],
)
def test_a_secret_of_a_database_never_reaches_its_name(path):
    for warehouse in (
        Warehouse("duckdb", path=path),
        Warehouse("duckdb", attached=attached_as("shop", path)),
    ):
        assert SECRET not in str(dataset_name(ORDERS, warehouse))


@pytest.mark.parametrize(
    "location",
    [
        f"s3://lake/events.parquet?s3_access_key_id=AK&s3_secret_access_key={SECRET}",
        f"read_parquet('s3://AK:{SECRET}@lake/events.parquet')",
        f"https://acme.blob.core.windows.net/bronze/events.csv?sv=2024&sig={SECRET}",
        f"https://etl:{SECRET}@files.example.com/events.csv",
        f"read_csv('https://files.example.com/events.csv#{SECRET}')",
    ],
)
def test_a_secret_of_a_file_never_reaches_its_name(location):
    assert SECRET not in str(file_name(location))
