"""The SQL dialect of a dbt adapter."""

from __future__ import annotations

# What sqlglot calls the SQL of an adapter, where the two names differ.
DIALECTS = {
    "alloydb": "postgres",
    "fabric": "tsql",
    "greenplum": "postgres",
    "impala": "hive",
    "glue": "spark",
    "mariadb": "mysql",
    "sqlserver": "tsql",
    "synapse": "tsql",
    "tidb": "mysql",
    "watsonx_presto": "presto",
    "yellowbrick": "postgres",
}


def sql_dialect(adapter_type: str) -> str:
    """Return the name that sqlglot and OpenLineage's SQL facet have for the SQL of a dbt adapter.

    >>> sql_dialect("sqlserver")
    'tsql'
    """
    return DIALECTS.get(adapter_type, adapter_type)
