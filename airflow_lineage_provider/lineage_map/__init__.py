"""The documented map: the lineage contract of a team, in YAML or in Markdown."""

from airflow_lineage_provider.lineage_map.bindings import Bindings, bindings_of
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.load import (
    LineageMap,
    load_map,
    load_source,
    parse_map,
    parse_source,
)
from airflow_lineage_provider.lineage_map.model import Map
from airflow_lineage_provider.lineage_map.source import Included, MapSource

__all__ = [
    "Bindings",
    "Included",
    "LineageMap",
    "Map",
    "MapError",
    "MapProblem",
    "MapSource",
    "bindings_of",
    "load_map",
    "load_source",
    "parse_map",
    "parse_source",
]
