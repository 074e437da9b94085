"""`/lineage/api/v1`: the read-only REST API that the pages in Airflow's UI use."""
