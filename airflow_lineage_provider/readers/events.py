"""OpenLineage events as a graph, and the jobs that emitted them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import (
    EVERY_COLUMN,
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Provenance,
    Transformation,
)
from airflow_lineage_provider.readers.evidence import BoundDataset, Evidence, JobRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.lineage_map import Bindings

    Event = Mapping[str, Any]

_UNNAMED = "the event's column lineage does not name it"
_SILENT = "the event has no column lineage"
_TERMINAL = frozenset({"COMPLETE", "FAIL", "ABORT"})


def read_events(events: Iterable[Event], bindings: Bindings, *, until: str = "") -> Evidence:
    """Return what the events say, by logical names where the bindings have one.

    With `until`, an ISO 8601 time, what they said by then. Raises ValueError for what is no such time.

    Of the runs of a job the last counts, so that a retry replaces the try before it. Only a run that
    completed adds to the graph: its inputs by its outputs, with the columns that its facets name.
    """
    last: dict[tuple[str, str], _Run] = {}
    for run in _runs(_by(until, events) if until else events).values():
        key = (run.namespace, run.name)
        if key not in last or run.order() > last[key].order():
            last[key] = run
    reader = _Reader(bindings)
    jobs = tuple(reader.read(run) for run in sorted(last.values(), key=lambda r: (r.started, r.name)))
    return Evidence(
        Graph([*reader.outputs, *reader.inputs], reader.edges, reader.column_edges),
        dialect=_dialect(last.values()),
        jobs=jobs,
    )


def _by(until: str, events: Iterable[Event]) -> Iterator[Event]:
    end = _moment(until)
    if end is None:
        raise InputError(f"{until!r} is not a time; write it like 2026-01-31T12:00:00+00:00")
    for event in events:
        at = _moment(str(event.get("eventTime") or ""))
        if at is not None and at <= end:
            yield event


def _moment(text: str) -> dt.datetime | None:
    """Return a time with its zone; one without is UTC."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _dialect(runs: Iterable[_Run]) -> str:
    spoken = Counter(str(_mapping(run.job_facets.get("sql")).get("dialect") or "") for run in runs)
    del spoken[""]
    return next((dialect for dialect, _ in spoken.most_common(1)), "")


@dataclass(slots=True)
class _Run:
    """The events of one run; the later one's facets replace the earlier one's."""

    namespace: str
    name: str
    run_id: str
    status: str = ""
    started: str = ""
    at: str = ""
    job_facets: dict[str, Any] = field(default_factory=dict)
    run_facets: dict[str, Any] = field(default_factory=dict)
    inputs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    outputs: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def order(self) -> tuple[bool, str]:
        return self.status in _TERMINAL, self.at

    def add(self, event: Event) -> None:
        status, at = str(event.get("eventType") or "OTHER"), str(event.get("eventTime") or "")
        if self.status not in _TERMINAL or status in _TERMINAL:
            self.status, self.at = status, max(at, self.at)
        self.started = min(self.started or at, at)
        self.job_facets |= _mapping(_mapping(event.get("job")).get("facets"))
        self.run_facets |= _mapping(_mapping(event.get("run")).get("facets"))
        for known, key, extra in (
            (self.inputs, "inputs", "inputFacets"),
            (self.outputs, "outputs", "outputFacets"),
        ):
            for dataset in _mappings(event.get(key)):
                facets = known.setdefault((str(dataset.get("namespace")), str(dataset.get("name"))), {})
                facets |= {**_mapping(dataset.get("facets")), **_mapping(dataset.get(extra))}


def _runs(events: Iterable[Event]) -> dict[tuple[str, str, str], _Run]:
    """Group by run; what is about no run (a DatasetEvent, a JobEvent) says nothing of a flow."""
    runs: dict[tuple[str, str, str], _Run] = {}
    for event in sorted(_mappings(list(events)), key=lambda e: str(e.get("eventTime") or "")):
        job, run = _mapping(event.get("job")), _mapping(event.get("run"))
        if job and run:
            key = (str(job.get("namespace")), str(job.get("name")), str(run.get("runId")))
            runs.setdefault(key, _Run(*key)).add(event)
    return runs


