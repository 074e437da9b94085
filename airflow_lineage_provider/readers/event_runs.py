"""OpenLineage run events merged into one record a run, as small as a comparison needs.

Events are read one by one and in any order, and only the parts that lineage needs are kept: a run of 20,000
events with their SQL would not fit into memory.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from airflow_lineage_provider.events.event import END_TYPES, event_time, text_at
from airflow_lineage_provider.events.tags import PROPERTY_SOURCE, TAG_SOURCE
from airflow_lineage_provider.graph import EVERY_COLUMN, Transformation
from airflow_lineage_provider.plain_json import mapping, mappings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    Event = Mapping[str, Any]

_SPELLINGS = 4
_NO_TIME = event_time({})

T = TypeVar("T")

Pair = tuple[str, str]
"""The namespace and the name of a dataset."""


class JobIdentity(NamedTuple):
    """What tells two jobs apart: their name and, of a dbt node, its project, id, database and schema.

    One name may belong to nodes of several projects, and one node may run against several targets.
    """

    namespace: str
    name: str
    project: str = ""
    unique_id: str = ""
    database: str = ""
    schema: str = ""

    def spellings(self) -> tuple[str, ...]:
        """Return what the job may be called, from its name to all that tells it apart."""
        named = f"{self.namespace}/{self.name}"
        project = f"{self.project}: {self.name}" if self.project else named
        target = ".".join(filter(None, (self.database, self.schema)))
        details = ", ".join(filter(None, (self.unique_id, target)))
        return self.name, named, project, f"{project} ({details})" if details else project


class SchemaField(NamedTuple):
    """A column of a schema facet."""

    name: str
    type: str
    description: str


class Property(NamedTuple):
    """What a system states of a dataset, or of one of its fields."""

    field: str
    name: str
    value: str


class FieldSource(NamedTuple):
    """One input field of a column lineage facet; `column` is the output field, or `*` for all of them."""

    column: str
    dataset: Pair
    field: str
    transformations: tuple[Transformation, ...]


class Assertions(NamedTuple):
    """How many data quality assertions a facet has, how many of them failed or warned, and of what."""

    total: int
    failed: int
    warned: int
    about: tuple[tuple[str, str], ...] = ()
    """The column, or nothing for the whole dataset, and the kind of each assertion."""


@dataclass(slots=True)
class DatasetFacets:
    """The facets of one dataset of a run; None for a facet that no event has."""

    fields: tuple[SchemaField, ...] | None = None
    lineage: tuple[FieldSource, ...] | None = None
    resolved: tuple[str, ...] | None = None
    """The columns whose lineage is known, those that are made from no column too."""
    kind: str | None = None
    description: str | None = None
    owners: tuple[str, ...] | None = None
    rows: int | None = None
    assertions: Assertions | None = None
    url: str | None = None
    """The page of the dataset, by its data source."""
    properties: tuple[Property, ...] | None = None

    def update(self, other: DatasetFacets) -> None:
        """Take every facet that `other` has."""
        for name in DatasetFacets.__slots__:
            value = getattr(other, name)
            if value is not None:
                setattr(self, name, value)


@dataclass(slots=True)
class EventRun:
    """One run: its job, how it ended, and the facets of its datasets. A later event's facets win."""

    identity: JobIdentity
    run_id: str
    status: str = ""
    ended: bool = False
    at: datetime = _NO_TIME
    at_text: str = ""
    started: datetime | None = None
    started_text: str = ""
    kind: str = ""
    dialect: str = ""
    error: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    """The tags that this package gave the run."""
    inputs: dict[Pair, DatasetFacets] = field(default_factory=dict)
    outputs: dict[Pair, DatasetFacets] = field(default_factory=dict)
    _latest: tuple[datetime, bool] | None = None

    @property
    def order(self) -> tuple[bool, datetime]:
        """Sorts the runs of a job: one that ended is after one that did not, else by time."""
        return self.ended, self.at

    def add(self, event: Event, facets: FacetReader) -> None:
        """Merge an event of this run, whatever the order in which the events come."""
        time, status = event_time(event), text_at(event, "eventType").upper() or "OTHER"
        ends = status in END_TYPES
        text = text_at(event, "eventTime")
        if (ends, time) >= (self.ended, self.at):
            self.status, self.ended, self.at, self.at_text = status, ends, time, text
        if self.started is None or time < self.started:
            self.started, self.started_text = time, text
        later = self._latest is None or (time, ends) >= self._latest
        if later:
            self._latest = time, ends
        self._job(event, later)
        for known, key, own in (
            (self.inputs, "inputs", "inputFacets"),
            (self.outputs, "outputs", "outputFacets"),
        ):
            for dataset in mappings(event.get(key)):
                pair = facets.pair(dataset)
                found = facets.read(dataset, own, with_lineage=known is self.outputs)
                before = known.setdefault(pair, found)
                if before is not found:
                    if later:
                        before.update(found)
                    else:
                        found.update(before)
                        known[pair] = found

    def _job(self, event: Event, later: bool) -> None:  # noqa: FBT001
        for name, value in (
            ("kind", text_at(event, "job", "facets", "jobType", "jobType")),
            ("dialect", text_at(event, "job", "facets", "sql", "dialect")),
            ("error", text_at(event, "run", "facets", "errorMessage", "message")),
        ):
            if value and (later or not getattr(self, name)):
                setattr(self, name, value)
        self.tags = self.tags | _tags(event) if later else _tags(event) | self.tags
        identity = identity_of(event)
        if identity != self.identity:
            self.identity = JobIdentity(
                *(new or old for new, old in zip(identity, self.identity, strict=True))
            )


