"""The documented map: the lineage contract of a team, in YAML or in Markdown."""

from airflow_lineage_provider.lineage_map.bindings import Bindings, bindings_of
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.load import LineageMap, load_map, parse_map
from airflow_lineage_provider.lineage_map.model import Map

__all__ = [
    "Bindings",
    "LineageMap",
    "Map",
    "MapError",
    "MapProblem",
    "bindings_of",
    "load_map",
    "parse_map",
]
