"""Tableau: its APIs read, and the lineage of its dashboards."""