def _tags(event: Event) -> dict[str, str]:
    facet = mapping(mapping(mapping(event.get("run")).get("facets")).get("tags"))
    tags = mappings(facet.get("tags"))
    return {_text(tag, "key"): _text(tag, "value") for tag in tags if tag.get("source") == TAG_SOURCE}


def merge_runs(events: Iterable[Event], *, with_lineage: bool = True) -> list[EventRun]:
    """Return the runs that the events are of; a DatasetEvent and a JobEvent belong to none.

    Without lineage the column lineage of outputs, most of an event, is not read.
    """
    runs: dict[tuple[str, str, str], EventRun] = {}
    facets = FacetReader(with_lineage=with_lineage)
    for event in events:
        if (
            isinstance(event, dict)
            and isinstance(event.get("job"), dict)
            and isinstance(event.get("run"), dict)
        ):
            identity, run_id = identity_of(event), text_at(event, "run", "runId")
            key = (identity.namespace, identity.name, run_id)
            if key not in runs:
                runs[key] = EventRun(identity, run_id)
            runs[key].add(event, facets)
    return list(runs.values())


def last_runs(runs: Iterable[EventRun]) -> list[EventRun]:
    """Return the last run of each job, by the time they started."""
    last: dict[JobIdentity, EventRun] = {}
    for run in runs:
        known = last.setdefault(run.identity, run)
        if run.order > known.order:
            last[run.identity] = run
    return sorted(last.values(), key=lambda run: (run.started or _NO_TIME, run.identity))


def job_labels(identities: Iterable[JobIdentity]) -> dict[JobIdentity, str]:
    """Return what to call each job: its name, with what tells it apart where several have that name."""
    left = list(dict.fromkeys(identities))
    labels: dict[JobIdentity, str] = {}
    for number in range(_SPELLINGS):
        spelled = {identity: identity.spellings()[number] for identity in left}
        counts = Counter(spelled.values())
        labels |= {identity: text for identity, text in spelled.items() if counts[text] == 1}
        left = [identity for identity in left if identity not in labels]
    return labels | {identity: identity.spellings()[-1] for identity in left}


def identity_of(event: Event) -> JobIdentity:
    """Return the identity of the job that a run event is of."""
    node = ("job", "facets", "dbt_node")
    return JobIdentity(
        text_at(event, "job", "namespace"),
        text_at(event, "job", "name"),
        text_at(event, "run", "facets", "dbt_run", "project_name"),
        text_at(event, *node, "unique_id"),
        text_at(event, *node, "database"),
        text_at(event, *node, "schema"),
    )


