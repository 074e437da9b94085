"""What DataHub knows of an entity, in one form for its API, its files and its REST aspects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.graph import Transformation
    from airflow_lineage_provider.graph.model import Properties
    from airflow_lineage_provider.readers.datahub_urns import Urn

KINDS = {
    "dataset": "table",
    "dashboard": "dashboard",
    "chart": "chart",
    "mlFeatureTable": "feature view",
    "mlModel": "model",
}
"""The entity types that are datasets of a graph, and the kind of each where nothing says more."""
PROPERTY_PREFIX = "airflow_lineage.property."
"""The start of the custom properties that keep what a system states beside lineage."""
FROM_PROPERTY = "airflow_lineage.from"
"""The custom property that keeps the edges that DataHub's model of an entity has no place for, as JSON."""


class CatalogField(NamedTuple):
    """A column, field or feature."""

    name: str
    type: str = ""
    description: str = ""
    properties: Properties = ()


class CatalogEdge(NamedTuple):
    """An entity that another is made from; `at` is the ISO 8601 time of its last update, if known."""

    source: str
    at: str = ""


class CatalogColumnEdge(NamedTuple):
    """A column that another is made from; the URN of its dataset, its name, and the name of the other."""

    source: str
    source_field: str
    field: str
    transformations: tuple[Transformation, ...] = ()


@dataclass(slots=True)
class CatalogEntity:
    """An entity with its lineage; `removed` where it is soft-deleted, `title` is its display name."""

    urn: Urn
    title: str = ""
    subtype: str = ""
    instance: str = ""
    description: str = ""
    removed: bool = False
    at: str = ""
    owners: list[str] = field(default_factory=list)
    """The URNs of users and groups."""
    properties: Properties = ()
    fields: list[CatalogField] = field(default_factory=list)
    upstreams: list[CatalogEdge] = field(default_factory=list)
    column_edges: list[CatalogColumnEdge] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    """The URNs of a feature table's or a model's features."""
    siblings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Catalog:
    """The entities of a catalog by URN, and the reasons why they are not all of them."""

    name: str
    entities: dict[str, CatalogEntity] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    """The display names of users and groups by URN."""
    incomplete: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def stated_properties(custom: Mapping[str, str]) -> Properties:
    """Return what a system states beside lineage, from custom properties."""
    return tuple(
        (key.removeprefix(PROPERTY_PREFIX), value)
        for key, value in custom.items()
        if key.startswith(PROPERTY_PREFIX)
    )
