"""The OpenLineage HTTP endpoint: events from other producers into the event store."""
