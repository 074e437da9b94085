"""Extra links: from a task to its lineage."""
