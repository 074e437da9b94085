"""What the provider adds to Airflow's web server."""
