"""Keys and sources of the tags that this package gives runs and datasets."""

from __future__ import annotations

SAVED_ANSWER, LISTS_ALL, INCOMPLETE = "saved_answer", "lists_all", "incomplete"
AFTER_THE_FACT = "after_the_fact"
LAST_REFRESH, REFRESH_SCHEDULE = "last_refresh", "refresh_schedule"
"""Keys of a run's tags: when the answer was saved that the run stands on; the system all of whose consumers
the answer lists; why the answer is incomplete; that the event was made after the run, and from what; when
data was last refreshed; when it is refreshed.
"""
TAG_SOURCE = "AIRFLOW_LINEAGE"
PROPERTY_SOURCE = "INTEGRATION"
"""The source of the tags that are properties of a dataset or of a field."""
