"""Great Expectations: suites run, and their results as lineage."""
