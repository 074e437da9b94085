"""Builds OpenLineage events from what dbt reports: naming, facets, node -> events."""
