"""Merge proposed aspects with what DataHub has: what people and other producers wrote is kept.

Each entry that this package writes is marked with its producer. Of a list, the entries of others stay as they
are and the marked ones are replaced. Of an entity that another producer registered, its own properties win.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.readers.datahub_operations import PRODUCER, is_own
from airflow_lineage_provider.systems.datahub.proposals import ACTOR, MAP, OWN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Value = Mapping[str, Any]

_UNKNOWN_ACTOR = "urn:li:corpuser:unknown"
_EDGES = ("datasetEdges", "chartEdges", "dashboards", "inputEdges", "inputDatasetEdges", "outputDatasetEdges")
_UNIONS = ("mlFeatures", "sources", "inputDatasets", "outputDatasets", "datasets", "charts", "inputs")


def merged(aspect: str, ours: Value, theirs: Value | None) -> Value:
    """Return the value to write: ours, with what others wrote into the aspect."""
    if not theirs:
        return ours
    return _MERGES.get(aspect, _ours)(ours, theirs)


def same(first: Value, second: Value | None) -> bool:
    """Whether two values say the same: a field that is absent equals one that is empty, false or 0."""
    return second is not None and _pruned(first) == _pruned(second)


def is_registered_here(theirs: Value | None) -> bool:
    """Whether this package registered the entity with these properties."""
    return bool(theirs) and MAP in ((theirs or {}).get("customProperties") or {})


def _ours(ours: Value, _: Value) -> Value:
    return ours


def _theirs(_: Value, theirs: Value) -> Value:
    return theirs


def _lineage(ours: Value, theirs: Value) -> Value:
    upstreams = _entries(ours, theirs, "upstreams", "dataset", _own_upstream)
    foreign = [one for one in theirs.get("fineGrainedLineages") or () if not _own_operation(one)]
    return {**theirs, **upstreams, "fineGrainedLineages": [*foreign, *ours["fineGrainedLineages"]]}


def _own_upstream(entry: Value) -> bool:
    return (entry.get("properties") or {}).get("source") == PRODUCER


def _own_operation(entry: Value) -> bool:
    return is_own(entry.get("transformOperation"))


def _ownership(ours: Value, theirs: Value) -> Value:
    found = _entries(
        ours, theirs, "owners", "owner", lambda e: (e.get("source") or {}).get("url") == PRODUCER
    )
    return {**theirs, **found}


def _tags(ours: Value, theirs: Value) -> Value:
    return {**theirs, **_entries(ours, theirs, "tags", "tag", lambda entry: entry.get("context") == PRODUCER)}


def _entries(
    ours: Value, theirs: Value, key: str, identity: str, own: Callable[[Value], bool]
) -> dict[str, list[Any]]:
    """Return the entries of others, and ours but for those that another producer has too."""
    foreign = [one for one in theirs.get(key) or () if not own(one)]
    known = {one.get(identity) for one in foreign}
    return {key: [*foreign, *(one for one in ours.get(key) or () if one.get(identity) not in known)]}


def _properties(ours: Value, theirs: Value) -> Value:
    """Merge properties: those that this package registered are replaced, but for the keys of others."""
    custom = dict(theirs.get("customProperties") or {})
    foreign = {key: value for key, value in custom.items() if not key.startswith(OWN_PREFIX)}
    own = dict(ours.get("customProperties") or {})
    edges = {key: _edges(ours, theirs, key) for key in _EDGES if key in ours or key in theirs}
    if MAP in custom:
        return {**theirs, **ours, **edges, "customProperties": foreign | own}
    own.pop(MAP, None)
    lists = {key: _union(ours.get(key), theirs.get(key)) for key in _UNIONS if key in ours or key in theirs}
    filled = {key: value for key, value in ours.items() if not theirs.get(key)}
    return {**theirs, **filled, **lists, **edges, "customProperties": own | foreign}


def _edges(ours: Value, theirs: Value, key: str) -> list[Any]:
    return _entries(ours, theirs, key, "destinationUrn", _own_upstream)[key]


def _union(ours: Sequence[Any] | None, theirs: Sequence[Any] | None) -> list[Any]:
    kept = list(theirs or ())
    return [*kept, *(one for one in ours or () if one not in kept)]


def _job_edges(ours: Value, theirs: Value) -> Value:
    kept = {key: _union(ours.get(key), theirs.get(key)) for key in ("inputDatasets", "outputDatasets")}
    return {
        **theirs,
        **kept,
        **{k: _edges(ours, theirs, k) for k in ("inputDatasetEdges", "outputDatasetEdges")},
    }


def _input_fields(ours: Value, theirs: Value) -> Value:
    foreign = [one for one in theirs.get("fields") or () if not _own_field(one)]
    return {**theirs, "fields": [*foreign, *ours["fields"]]}


def _own_field(entry: Value) -> bool:
    try:
        props = json.loads((entry.get("schemaField") or {}).get("jsonProps") or "{}")
    except (ValueError, RecursionError):
        return False
    return isinstance(props, dict) and props.get("producer") == PRODUCER


def _schema(ours: Value, theirs: Value) -> Value:
    """Keep a schema that another producer read from the system itself."""
    return ours if (theirs.get("lastModified") or {}).get("actor") == ACTOR else theirs


_MERGES: Mapping[str, Callable[[Value, Value], Value]] = {
    "upstreamLineage": _lineage,
    "ownership": _ownership,
    "globalTags": _tags,
    "datasetProperties": _properties,
    "dashboardInfo": _properties,
    "chartInfo": _properties,
    "mlFeatureTableProperties": _properties,
    "mlFeatureProperties": _properties,
    "mlModelProperties": _properties,
    "dataFlowInfo": _properties,
    "dataJobInfo": _properties,
    "dataJobInputOutput": _job_edges,
    "inputFields": _input_fields,
    "schemaMetadata": _schema,
    "subTypes": _theirs,
    "dataPlatformInstance": _theirs,
    "tagProperties": _theirs,
    "corpGroupInfo": _theirs,
}


def _pruned(value: Any) -> Any:
    """Return a value without empty fields and without the stamps that DataHub adds by itself."""
    if isinstance(value, dict):
        found = {key: pruned for key, one in value.items() if (pruned := _pruned(one))}
        return {} if found == {"actor": _UNKNOWN_ACTOR} else found
    if isinstance(value, list | tuple):
        return [_pruned(one) for one in value]
    return value
