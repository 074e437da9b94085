"""The form in which metadata is proposed to DataHub, and the small parts that several aspects share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.event import parsed_time
from airflow_lineage_provider.readers.datahub_operations import PRODUCER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.graph import Provenance

    Value = Mapping[str, Any]

ACTOR = "urn:li:corpuser:airflow-lineage"
DATASET = "airflow_lineage.dataset"
"""The custom property with the logical name of an entity."""
MAP = "airflow_lineage.map"
"""The custom property that marks an entity which this package registered: the map that documents it."""
OWN_PREFIX = "airflow_lineage."


@dataclass(frozen=True, slots=True)
class Proposal:
    """An aspect of an entity, in the JSON of DataHub's files.

    `sent_with` is the aspect that decides whether this one is sent: time series have no current value to
    compare with.
    """

    urn: str
    aspect: str
    value: Value
    sent_with: str = ""


def stamp(millis: int = 0) -> dict[str, Any]:
    """Return an audit stamp of this package."""
    return {"time": millis, "actor": ACTOR}


def stamps(millis: int = 0) -> dict[str, Any]:
    """Return the stamps of a creation and a change."""
    return {"created": stamp(millis), "lastModified": stamp(millis)}


def edge_to(urn: str, millis: int = 0) -> dict[str, Any]:
    """Return an edge to an entity that this package added."""
    return {
        "destinationUrn": urn,
        "created": stamp(millis),
        "lastModified": stamp(millis),
        "properties": {"source": PRODUCER},
    }


def last_seen(provenance: Iterable[Provenance]) -> int:
    """Return when a run last showed an edge, in milliseconds since 1970; 0 for one that none showed."""
    return max((millis(one.at) for one in provenance if one.kind == "event"), default=0)


def millis(text: str) -> int:
    """Return an ISO 8601 time in milliseconds since 1970; 0 for any other text."""
    try:
        return max(0, int(parsed_time(text).timestamp() * 1000))
    except (ValueError, OverflowError):
        return 0
