"""The questions: validate evidence, lint a map, impact of a change, a file at a git revision."""

from airflow_lineage_provider.checks.scope import expected_datasets
from airflow_lineage_provider.checks.validation import Validation, validate

__all__ = ["Validation", "expected_datasets", "validate"]
