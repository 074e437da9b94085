"""Hooks for the event store, OpenLineage endpoints and DataHub."""
