"""Amazon SageMaker: its API read, and the lineage of its models."""
