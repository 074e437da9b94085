"""SQL text in, column lineage out."""
