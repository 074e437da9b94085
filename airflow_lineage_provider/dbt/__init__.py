"""Runs dbt and yields a record as each node starts and ends.

Imports dbt, the standard library and `airflow_lineage_provider.errors` only.
"""

from airflow_lineage_provider.dbt.command import Command
from airflow_lineage_provider.dbt.records import DbtError
from airflow_lineage_provider.dbt.runner import DbtRun

__all__ = ["Command", "DbtError", "DbtRun"]
