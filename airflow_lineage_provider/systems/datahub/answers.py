"""DataHub's GraphQL answers as the entities of a catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.readers.datahub_aspects import fine_grained, input_field, iso_time, more_edges
from airflow_lineage_provider.readers.datahub_entities import (
    FROM_PROPERTY,
    CatalogEdge,
    CatalogEntity,
    CatalogField,
    stated_properties,
)
from airflow_lineage_provider.readers.datahub_urns import parse_urn, schema_field_urn, simple_path
from airflow_lineage_provider.systems.datahub.proposals import DATASET

if TYPE_CHECKING:
    from collections.abc import Mapping

    Answer = Mapping[str, Any]

_PROPERTIES = (
    "properties",
    "boardProperties",
    "chartProperties",
    "tableProperties",
    "featureProperties",
    "modelProperties",
)


def entity_of(answer: Answer) -> CatalogEntity:
    """Return an entity with its lineage.

    Raises UrnError, and TypeError, KeyError, AttributeError or ValueError for an answer of another shape.
    """
    entity = CatalogEntity(parse_urn(answer["urn"]))
    entity.removed = bool((answer.get("status") or {}).get("removed"))
    entity.at = iso_time(answer.get("lastIngested"))
    entity.instance = str((answer.get("dataPlatformInstance") or {}).get("instanceId") or "")
    entity.subtype = str(next(iter((answer.get("subTypes") or {}).get("typeNames") or ()), ""))
    entity.owners = [
        parse_urn(one["owner"]["urn"]).text
        for one in (answer.get("ownership") or {}).get("owners") or ()
        if one.get("owner")
    ]
    entity.siblings = [one["urn"] for one in (answer.get("siblings") or {}).get("siblings") or () if one]
    _lineage(entity, answer)
    _properties(entity, next((answer[key] for key in _PROPERTIES if answer.get(key)), {}))
    _columns(entity, answer)
    return entity


def _lineage(entity: CatalogEntity, answer: Answer) -> None:
    for one in (answer.get("lineage") or {}).get("relationships") or ():
        if one.get("entity"):
            at = iso_time(one.get("updatedOn") or one.get("createdOn"))
            entity.upstreams.append(CatalogEdge(parse_urn(one["entity"]["urn"]).text, at))
    entity.upstreams += [
        CatalogEdge(parse_urn(one["dataset"]).text) for one in answer.get("trainingData") or ()
    ]


def _properties(entity: CatalogEntity, found: Answer) -> None:
    custom = {one["key"]: one.get("value") or "" for one in found.get("customProperties") or ()}
    entity.title = str(found.get("name") or "")
    if entity.urn.kind == "mlFeatureTable":
        entity.title = custom.get(DATASET, "")
    if entity.urn.kind == "mlFeature":
        entity.subtype = custom.get("type", "")
    entity.description = str(found.get("description") or "")
    entity.properties = stated_properties(custom)
    entity.upstreams += [CatalogEdge(parse_urn(one["urn"]).text) for one in found.get("sources") or () if one]
    entity.features = [
        parse_urn(one if isinstance(one, str) else one["urn"]).text for one in found.get("mlFeatures") or ()
    ]
    more_edges(entity, custom.get(FROM_PROPERTY))


def _columns(entity: CatalogEntity, answer: Answer) -> None:
    entity.fields = [
        CatalogField(
            simple_path(one["fieldPath"]), one.get("nativeDataType") or "", one.get("description") or ""
        )
        for one in (answer.get("schemaMetadata") or {}).get("fields") or ()
    ]
    shown: dict[str, CatalogField] = {}
    for one in (answer.get("inputFields") or {}).get("fields") or ():
        input_field(entity, shown, one.get("schemaFieldUrn"), one.get("schemaField") or {})
    entity.fields += shown.values()
    for one in answer.get("fineGrainedLineages") or ():
        upstreams, downstreams = (
            [schema_field_urn(parse_urn(ref["urn"]).text, ref["path"]) for ref in one.get(side) or ()]
            for side in ("upstreams", "downstreams")
        )
        entity.column_edges += fine_grained(upstreams, downstreams, one.get("transformOperation"))


def people_of(answer: Answer) -> dict[str, str]:
    """Return the display names of an entity's owners by URN."""
    owners = [one.get("owner") or {} for one in (answer.get("ownership") or {}).get("owners") or ()]
    named = {
        one.get("urn"): (one.get("properties") or one.get("info") or {}).get("displayName") for one in owners
    }
    return {str(urn): str(name) for urn, name in named.items() if urn and name}
