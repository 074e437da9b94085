"""Evidence in, graph out: one module for each kind of evidence."""

from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.readers.events import JobRun, Observed, read_events
from airflow_lineage_provider.readers.validation import Validation, expected_datasets, validate

__all__ = ["JobRun", "Observed", "Validation", "expected_datasets", "read_events", "read_map", "validate"]
