"""The lineage graph: datasets, columns and edges; compare, walk and diff."""
