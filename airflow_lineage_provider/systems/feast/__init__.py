"""Feast: its registry read, and the lineage of its feature views."""