class _Reader:
    """Collects what the runs say, by logical names."""

    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings
        self.names: dict[tuple[str, str], str] = {}
        self.folding: dict[tuple[str, str], bool] = {}
        self.outputs: list[Dataset] = []
        self.inputs: list[Dataset] = []
        self.edges: list[Edge] = []
        self.column_edges: list[ColumnEdge] = []

    def read(self, run: _Run) -> JobRun:
        inputs = tuple(BoundDataset(*key, self.name(*key)) for key in run.inputs)
        outputs = tuple(BoundDataset(*key, self.name(*key)) for key in run.outputs)
        provenance = (Provenance("event", job=run.name, run_id=run.run_id, at=run.at),)
        if run.status == "COMPLETE":
            self.outputs += (
                self.dataset(key, facets, provenance, made=True) for key, facets in run.outputs.items()
            )
            self.inputs += (self.dataset(key, facets, provenance) for key, facets in run.inputs.items())
            self.edges += (
                Edge(source.logical, target.logical, job=run.name, provenance=provenance)
                for target in outputs
                for source in inputs
                if source.logical != target.logical
            )
            for key, facets in run.outputs.items():
                self.column_edges += self.column_lineage(key, facets, provenance)
        return _job_run(run, inputs, outputs)

    def name(self, namespace: str, name: str) -> str:
        key = (namespace, name)
        if key not in self.names:
            physical = f"{namespace.rstrip('/')}/{name.lstrip('/')}"
            self.names[key] = self.bindings.logical(*key) or physical
        return self.names[key]

    def column(self, key: tuple[str, str], name: str) -> str:
        if key not in self.folding:
            self.folding[key] = self.bindings.folds(*key)
        return name.lower() if self.folding[key] else name

    def dataset(
        self,
        key: tuple[str, str],
        facets: Mapping[str, Any],
        provenance: tuple[Provenance, ...],
        *,
        made: bool = False,
    ) -> Dataset:
        lineage = _mapping(_mapping(facets.get("columnLineage")).get("fields"))
        gap = "" if not made else _UNNAMED if lineage else _SILENT
        known = {self.column(key, name) for name in lineage}
        columns = {}
        for field_ in _mappings(_mapping(facets.get("schema")).get("fields")):
            name = self.column(key, str(field_.get("name")))
            kind, description = str(field_.get("type") or ""), str(field_.get("description") or "")
            columns[name] = Column(name, kind, description, provenance[0], "" if name in known else gap)
        return Dataset(
            self.name(*key),
            kind=str(_mapping(facets.get("datasetType")).get("datasetType") or "table").lower(),
            system=key[0],
            description=str(_mapping(facets.get("documentation")).get("description") or ""),
            owners=tuple(
                str(owner.get("name")) for owner in _mappings(_mapping(facets.get("ownership")).get("owners"))
            ),
            columns=columns,
            provenance=provenance,
        )

    def column_lineage(
        self, key: tuple[str, str], facets: Mapping[str, Any], provenance: tuple[Provenance, ...]
    ) -> Iterator[ColumnEdge]:
        facet, target = _mapping(facets.get("columnLineage")), self.name(*key)
        by_column = {
            self.column(key, name): _mappings(_mapping(made).get("inputFields"))
            for name, made in _mapping(facet.get("fields")).items()
        }
        for column, made_from in (*by_column.items(), (EVERY_COLUMN, _mappings(facet.get("dataset")))):
            for source in made_from:
                there = (str(source.get("namespace")), str(source.get("name")))
                ref = ColumnRef(self.name(*there), self.column(there, str(source.get("field"))))
                if ref.dataset != target:
                    yield ColumnEdge(
                        ref,
                        ColumnRef(target, column),
                        tuple(_transformation(t) for t in _mappings(source.get("transformations"))),
                        job=provenance[0].job,
                        provenance=provenance,
                    )


def _transformation(facet: Mapping[str, Any]) -> Transformation:
    return Transformation(
        type=str(facet.get("type") or "DIRECT"),
        subtype=str(facet.get("subtype") or ""),
        expression=str(facet.get("description") or ""),
        masking=bool(facet.get("masking")),
    )


def _job_run(run: _Run, inputs: tuple[BoundDataset, ...], outputs: tuple[BoundDataset, ...]) -> JobRun:
    rows = [_mapping(facets.get("outputStatistics")).get("rowCount") for facets in run.outputs.values()]
    counted = [count for count in rows if isinstance(count, int)]
    assertions = [
        assertion
        for facets in run.inputs.values()
        for assertion in _mappings(_mapping(facets.get("dataQualityAssertions")).get("assertions"))
    ]
    failed = [assertion for assertion in assertions if not assertion.get("success")]
    return JobRun(
        namespace=run.namespace,
        name=run.name,
        run_id=run.run_id,
        kind=str(_mapping(run.job_facets.get("jobType")).get("jobType") or ""),
        status=run.status,
        started=run.started,
        ended=run.at if run.status in _TERMINAL else "",
        seconds=_seconds(run.started, run.at) if run.status in _TERMINAL else None,
        rows=sum(counted) if counted else None,
        error=str(_mapping(run.run_facets.get("errorMessage")).get("message") or ""),
        inputs=inputs,
        outputs=outputs,
        assertions=len(assertions),
        failed_assertions=sum(a.get("severity") != "warn" for a in failed),
        warned_assertions=sum(a.get("severity") == "warn" for a in failed),
    )


def _seconds(started: str, ended: str) -> float | None:
    first, last = _moment(started), _moment(ended)
    return (last - first).total_seconds() if first and last else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
