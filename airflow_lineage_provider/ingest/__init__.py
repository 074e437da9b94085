"""Moves data from source systems into bronze: Postgres tables, and Kafka topics by way of a lake.

Each move commits how far it came together with the data, so that a run that is killed and repeated neither
loses a row nor writes one twice. Nothing here imports Airflow; the operators are in `operators.ingest`.
"""
