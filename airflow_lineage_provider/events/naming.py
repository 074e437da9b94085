"""OpenLineage's dataset names for what dbt reads and makes.

By https://openlineage.io/docs/spec/naming where it has a convention. It has none for DuckDB; ours is the
database's absolute path without its query string, which may hold a token:

    duckdb:///data/warehouse.duckdb     warehouse.gold.customer_behavior
    duckdb:///:memory:                  memory.main.orders
    motherduck://analytics              analytics.gold.customer_behavior

A Postgres database that DuckDB attaches is named as Postgres is, `postgres://crm-db:5432` and
`crm.public.orders`, so that its table is one dataset whoever reads it.
A file that DuckDB reads or writes is a dataset of its own, on the file system or bucket where it lies.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_lineage_provider.dbt.records import Relation, Warehouse

# What sqlglot calls the SQL of a dbt adapter, where the two differ.
DIALECTS = {"sqlserver": "tsql", "fabric": "tsql", "glue": "spark", "synapse": "tsql"}

# What OpenLineage calls a bucket's scheme, where DuckDB takes other names for it too.
FILE_SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_PATHS = re.compile(rf"\[(?:[^'\]]|'[^']*')*\]|{_QUOTED.pattern}")  # a list of texts, or one
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
        return DatasetName(namespace(warehouse), _dotted(_upper(relation)))
    return DatasetName(namespace(warehouse), _dotted(relation))


def namespace(warehouse: Warehouse) -> str:
    """Return the namespace of the warehouse itself."""
    named = NAMESPACES.get(warehouse.type)
    return named(warehouse) if named else _host_and_port(warehouse.type)(warehouse)


def sql_dialect(warehouse: Warehouse) -> str:
    """Return the name of the warehouse's SQL, as sqlglot and OpenLineage's SQL facet have it."""
    return DIALECTS.get(warehouse.type, warehouse.type)


def files(location: str) -> list[str]:
    """Return the paths that a location names: itself, or those in the call of a DuckDB reader.

    >>> files("read_csv(['/lake/a.csv', '/lake/b-*.csv'], sep = ';')")
    ['/lake/a.csv', '/lake/b-*.csv']
    """
    argument = _PATHS.search(location)
    paths = _QUOTED.findall(argument.group()) if argument else []
    return [path.replace("''", "'") for path in paths] or [location]


def each_file(relation: Relation) -> list[Relation]:
    """Return a source that lies in several files as one relation a file; any other as it is."""
    paths = files(relation.location) if relation.location else []
    return [replace(relation, location=path) for path in paths] if len(paths) > 1 else [relation]


def file_name(location: str) -> DatasetName:
    """Return the name of a file, glob or folder, the first that `location` names.

    >>> file_name("read_parquet('s3://lake/bronze/events/*.parquet', hive_partitioning = true)")
    DatasetName(namespace='s3://lake', name='bronze/events/*.parquet')
    """
    path = files(location)[0]
    url = urlsplit(path)
    if url.scheme and url.netloc:
        # Azure writes container@account where others write user:password@host.
        host = url.netloc if url.scheme in AZURE else url.netloc.rpartition("@")[2]
        scheme = FILE_SCHEMES.get(url.scheme, url.scheme)
        return DatasetName(f"{scheme}://{host}", url.path.strip("/") or "/")
    return DatasetName("file", os.path.abspath(url.path if url.scheme == "file" else path))  # noqa: PTH100 - globs


def _dotted(relation: Relation) -> str:
    return ".".join(part for part in (relation.database, relation.schema, relation.identifier) if part)


def _upper(relation: Relation) -> Relation:
    """Fold what is not quoted, as Snowflake does, and as its own lineage views say it."""
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
        # An attached server's connection string, such as "host=db dbname=crm password=...".
        return f"duckdb:///attached/{database}"
    url = urlsplit(path)
    if url.scheme and url.netloc:
        return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
    return f"duckdb://{os.path.abspath(url.path)}"  # noqa: PTH100 - the file need not be there


def _snowflake(warehouse: Warehouse) -> str:
    from openlineage.common.provider.snowflake import fix_account_name

    return f"snowflake://{fix_account_name(warehouse.account or '')}"


def _redshift(warehouse: Warehouse) -> str:
    """`<cluster>.<id>.<region>.redshift.amazonaws.com` is named by its cluster and region."""
    cluster, _, rest = (warehouse.host or "").partition(".")
    if not rest.endswith("amazonaws.com"):
        return _host_and_port("redshift")(warehouse)
    return f"redshift://{cluster}.{rest.split('.')[1]}:{warehouse.port}"


def _host_and_port(scheme: str) -> Callable[[Warehouse], str]:
    def named(warehouse: Warehouse) -> str:
        port = f":{warehouse.port}" if warehouse.port else ""
        return f"{scheme}://{warehouse.host or ''}{port}"

    return named


NAMESPACES: dict[str, Callable[[Warehouse], str]] = {
    "athena": lambda w: f"awsathena://athena.{w.region}.amazonaws.com",
    "bigquery": lambda _: "bigquery",
    "postgres": _host_and_port("postgres"),
    "redshift": _redshift,
    "snowflake": _snowflake,
    "sqlserver": _host_and_port("mssql"),
}
