"""Evidence of lineage, read into the graph: one module a kind."""
