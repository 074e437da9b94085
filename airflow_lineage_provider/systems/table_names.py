"""OpenLineage's names of tables in databases that other systems read or write.

https://openlineage.io/docs/spec/naming
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.dbt.records import Relation, Warehouse
from airflow_lineage_provider.events.naming import dataset_name

if TYPE_CHECKING:
    from airflow_lineage_provider.events.naming import DatasetName

_PORTS = {"postgres": 5432, "redshift": 5439, "mysql": 3306, "oracle": 1521, "sqlserver": 1433}
"""The port of a database, by the family of its engine, where none is named."""

_FAMILIES = {
    "aurora-postgresql": "postgres",
    "aurora-postgresql-serverless": "postgres",
    "postgresql": "postgres",
    "aurora": "mysql",
    "aurora-serverless": "mysql",
    "mariadb": "mysql",
    "azuredb": "sqlserver",
    "mssql": "sqlserver",
    "redshift-serverless": "redshift",
}


def family(engine: str) -> str:
    """Return the family of a database engine (postgres, mysql, oracle, ...), else its own name."""
    return _FAMILIES.get(engine, engine)


def is_database(engine: str) -> bool:
    """Return whether tables of this engine have names here."""
    return family(engine) in _PORTS


def table_dataset(
    engine: str, host: str, port: int | None, database: str, schema: str, table: str
) -> DatasetName:
    """Return the name of a table; MySQL knows no schemas, so there the schema is the database.

    >>> table_dataset("postgres", "crm-db", None, "crm", "public", "orders")
    DatasetName(namespace='postgres://crm-db:5432', name='crm.public.orders')
    """
    kind = family(engine)
    relation = Relation("", database, (schema or database) if kind == "mysql" else schema, table)
    return dataset_name(relation, Warehouse(type=kind, host=host, port=port or _PORTS.get(kind)))
