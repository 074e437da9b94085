"""`python -m airflow_lineage_provider.cli`."""

from airflow_lineage_provider.cli import main

main(prog_name="airflow-lineage")
