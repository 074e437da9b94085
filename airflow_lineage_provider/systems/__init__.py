"""Clients of outside systems, and functions that turn their answers into movements of data.

A client reads (pages, time limits, secrets dropped) and returns frozen dataclasses; the modules beside it are
pure functions from these to `events.movement.Movement`. None imports Airflow.
"""
