"""Sensors: a run's lineage against the documented map."""
