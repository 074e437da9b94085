"""Operators: dbt layers as tasks."""
