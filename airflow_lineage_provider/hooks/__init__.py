"""Hooks: the event store, OpenLineage endpoints and DataHub as Airflow connections."""
