"""DataHub: its API read, and lineage published to it."""
