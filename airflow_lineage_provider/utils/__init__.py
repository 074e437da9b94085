"""What the Airflow modules share: event emission, the ids of a DAG run, waiting for events, task outcomes."""
