"""Views of a run's lineage: what the REST API answers, and what the offline report embeds."""
