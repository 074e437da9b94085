"""The OpenLineage event schema 2-0-2 as types (https://openlineage.io/spec/2-0-2/OpenLineage.json).

What it says of an event, its run, job and datasets, and of every facet's envelope; a facet's own
fields are its own schema's. Field names are the spec's.
"""

from __future__ import annotations

from datetime import datetime  # msgspec reads the annotations
from typing import Annotated, Any, Literal
from uuid import UUID  # noqa: TC003

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

DEEPEST = 64
_CONTAINERS = frozenset({dict, list})

_Uri = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S*$")]
_Time = Annotated[datetime, Meta(tz=True)]


class _Facet(Struct):
    producer: _Uri = msgspec.field(name="_producer")
    schema_url: _Uri = msgspec.field(name="_schemaURL")
    deleted: bool | UnsetType = msgspec.field(name="_deleted", default=UNSET)


_Facets = dict[str, _Facet] | UnsetType


class _Run(Struct, rename="camel"):
    run_id: UUID
    facets: _Facets = UNSET


class _Job(Struct):
    namespace: str
    name: str
    facets: _Facets = UNSET


class _Dataset(Struct, rename="camel"):
    namespace: str
    name: str
    facets: _Facets = UNSET
    input_facets: _Facets = UNSET
    output_facets: _Facets = UNSET


class _Event(Struct, kw_only=True, rename="camel"):
    event_time: _Time
    producer: _Uri
    schema_url: _Uri = msgspec.field(name="schemaURL")


class _JobEvent(_Event, kw_only=True):
    job: _Job
    inputs: list[_Dataset] | UnsetType = UNSET
    outputs: list[_Dataset] | UnsetType = UNSET


class _RunEvent(_JobEvent, kw_only=True, rename="camel"):
    run: _Run
    event_type: Literal["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"] | UnsetType = UNSET


class _DatasetEvent(_Event, kw_only=True):
    dataset: _Dataset


def violation(event: Any) -> str:
    """Return what is wrong with a decoded event, with the path of the place; empty if nothing is."""
    if not isinstance(event, dict):
        return "an event is a JSON object"
    if _deeper_than(event, DEEPEST):
        return f"nested more than {DEEPEST} deep"
    kind = _RunEvent if "run" in event else _DatasetEvent if "dataset" in event else _JobEvent
    try:
        msgspec.convert(event, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return False
    return True
