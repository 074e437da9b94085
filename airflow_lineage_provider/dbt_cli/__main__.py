"""`python -m airflow_lineage_provider.dbt_cli build ...`."""

from airflow_lineage_provider.dbt_cli import main

main(prog_name="airflow-lineage-dbt")
