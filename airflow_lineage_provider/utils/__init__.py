"""What the Airflow modules share: event emission, run ids, waiting for events, errors of a task."""
