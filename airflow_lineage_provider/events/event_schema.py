"""The OpenLineage event schema 2-0-2 as types (https://openlineage.io/spec/2-0-2/OpenLineage.json).

What it says of an event, its run, job and datasets, and of every facet's envelope; a facet's own
fields are its own schema's. Field names are the spec's. The JSON Schema that the endpoint publishes is
made of these types, so that what it says is what is checked. Where they differ from the spec on purpose:

- A URI is a scheme and anything but blanks and control characters: producers write `.../tree/<version>`.
- A time may have a blank for its T, and no colon in its offset; what rounds up into the year 10000 is none.
- A dataset event has neither a run nor a job, and a job event no dataset. The spec's `oneOf` lets such a
  mixture through where its other part happens to be malformed.
- An event is at most 64 deep.
"""

from __future__ import annotations

from datetime import datetime  # msgspec reads the annotations
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

DEEPEST = 64
_CONTAINERS = frozenset({dict, list})

# In Python `$` alone would let a newline follow, and a JSON Schema's patterns know no `\Z`.
_END = r"$(?!\n)"
_UUID = rf"^[0-9A-Fa-f]{{8}}(-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}}{_END}"

Uri = Annotated[str, Meta(pattern=rf"^[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f]*{_END}")]
Uuid = Annotated[str, Meta(pattern=_UUID, extra_json_schema={"format": "uuid"})]
Time = Annotated[datetime, Meta(tz=True)]
Absent = Annotated[UnsetType, Meta(extra_json_schema={"not": {}})]


class Facet(Struct):
    """Metadata of some kind; its own fields are not looked at."""

    producer: Uri = msgspec.field(name="_producer")
    schema_url: Uri = msgspec.field(name="_schemaURL")


class DeletableFacet(Facet):
    """Metadata of some kind, of a job or a dataset."""

    deleted: bool | UnsetType = msgspec.field(name="_deleted", default=UNSET)


Facets = dict[str, Facet] | UnsetType
DeletableFacets = dict[str, DeletableFacet] | UnsetType


class RunEntry(Struct, rename="camel"):
    """One run of a job."""

    run_id: Uuid
    facets: Facets = UNSET


class JobEntry(Struct):
    """What is run."""

    namespace: str
    name: str
    facets: DeletableFacets = UNSET


class DatasetEntry(Struct):
    """A table, a file, a topic, ..."""

    namespace: str
    name: str
    facets: DeletableFacets = UNSET


class InputDataset(DatasetEntry, rename="camel"):
    """A dataset that is read."""

    input_facets: Facets = UNSET


class OutputDataset(DatasetEntry, rename="camel"):
    """A dataset that is written."""

    output_facets: Facets = UNSET


class _Event(Struct, kw_only=True, rename="camel"):
    event_time: Time
    producer: Uri
    schema_url: Uri = msgspec.field(name="schemaURL")


class _Flow(_Event, kw_only=True):
    job: JobEntry
    inputs: list[InputDataset] | UnsetType = UNSET
    outputs: list[OutputDataset] | UnsetType = UNSET


class RunEvent(_Flow, kw_only=True, rename="camel"):
    """What a run reads and writes, and how it fares."""

    run: RunEntry
    event_type: Literal["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"] | UnsetType = UNSET


class JobEvent(_Flow, kw_only=True):
    """What a job reads and writes, whenever it runs."""

    run: Absent = UNSET
    dataset: Absent = UNSET


class DatasetEvent(_Event, kw_only=True):
    """What is known of a dataset."""

    dataset: DatasetEntry
    run: Absent = UNSET
    job: Absent = UNSET


KINDS = (RunEvent, JobEvent, DatasetEvent)


def violation(event: Any) -> str:
    """Return what is wrong with a decoded event, with the path of the place; empty if nothing is."""
    if not isinstance(event, dict):
        return "an event is a JSON object"
    if _deeper_than(event, DEEPEST):
        return f"nested more than {DEEPEST} deep"
    kind = RunEvent if "run" in event else DatasetEvent if "dataset" in event else JobEvent
    if kind is DatasetEvent and "job" in event:
        return "an event without a run has a job or a dataset, not both"
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
