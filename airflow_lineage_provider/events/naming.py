"""OpenLineage's dataset names for the relations and files that dbt reads and makes.

The names follow https://openlineage.io/docs/spec/naming, through the naming classes of OpenLineage's client
where it has one for the warehouse. The specification has no convention for DuckDB; ours is the database's
absolute path without its query string, which may hold a token:

    duckdb:///data/warehouse.duckdb     warehouse.gold.customer_behavior
    duckdb:///:memory:                  memory.main.orders
    motherduck://analytics              analytics.gold.customer_behavior

A Postgres database that DuckDB attaches is named as Postgres is, `postgres://crm-db:5432` and
`crm.public.orders`, so that its table is the same dataset for every reader.
A file that DuckDB reads or writes is a dataset of its own, on its file system or bucket.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_lineage_provider.dbt.records import Relation

if TYPE_CHECKING:
    from openlineage.client.naming.dataset import DatasetNaming

    from airflow_lineage_provider.dbt.records import Warehouse

# For a dbt adapter: the class of openlineage.client.naming, and the values that it takes.
CLIENT_NAMING = {
    "athena": "Athena region database schema table",
    "bigquery": "BigQuery database schema table",
    "cratedb": "CrateDB host port database schema table",
    "glue": "AWSGlue region account schema table",
    "hive": "Hive host port schema table",
    "mariadb": "MySQL host port schema table",
    "mysql": "MySQL host port schema table",
    "mysql5": "MySQL host port schema table",
    "oracle": "Oracle host port database schema table",
    "postgres": "Postgres host port database schema table",
    "redshift": "Redshift cluster cluster_region port database schema table",
    "snowflake": "Snowflake organization account_name database schema table",
    "synapse": "AzureSynapse host port schema table",
    "teradata": "Teradata host port schema table",
    "trino": "Trino host port database schema table",
}
# The scheme of a namespace, where it is not the adapter's name.
SCHEMES = {"fabric": "fabric-warehouse", "mariadb": "mysql", "sqlserver": "mssql", "synapse": "sqlserver"}

# OpenLineage's scheme of a bucket, where DuckDB also takes other names.
FILE_SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_PATHS = re.compile(rf"\[(?:[^'\]]|'[^']*')*\]|{_QUOTED.pattern}")  # a list of texts, or one
_SNOWFLAKE_DOMAIN = re.compile(r"\.snowflakecomputing\.(com|cn)$", re.IGNORECASE)
_PRIVATE_LINK = re.compile(r"\.privatelink$", re.IGNORECASE)
AZURE = {"abfs", "abfss", "wasb", "wasbs"}


@dataclass(frozen=True, slots=True)
class DatasetName:
    """OpenLineage's identity of a dataset."""

    namespace: str
    name: str


def dataset_name(relation: Relation, warehouse: Warehouse) -> DatasetName:
    """Return the name of a relation of the warehouse, or of the file behind it."""
    if relation.location:
        return file_name(relation.location)
    if warehouse.type == "duckdb":
        return _duckdb_name(relation, _attached(relation, warehouse) or warehouse)
    if warehouse.type == "snowflake":
        relation = _upper(relation)
        warehouse = replace(warehouse, account=snowflake_account(warehouse.account or ""))
    parts = (relation.database or "", relation.schema or "", relation.identifier)
    if found := _client_naming(warehouse, *parts):
        return DatasetName(found.get_namespace(), found.get_name())
    return DatasetName(_other_namespace(warehouse), _dotted(relation))


def namespace(warehouse: Warehouse) -> str:
    """Return the namespace of the warehouse itself."""
    return dataset_name(Relation("", "-", "-", "-"), warehouse).namespace


def files(location: str) -> list[str]:
    """Return the paths in a location: itself, or the arguments of a DuckDB reader.

    >>> files("read_csv(['/lake/a.csv', '/lake/b-*.csv'], sep = ';')")
    ['/lake/a.csv', '/lake/b-*.csv']
    """
    argument = _PATHS.search(location)
    paths = _QUOTED.findall(argument.group()) if argument else []
    return [path.replace("''", "'") for path in paths] or [location]


def snowflake_account(text: str, *, private_link: bool = False) -> str:
    """Return the account that is meant by an account, a host or a URL of Snowflake.

    A private link leads to the same account, so only who connects asks for it, with `private_link`.

    >>> snowflake_account("https://xy12345.eu-central-1.privatelink.snowflakecomputing.com:443/")
    'xy12345.eu-central-1'
    """
    host = urlsplit(text if "://" in text else f"//{text}").netloc.rpartition("@")[2].partition(":")[0]
    account = _SNOWFLAKE_DOMAIN.sub("", host)
    return account if private_link else _PRIVATE_LINK.sub("", account)


