"""Runs dbt and reports each node as it starts and ends. Imports dbt and the standard library only."""

from airflow_lineage_provider.dbt.command import Command
from airflow_lineage_provider.dbt.records import DbtError
from airflow_lineage_provider.dbt.runner import DbtRun

__all__ = ["Command", "DbtError", "DbtRun"]
