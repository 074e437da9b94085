"""OpenLineage events as a graph, and the jobs that emitted them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.event import event_time
from airflow_lineage_provider.events.tags import LISTS_ALL, SAVED_ANSWER
from airflow_lineage_provider.graph import (
    CONSUMERS,
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Provenance,
)
from airflow_lineage_provider.readers.event_runs import (
    DatasetFacets,
    EventRun,
    JobIdentity,
    Pair,
    job_labels,
    last_runs,
    merge_runs,
)
from airflow_lineage_provider.readers.evidence import BoundDataset, Checked, Evidence, JobRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.lineage_map import Bindings

    Event = Mapping[str, Any]

_UNNAMED = "the event's column lineage does not name it"
_SILENT = "the event has no column lineage"


def read_events(
    events: Iterable[Event], bindings: Bindings, *, until: str = "", every_run: bool = False
) -> Evidence:
    """Return the lineage that events report, by logical names where the bindings have one.

    `until`, an ISO 8601 time, leaves out the events after it. Raises InputError for any other text.

    The last run of each job counts, so that a retry replaces the try before it; with `every_run` each run
    does, and the schema of the last one. Only a run that completed adds to the graph: an edge from each input
    to each output, and the columns that its facets name. The CSV file of a dbt seed is an input where the map
    documents it.
    """
    merged = merge_runs(_by(until, events) if until else events)
    runs = last_runs(merged)
    if every_run:  # those before the last ones, so that their schemas do not count
        known = set(map(id, runs))
        older = (run for run in merged if id(run) not in known)
        runs += sorted(older, key=lambda run: run.order, reverse=True)
    reader = _GraphBuilder(bindings, job_labels(run.identity for run in runs))
    jobs = tuple(reader.add(run) for run in runs)
    dialects = Counter(run.dialect for run in runs if run.dialect)
    return Evidence(
        reader.graph(),
        dialect=next((dialect for dialect, _ in dialects.most_common(1)), ""),
        jobs=jobs,
        lists_all=frozenset(
            system.casefold() for run in runs if run.ended and (system := run.tags.get(LISTS_ALL, ""))
        ),
        checked=frozenset(reader.checked),
        unchecked=frozenset(reader.unchecked),
        problems=tuple(reader.problems()),
    )


def parse_time(text: str) -> dt.datetime:
    """Return an ISO 8601 time with its zone, UTC by default. Raises InputError for any other text."""
    try:
        time = dt.datetime.fromisoformat(text.strip().upper())
    except ValueError:
        raise InputError(f"{text!r} is not a time; write it like 2026-01-31T12:00:00+00:00") from None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _by(until: str, events: Iterable[Event]) -> Iterator[Event]:
    end, unknown = parse_time(until), event_time({})
    return (event for event in events if unknown < event_time(event) <= end)


class _GraphBuilder:
    """Collects datasets and edges by logical names."""

    def __init__(self, bindings: Bindings, labels: Mapping[JobIdentity, str]) -> None:
        self.bindings = bindings
        self.labels = labels
        self.names: dict[Pair, str] = {}
        self.folding: dict[Pair, bool] = {}
        self.outputs: dict[str, list[Dataset]] = {}
        self.inputs: dict[str, Dataset] = {}
        self.edges: list[Edge] = []
        self.column_edges: list[ColumnEdge] = []
        self.checked: set[Checked] = set()
        self.unchecked: set[str] = set()

    def graph(self) -> Graph:
        made = (dataset for datasets in self.outputs.values() for dataset in datasets)
        # A dataset that is only read has the provenance of its first reader: there may be thousands.
        read = (d for name, d in self.inputs.items() if name not in self.outputs or d.columns)
        return Graph([*made, *read], self.edges, self.column_edges)

    def problems(self) -> Iterator[str]:
        """Yield a line for each OpenLineage name that several documented datasets are bound to."""
        seen = set(self.names.values())
        for name, datasets in self.bindings.ambiguous():
            if not seen.isdisjoint(datasets):
                yield f"{name} is bound to {' and to '.join(datasets)}: {datasets[0]} is taken"

    def add(self, run: EventRun) -> JobRun:
        inputs = tuple(BoundDataset(*pair, self.name(pair)) for pair in run.inputs)
        outputs = tuple(BoundDataset(*pair, self.name(pair)) for pair in run.outputs)
        label = self.labels[run.identity]
        self.add_checks(run)
        if run.status == "COMPLETE":
            provenance = (
                Provenance("event", job=label, run_id=run.run_id, at=run.at_text, saved=_saved(run)),
            )
            read = [one for one in inputs if run.kind != "SEED" or self.is_wanted(one)]
            ignored = {one.logical for one in inputs} - {one.logical for one in read}
            for output in (one for one in outputs if run.kind != "TEST" or self.is_wanted(one)):
                dataset = self.dataset(output, run.outputs[output[:2]], provenance, made=True)
                self.outputs.setdefault(output.logical, []).append(dataset)
                facets = run.outputs[output[:2]]
                self.column_edges += (
                    edge
                    for edge in self.column_lineage(output, facets, provenance)
                    if edge.source.dataset not in ignored
                )
                self.edges += (
                    Edge(source, output.logical, job=label, provenance=provenance)
                    for source in dict.fromkeys(one.logical for one in read)
                    if source != output.logical
                )
            for one in read:
                known = self.inputs.get(one.logical)
                if known is None or (not known.columns and run.inputs[one[:2]].fields):
                    self.inputs[one.logical] = self.dataset(one, run.inputs[one[:2]], provenance)
        return _job_run(run, label, inputs, outputs)

    def add_checks(self, run: EventRun) -> None:
        found = {pair: facets.assertions for pair, facets in run.inputs.items() if facets.assertions}
        for pair, assertions in found.items():
            self.checked.update(
                Checked(self.name(pair), column.casefold(), kind) for column, kind in assertions.about
            )
        if run.kind == "TEST" and not found:
            self.unchecked.update(map(self.name, run.inputs))

    def is_wanted(self, dataset: BoundDataset) -> bool:
        """Whether the CSV file of a seed, or a test's table of failing rows, is one of the graph.

        With a map it is where the map documents it.
        """
        documented = self.bindings.documented
        return not documented or dataset.logical in documented

    def name(self, pair: Pair) -> str:
        if pair not in self.names:
            namespace, name = pair
            physical = f"{namespace.rstrip('/')}/{name.lstrip('/')}"
            self.names[pair] = self.bindings.logical(namespace, name) or physical
        return self.names[pair]

    def column(self, pair: Pair, name: str) -> str:
        if pair not in self.folding:
            self.folding[pair] = self.bindings.folds(*pair)
        return name.lower() if self.folding[pair] else name

    def dataset(
        self,
        bound: BoundDataset,
        facets: DatasetFacets,
        provenance: tuple[Provenance, ...],
        *,
        made: bool = False,
    ) -> Dataset:
        pair = (bound.namespace, bound.name)
        gap = "" if not made else _UNNAMED if facets.resolved else _SILENT
        known = {self.column(pair, column) for column in facets.resolved or ()}
        stated = facets.properties or ()
        columns = {}
        for field in facets.fields or ():
            name = self.column(pair, field.name)
            why = "" if name in known else gap
            own = tuple((one.name, one.value) for one in stated if one.field == field.name)
            columns[name] = Column(name, field.type, field.description, provenance[0], why, own)
        return Dataset(
            bound.logical,
            kind=(facets.kind or "table").lower(),
            system=bound.namespace,
            description=facets.description or "",
            owners=facets.owners or (),
            columns=columns,
            provenance=provenance,
            properties=(*((one.name, one.value) for one in stated if not one.field), *_page(facets)),
            partial=made and not columns,
        )

    def column_lineage(
        self, bound: BoundDataset, facets: DatasetFacets, provenance: tuple[Provenance, ...]
    ) -> Iterator[ColumnEdge]:
        pair = (bound.namespace, bound.name)
        for source in facets.lineage or ():
            ref = ColumnRef(self.name(source.dataset), self.column(source.dataset, source.field))
            if ref.dataset != bound.logical:
                target = ColumnRef(bound.logical, self.column(pair, source.column))
                yield ColumnEdge(
                    ref, target, source.transformations, job=provenance[0].job, provenance=provenance
                )


def _page(facets: DatasetFacets) -> Iterator[tuple[str, str]]:
    """Yield the address of a consumer's page; the data source of a table is its server."""
    if facets.url and facets.url.startswith("http") and (facets.kind or "").lower() in CONSUMERS:
        yield "url", facets.url


def _saved(run: EventRun) -> str:
    return run.tags.get(SAVED_ANSWER, "")


def _job_run(
    run: EventRun, label: str, inputs: tuple[BoundDataset, ...], outputs: tuple[BoundDataset, ...]
) -> JobRun:
    rows = [facets.rows for facets in run.outputs.values() if facets.rows is not None]
    assertions = [facets.assertions for facets in run.inputs.values() if facets.assertions]
    seconds = (run.at - run.started).total_seconds() if run.started else None
    return JobRun(
        namespace=run.identity.namespace,
        name=run.identity.name,
        label=label,
        run_id=run.run_id,
        kind=run.kind,
        status=run.status,
        started=run.started_text,
        ended=run.at_text if run.ended else "",
        seconds=seconds if run.ended else None,
        rows=sum(rows) if rows else None,
        error=run.error,
        saved=_saved(run),
        tags=run.tags,
        inputs=inputs,
        outputs=outputs,
        assertions=sum(one.total for one in assertions),
        failed_assertions=sum(one.failed for one in assertions),
        warned_assertions=sum(one.warned for one in assertions),
    )
