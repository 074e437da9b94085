"""Column-level lineage of SQL: text in, frozen data out. No I/O, no Airflow."""

from airflow_lineage_provider.sql.model import (
    Lineage,
    OutputColumn,
    Problem,
    Source,
    Subject,
    Subtype,
    Table,
    Type,
)
from airflow_lineage_provider.sql.schema import Schema
from airflow_lineage_provider.sql.script import column_lineage, script_lineage

__all__ = [
    "Lineage",
    "OutputColumn",
    "Problem",
    "Schema",
    "Source",
    "Subject",
    "Subtype",
    "Table",
    "Type",
    "column_lineage",
    "script_lineage",
]
