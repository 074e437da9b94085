"""The questions: validate a run, check a project, lint a map, impact of a change, diff of revisions."""

from airflow_lineage_provider.checks.validation import Validation, check, expected_datasets, validate

__all__ = ["Validation", "check", "expected_datasets", "validate"]
