"""Kafka Connect: its REST API read, and the lineage of its connectors."""