def each_file(relation: Relation) -> list[Relation]:
    """Return one relation for each file of a source; any other relation unchanged."""
    paths = files(relation.location) if relation.location else []
    return [replace(relation, location=path) for path in paths] if len(paths) > 1 else [relation]


def file_name(location: str) -> DatasetName:
    """Return the name of a file, glob or folder: the first path in `location`.

    >>> file_name("read_parquet('s3://lake/bronze/events/*.parquet', hive_partitioning = true)")
    DatasetName(namespace='s3://lake', name='bronze/events/*.parquet')
    """
    path = files(location)[0]
    url = urlsplit(path)
    if url.scheme and url.netloc:
        # container@account in Azure, user:password@host elsewhere
        host = url.netloc if url.scheme in AZURE else url.netloc.rpartition("@")[2]
        scheme = FILE_SCHEMES.get(url.scheme, url.scheme)
        return DatasetName(f"{scheme}://{host}", url.path.strip("/") or "/")
    return DatasetName("file", os.path.abspath(url.path if url.scheme == "file" else path))  # noqa: PTH100 - globs


def _dotted(relation: Relation) -> str:
    return ".".join(part for part in (relation.database, relation.schema, relation.identifier) if part)


def _upper(relation: Relation) -> Relation:
    """Return the relation with unquoted parts in upper case, as Snowflake's own views list them."""
    parts = {part: getattr(relation, part) for part in ("database", "schema", "identifier")}
    return replace(
        relation,
        **{part: name.upper() for part, name in parts.items() if name and part not in relation.quoted},
    )


def _attached(relation: Relation, warehouse: Warehouse) -> Warehouse | None:
    by_name = {name.casefold(): other for name, other in warehouse.attached.items()}
    return by_name.get((relation.database or "").casefold())


def _duckdb_name(relation: Relation, holder: Warehouse) -> DatasetName:
    if holder.type == "duckdb":
        return DatasetName(_duckdb_namespace(relation.database, holder.path or ":memory:"), _dotted(relation))
    if holder.host is None:
        return DatasetName(f"duckdb:///attached/{relation.database}", _dotted(relation))
    return dataset_name(replace(relation, database=holder.database or relation.database), holder)


def _duckdb_namespace(database: str | None, path: str) -> str:
    scheme, _, rest = path.partition(":")
    if scheme in {"md", "motherduck"}:
        return f"motherduck://{rest.strip('/').partition('?')[0] or database}"
    if path == ":memory:":
        return "duckdb:///:memory:"
    if re.match(r"\s*\w+\s*=", path):
        # The connection string of an attached server, such as "host=db dbname=crm password=...".
        return f"duckdb:///attached/{database}"
    url = urlsplit(path)
    if url.scheme and url.netloc:
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
    return f"duckdb://{os.path.abspath(url.path)}"  # noqa: PTH100 - the file need not be there


def _client_naming(warehouse: Warehouse, database: str, schema: str, table: str) -> DatasetNaming | None:
    """Return the table as OpenLineage's client names it; None where the client cannot name it."""
    from openlineage.client.naming import dataset

    if warehouse.type not in CLIENT_NAMING:
        return None
    host, account = warehouse.host or "", warehouse.account or ""
    organization, _, account_name = account.partition(".")[0].partition("-")
    # A Redshift host is <cluster>.<id>.<region>.redshift.amazonaws.com.
    cluster, _, region, *_ = host.split(".") if ".amazonaws.com" in host else ("", "", "")
    values = {
        "account": account,
        "account_name": account_name,
        "cluster": cluster,
        "cluster_region": region,
        "database": database,
        "host": host,
        "organization": organization,
        "port": str(warehouse.port or ""),
        "region": warehouse.region or "",
        "schema": schema,
        "table": table,
    }
    class_name, *fields = CLIENT_NAMING[warehouse.type].split()
    try:
        named: DatasetNaming = getattr(dataset, class_name)(*(values[field] for field in fields))
    except ValueError:  # one of the values is not known
        return None
    return named


def _other_namespace(warehouse: Warehouse) -> str:
    """Return the namespace of a warehouse that the client cannot name: its type, host and port."""
    if warehouse.type == "snowflake":
        from openlineage.common.provider.snowflake import fix_account_name

        return f"snowflake://{fix_account_name(warehouse.account or '')}"
    port = f":{warehouse.port}" if warehouse.port else ""
    return f"{SCHEMES.get(warehouse.type, warehouse.type)}://{warehouse.host or ''}{port}"
