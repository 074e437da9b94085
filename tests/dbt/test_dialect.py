"""The SQL dialect of a dbt adapter is a name that the SQL engine knows."""

import pytest
from sqlglot.dialects.dialect import Dialect

from airflow_lineage_provider.dbt.dialect import DIALECTS, sql_dialect


@pytest.mark.parametrize(
    ("adapter", "dialect"),
    [
        ("duckdb", "duckdb"),
        ("postgres", "postgres"),
        ("sqlserver", "tsql"),
        ("synapse", "tsql"),
        ("fabric", "tsql"),
        ("glue", "spark"),
        ("mariadb", "mysql"),
    ],
)
def test_an_adapter_has_the_dialect_of_its_sql(adapter, dialect):
    assert sql_dialect(adapter) == dialect


@pytest.mark.parametrize("adapter", DIALECTS)
def test_the_engine_knows_the_dialect(adapter):
    assert Dialect.get(sql_dialect(adapter))
