"""The documented map: the contract that a team writes, in YAML or as the document that it signs."""

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
