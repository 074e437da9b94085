"""Pages and endpoints in Airflow's web server."""
