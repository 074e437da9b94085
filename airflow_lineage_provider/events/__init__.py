"""OpenLineage on the wire: dataset names, facets, dbt records to events, parts of an event, masking."""
