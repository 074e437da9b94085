"""Hooks: the event store as an Airflow connection."""
