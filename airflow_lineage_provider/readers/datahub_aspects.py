"""DataHub's metadata aspects, as its files and its REST API have them, as a catalog."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.readers.datahub_entities import (
    FROM_PROPERTY,
    KINDS,
    Catalog,
    CatalogColumnEdge,
    CatalogEdge,
    CatalogEntity,
    CatalogField,
    stated_properties,
)
from airflow_lineage_provider.readers.datahub_operations import read_operation
from airflow_lineage_provider.readers.datahub_patches import PATCHED, patched_lineage
from airflow_lineage_provider.readers.datahub_urns import UrnError, parse_urn, schema_field, simple_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Aspect = Mapping[str, Any]

MAX_BYTES = 512 << 20
MALFORMED = (TypeError, AttributeError, KeyError, ValueError, RecursionError)
"""What reading raises of a value of another shape."""
_MOST_PROBLEMS = 20


class CatalogFileError(LineageError):
    """A file of metadata that cannot be read."""


def load_catalog(path: str | Path) -> Catalog:
    """Read a file that an ingestion of DataHub, or `publish`, wrote. Raises CatalogFileError."""
    return catalog_of(load_records(path), str(path))


def load_records(path: str | Path) -> list[Mapping[str, Any]]:
    """Return the metadata records of a file, a JSON array. Raises CatalogFileError."""
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CatalogFileError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise CatalogFileError(f"{path}: larger than {MAX_BYTES >> 20} MiB")
    try:
        records = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CatalogFileError(f"{path}: not a file of DataHub's metadata: {error}") from None
    if not isinstance(records, list):
        raise CatalogFileError(f"{path}: not a file of DataHub's metadata: it is no JSON array")
    return [record for record in records if isinstance(record, dict)]


def catalog_of(records: Iterable[Mapping[str, Any]], name: str) -> Catalog:
    """Return the catalog that records describe; a later record of an aspect replaces an earlier one.

    A malformed URN, and a patch of an aspect whose base is not in the file, make it incomplete.
    """
    catalog = Catalog(name)
    last = {(urn, aspect): (value, at) for urn, aspect, value, at in aspects_of(records, catalog)}
    for (urn, aspect), (value, at) in last.items():
        try:
            read_aspect(catalog, urn, aspect, value, at)
        except UrnError as error:
            add_incomplete(catalog, f"{name}: {aspect} of {urn}: {error}")
        except MALFORMED as error:
            add_incomplete(catalog, f"{name}: {aspect} of {urn} cannot be read: {error!r:.200}")
    return catalog


def add_incomplete(catalog: Catalog, reason: str) -> None:
    """Add a reason why a catalog is not complete; of many only the first ones."""
    if len(catalog.incomplete) < _MOST_PROBLEMS and reason not in catalog.incomplete:
        catalog.incomplete.append(reason)


def read_aspect(catalog: Catalog, urn: str, aspect: str, value: Aspect, at: str = "") -> None:
    """Add an aspect to the entity that it describes. Raises UrnError, and what a malformed value raises."""
    read = _READERS.get(aspect)
    parsed = parse_urn(urn)
    if aspect in {"corpGroupInfo", "corpUserInfo"} and value.get("displayName"):
        catalog.people[urn] = str(value["displayName"])
    if parsed.kind not in {*KINDS, "mlFeature"}:
        return
    entity = catalog.entities.setdefault(urn, CatalogEntity(parsed))
    entity.at = max(entity.at, at)
    if read:
        read(entity, value)


def aspects_of(
    records: Iterable[Mapping[str, Any]], catalog: Catalog
) -> Iterator[tuple[str, str, Aspect, str]]:
    """Yield each aspect of a file's records: URN, name, whole value, and when it was last observed.

    A patch of an aspect other than `upstreamLineage` makes the catalog incomplete.
    """
    lineage: dict[str, Aspect] = {}
    for record in records:
        try:
            found = list(_aspects_of_record(record, catalog, lineage))
        except MALFORMED as error:
            add_incomplete(catalog, f"{catalog.name}: a record cannot be read: {error!r:.200}")
            continue
        for urn, aspect, value, at in found:
            if aspect == PATCHED:
                lineage[urn] = value
            yield urn, aspect, value, at


def _aspects_of_record(
    record: Mapping[str, Any], catalog: Catalog, lineage: Mapping[str, Aspect]
) -> Iterator[tuple[str, str, Aspect, str]]:
    at = iso_time((record.get("systemMetadata") or {}).get("lastObserved"))
    snapshot = record.get("proposedSnapshot")
    if isinstance(snapshot, dict):
        for body in snapshot.values():
            for aspect in body.get("aspects") or ():
                yield from ((body.get("urn", ""), _aspect_name(k), v, at) for k, v in aspect.items())
        return
    urn, name = str(record.get("entityUrn") or ""), str(record.get("aspectName") or "")
    change, value = record.get("changeType"), _value(record.get("aspect"))
    if change == "PATCH":
        operations = value.get("patch") if isinstance(value, dict) else value
        made = patched_lineage(lineage.get(urn), operations) if name == PATCHED else None
        if made is not None:
            yield urn, name, made, at
        elif name in _READERS:
            reason = f"{name} of {urn} is a patch, which needs a server: write it with OVERRIDE"
            add_incomplete(catalog, f"{catalog.name}: {reason}")
    elif change == "DELETE":
        yield urn, "status", {"removed": True}, at
    elif isinstance(value, dict):
        yield urn, name, value, at


def _aspect_name(class_name: str) -> str:
    """Return the name of the aspect with a class name: `upstreamLineage` of `...dataset.UpstreamLineage`."""
    name = class_name.rpartition(".")[2]
    return f"ml{name[2:]}" if name.startswith("ML") else name[:1].lower() + name[1:]


def _value(aspect: Any) -> Any:
    """Return the JSON of an aspect in either of its two forms; None where there is none."""
    if not isinstance(aspect, dict):
        return None
    if "json" in aspect:
        return aspect["json"]
    try:
        return json.loads(aspect["value"]) if isinstance(aspect.get("value"), str) else None
    except (ValueError, RecursionError):
        return None


def iso_time(millis: Any) -> str:
    """Return milliseconds since 1970 as ISO 8601; empty for none, and for none that a calendar has."""
    try:
        return datetime.fromtimestamp(int(millis) / 1000, UTC).isoformat() if millis else ""
    except (OverflowError, ValueError, OSError, TypeError):
        return ""


def _status(entity: CatalogEntity, value: Aspect) -> None:
    entity.removed = bool(value.get("removed"))


def _schema(entity: CatalogEntity, value: Aspect) -> None:
    entity.fields = [
        CatalogField(
            simple_path(str(one["fieldPath"])), one.get("nativeDataType") or "", one.get("description") or ""
        )
        for one in value.get("fields") or ()
    ]


def _upstream_lineage(entity: CatalogEntity, value: Aspect) -> None:
    entity.upstreams = [
        CatalogEdge(
            parse_urn(one["dataset"]).text,
            iso_time((one.get("auditStamp") or {}).get("time")),
        )
        for one in value.get("upstreams") or ()
    ]
    entity.column_edges = [
        edge
        for one in value.get("fineGrainedLineages") or ()
        for edge in fine_grained(
            one.get("upstreams") or (), one.get("downstreams") or (), one.get("transformOperation")
        )
    ]


def fine_grained(
    upstreams: Iterable[str], downstreams: Iterable[str], operation: str | None
) -> Iterator[CatalogColumnEdge]:
    """Yield the column edges of a fine-grained lineage: of each upstream and each downstream field.

    Without downstream fields it is about all columns; an upstream may be a whole dataset. Raises UrnError.
    """
    how = read_operation(operation)
    fields = [schema_field(urn).path for urn in downstreams] or ["*"]
    for urn in upstreams:
        source = schema_field(urn) if urn.startswith("urn:li:schemaField:") else (parse_urn(urn).text, "*")
        for name in fields:
            yield CatalogColumnEdge(*source, name, how)


def _properties(entity: CatalogEntity, value: Aspect) -> None:
    entity.title = str(value.get("name") or value.get("title") or entity.title)
    entity.description = str(value.get("description") or entity.description)
    custom = value.get("customProperties") or {}
    entity.properties = stated_properties(custom)
    more_edges(entity, custom.get(FROM_PROPERTY))


def more_edges(entity: CatalogEntity, text: str | None) -> None:
    """Add the edges of the custom property `FROM_PROPERTY`: lists of URN, field and operation, or URNs."""
    for one in json.loads(text) if text else ():
        if isinstance(one, str):
            entity.upstreams.append(CatalogEdge(parse_urn(one).text))
        else:
            source, field, operation = one
            name = entity.urn.parts[-1]
            entity.column_edges.append(CatalogColumnEdge(source, field, name, read_operation(operation)))


def _info(entity: CatalogEntity, value: Aspect) -> None:
    _properties(entity, value)
    listed = [*(value.get("datasets") or ()), *(value.get("charts") or ()), *(value.get("inputs") or ())]
    urns = [one if isinstance(one, str) else next(iter(one.values())) for one in listed]
    edges = [
        one["destinationUrn"]
        for key in ("datasetEdges", "dashboards", "chartEdges", "inputEdges")
        for one in value.get(key) or ()
    ]
    entity.upstreams += [CatalogEdge(parse_urn(urn).text) for urn in dict.fromkeys([*urns, *edges])]


def _input_fields(entity: CatalogEntity, value: Aspect) -> None:
    names: dict[str, CatalogField] = {}
    for one in value.get("fields") or ():
        shown = one.get("schemaField") or {}
        input_field(entity, names, one.get("schemaFieldUrn"), shown)
    entity.fields = list(names.values())


def input_field(
    entity: CatalogEntity, names: dict[str, CatalogField], source: str | None, shown: Mapping[str, Any]
) -> None:
    """Add a field of a dashboard or chart, and the column that it shows. Raises UrnError."""
    column = schema_field(source) if source else None
    name = str(shown.get("fieldPath") or (column.path if column else ""))
    kind = shown.get("nativeDataType") or ""
    names.setdefault(name, CatalogField(name, kind, shown.get("description") or ""))
    if column and column.dataset != entity.urn.text:
        props = json.loads(shown.get("jsonProps") or "{}")
        how = read_operation(props.get("operation") if isinstance(props, dict) else None)
        entity.column_edges.append(CatalogColumnEdge(column.dataset, column.path, name, how))


def _feature(entity: CatalogEntity, value: Aspect) -> None:
    entity.description = str(value.get("description") or "")
    entity.upstreams = [CatalogEdge(parse_urn(urn).text) for urn in value.get("sources") or ()]
    custom = value.get("customProperties") or {}
    entity.subtype = custom.get("type", "")
    entity.properties = stated_properties(custom)
    more_edges(entity, custom.get(FROM_PROPERTY))


def _features(entity: CatalogEntity, value: Aspect) -> None:
    _properties(entity, value)
    entity.title = entity.title or (value.get("customProperties") or {}).get("airflow_lineage.dataset", "")
    entity.features = [parse_urn(urn).text for urn in value.get("mlFeatures") or ()]


def _training_data(entity: CatalogEntity, value: Aspect) -> None:
    entity.upstreams += [CatalogEdge(parse_urn(one["dataset"]).text) for one in value["trainingData"]]


def _subtypes(entity: CatalogEntity, value: Aspect) -> None:
    entity.subtype = str(next(iter(value.get("typeNames") or ()), ""))


def _owners(entity: CatalogEntity, value: Aspect) -> None:
    entity.owners = [parse_urn(one["owner"]).text for one in value.get("owners") or ()]


def _instance(entity: CatalogEntity, value: Aspect) -> None:
    if value.get("instance"):
        entity.instance = parse_urn(value["instance"]).parts[-1]


def _siblings(entity: CatalogEntity, value: Aspect) -> None:
    entity.siblings = [parse_urn(urn).text for urn in value.get("siblings") or ()]


_READERS: Mapping[str, Callable[[CatalogEntity, Aspect], None]] = {
    "status": _status,
    "schemaMetadata": _schema,
    "upstreamLineage": _upstream_lineage,
    "datasetProperties": _properties,
    "dashboardInfo": _info,
    "chartInfo": _info,
    "inputFields": _input_fields,
    "mlFeatureProperties": _feature,
    "mlFeatureTableProperties": _features,
    "mlModelProperties": _features,
    "mlModelTrainingData": _training_data,
    "subTypes": _subtypes,
    "ownership": _owners,
    "dataPlatformInstance": _instance,
    "siblings": _siblings,
}