class FacetReader:
    """Reads the facets of datasets. Equal values are stored once, since most events repeat them."""

    def __init__(self, *, with_lineage: bool = True) -> None:
        self._with_lineage = with_lineage
        self._shared: dict[Any, Any] = {}

    def pair(self, dataset: Mapping[str, Any]) -> Pair:
        """Return the namespace and the name of a dataset."""
        return self._share((_text(dataset, "namespace"), _text(dataset, "name")))

    def read(self, dataset: Mapping[str, Any], own: str, *, with_lineage: bool) -> DatasetFacets:
        """Return the facets of a dataset of an event; `own` is the key of its input or output facets."""
        common, special = mapping(dataset.get("facets")), mapping(dataset.get(own))
        found = DatasetFacets()
        if "schema" in common:
            found.fields = self._fields(mapping(common["schema"]))
        if with_lineage and self._with_lineage and "columnLineage" in common:
            found.lineage = self._lineage(mapping(common["columnLineage"]))
            found.resolved = self._share(
                tuple(map(str, mapping(mapping(common["columnLineage"]).get("fields"))))
            )
        if "datasetType" in common:
            found.kind = intern(text_at(common, "datasetType", "datasetType"))
        if "dataSource" in common:
            found.url = intern(text_at(common, "dataSource", "uri"))
        if "documentation" in common:
            found.description = self._share(text_at(common, "documentation", "description"))
        if "ownership" in common:
            owners = mappings(mapping(common["ownership"]).get("owners"))
            found.owners = self._share(tuple(text_at(owner, "name") for owner in owners))
        if "tags" in common:
            found.properties = self._properties(mapping(common["tags"]))
        rows = mapping(special.get("outputStatistics")).get("rowCount")
        if isinstance(rows, int):
            found.rows = rows
        if "dataQualityAssertions" in special:
            found.assertions = _assertions(mapping(special["dataQualityAssertions"]))
        return found

    def _fields(self, schema: Mapping[str, Any]) -> tuple[SchemaField, ...]:
        fields = (
            SchemaField(_text(one, "name"), _text(one, "type"), _text(one, "description"))
            for one in mappings(schema.get("fields"))
        )
        return self._share(tuple(fields))

    def _properties(self, facet: Mapping[str, Any]) -> tuple[Property, ...]:
        return self._share(
            tuple(
                Property(_text(tag, "field"), _text(tag, "key"), _text(tag, "value"))
                for tag in mappings(facet.get("tags"))
                if tag.get("source") == PROPERTY_SOURCE
            )
        )

    def _lineage(self, facet: Mapping[str, Any]) -> tuple[FieldSource, ...]:
        by_column = [
            (str(column), mappings(mapping(made).get("inputFields")))
            for column, made in mapping(facet.get("fields")).items()
        ]
        return self._share(
            tuple(
                FieldSource(
                    intern(column),
                    self.pair(source),
                    _text(source, "field"),
                    self._share(tuple(_transformation(t) for t in mappings(source.get("transformations")))),
                )
                for column, sources in (*by_column, (EVERY_COLUMN, mappings(facet.get("dataset"))))
                for source in sources
            )
        )

    def _share(self, value: T) -> T:
        shared: T = self._shared.setdefault(value, value)
        return shared


def _transformation(facet: Mapping[str, Any]) -> Transformation:
    return Transformation(
        type=_text(facet, "type") or "DIRECT",
        subtype=_text(facet, "subtype"),
        expression=_text(facet, "description"),
        masking=bool(facet.get("masking")),
    )


def _assertions(facet: Mapping[str, Any]) -> Assertions:
    found = mappings(facet.get("assertions"))
    failed = [assertion for assertion in found if not assertion.get("success")]
    warned = sum(assertion.get("severity") == "warn" for assertion in failed)
    about = dict.fromkeys((_text(assertion, "column"), _text(assertion, "assertion")) for assertion in found)
    return Assertions(len(found), len(failed) - warned, warned, tuple(about))


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return intern(found) if isinstance(found, str) else ""
