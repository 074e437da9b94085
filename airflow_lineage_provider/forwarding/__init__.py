"""Forwarding: stored events on to Marquez, DataHub, Kafka and other OpenLineage transports, at least once."""
