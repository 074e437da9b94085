"""Provenance in, graph out: one module for each kind of provenance."""

from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.readers.events import JobRun, Observed, read_events
from airflow_lineage_provider.readers.manifest import ManifestError, load_manifest, read_manifest

__all__ = [
    "JobRun",
    "ManifestError",
    "Observed",
    "load_manifest",
    "read_events",
    "read_manifest",
    "read_map",
]
