"""AWS DMS: its API read, and the lineage of its replications."""
