"""Evidence in, graph out: one module for each kind of evidence, each returning `Evidence`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map import bindings_of
from airflow_lineage_provider.readers.datahub import read_datahub
from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.readers.events import read_events
from airflow_lineage_provider.readers.evidence import BoundDataset, Checked, Evidence, JobRun
from airflow_lineage_provider.readers.manifest import read_manifest
from airflow_lineage_provider.readers.manifest_file import ManifestError, load_manifest
from airflow_lineage_provider.readers.query_log import read_query_log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_lineage_provider.lineage_map import LineageMap

__all__ = [
    "READERS",
    "BoundDataset",
    "Checked",
    "Evidence",
    "JobRun",
    "ManifestError",
    "load_manifest",
    "read_datahub",
    "read_events",
    "read_evidence",
    "read_manifest",
    "read_map",
    "read_query_log",
]

READERS: Mapping[str, Callable[..., Evidence]] = {
    "datahub": read_datahub,
    "event": read_events,
    "manifest": read_manifest,
    "query": read_query_log,
}
"""The reader of each kind of evidence that is compared with a map: (source, Bindings) -> Evidence."""


def read_evidence(
    kind: str, source: Any, lineage_map: LineageMap, environment: str | None = None, **options: Any
) -> Evidence:
    """Read `source` by the names that the map binds in this environment.

    `kind` is a key of `READERS`. `source` is what its reader takes (the events of a run, or a dbt manifest),
    and `options` are its keyword arguments.
    Raises MapError for an unknown environment, and what the reader raises.
    """
    return READERS[kind](source, bindings_of(lineage_map, environment), **options)
