"""Documented data lineage as a contract, for Apache Airflow."""

__version__ = "0.1.0"
