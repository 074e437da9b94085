"""Patches of the lineage aspect, as DataHub's ingestions write them: JSON Patch, keys in place of indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATCHED = "upstreamLineage"
"""The aspect whose patches are read."""
_COLUMN_PARTS = 5
_NONE = "NONE"


def patched_lineage(base: Mapping[str, Any] | None, operations: Any) -> dict[str, Any] | None:
    """Return an `upstreamLineage` with a patch applied; None for a patch of another form."""
    if not isinstance(operations, list):
        return None
    upstreams = {one.get("dataset"): one for one in (base or {}).get("upstreams") or ()}
    columns = {_key(one): one for one in (base or {}).get("fineGrainedLineages") or ()}
    for operation in operations:
        path = [_decoded(part) for part in str(operation.get("path", "")).split("/")[1:]]
        value, adds = operation.get("value") or {}, operation.get("op") == "add"
        if not adds and operation.get("op") != "remove":
            return None
        if path[:1] == ["upstreams"] and len(path) > 1:
            _set(upstreams, path[1], {"dataset": path[1], **value} if adds else None)
        elif path[:1] == ["fineGrainedLineages"] and len(path) == _COLUMN_PARTS:
            _set(columns, tuple(path[1:]), _column(path, value) if adds else None)
        else:
            return None
    return {"upstreams": list(upstreams.values()), "fineGrainedLineages": list(columns.values())}


def _column(path: Sequence[str], value: Mapping[str, Any]) -> dict[str, Any]:
    _, operation, downstream, _, upstream = path
    found = {"upstreams": [upstream], "downstreams": [downstream], **value}
    return found if operation == _NONE else {"transformOperation": operation, **found}


def _key(entry: Mapping[str, Any]) -> tuple[str, ...]:
    ends = (*(entry.get("downstreams") or ("",))[:1], *(entry.get("upstreams") or ("",))[:1])
    return (entry.get("transformOperation") or _NONE, ends[0], entry.get("query") or _NONE, ends[1])


def _set(entries: dict[Any, Any], key: Any, value: Any) -> None:
    if value is None:
        entries.pop(key, None)
    else:
        entries[key] = value


def _decoded(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
