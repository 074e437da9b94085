"""The lineage of one DAG run, documented and observed, from which the views are made."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph import EVERY_COLUMN, Code, Finding, Graph, Severity, Verdict, combine
from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers.events import read_events
from airflow_lineage_provider.reports.views.recent import Recent
from airflow_lineage_provider.reports.views.run_events import RunEvents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from airflow_lineage_provider.graph import ColumnEdge, ColumnRef, EdgeVerdict, Provenance
    from airflow_lineage_provider.readers.event_runs import Pair
    from airflow_lineage_provider.reports.views.models import EdgeState, Gravity
    from airflow_lineage_provider.reports.views.saved import MapFacts, SavedValidation

    Event = Mapping[str, Any]
    Subject = tuple[str, str]

_STATES: Mapping[Verdict, EdgeState] = {
    Verdict.VERIFIED: "verified",
    Verdict.PHANTOM: "missing",
    Verdict.UNDECLARED: "undeclared",
    Verdict.UNOBSERVED: "unobserved",
}
_GRAVEST_FIRST: Mapping[Severity, Gravity] = {Severity.ERROR: "error", Severity.WARNING: "warning"}


@dataclass(frozen=True, eq=False)
class RunLineage:
    """Both graphs of a run, the state of each edge between datasets, and the findings.

    `compared` is whether a validation compared the graphs; until then states are provisional. `names` maps
    logical names to OpenLineage's namespace and name.
    """

    documented: Graph
    observed: Graph
    states: Mapping[tuple[str, str], EdgeState]
    findings: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    facts: MapFacts | None = None
    events: RunEvents = field(default_factory=RunEvents)
    names: Mapping[str, Pair] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    compared: bool = False
    made: Recent = field(default_factory=lambda: Recent(8), repr=False)
    """What views make of a run once, such as the names that a search looks at."""

    def prepare(self) -> None:
        """Build what the views share, so that the first requests at once do not each build it."""
        graph = self.graph
        _ = graph.upstream, graph.downstream, graph.columns_of, graph.column_made, self.observed.upstream
        _ = graph.column_upstream, graph.by_table_upstream
        _ = self.targets, self.edge_columns, self.documented_columns
        _ = self.finding_counts, self.gravest, self.column_drift

    @cached_property
    def graph(self) -> Graph:
        """The union of both graphs; what is documented comes first."""
        return combine(self.documented, self.observed)

    @cached_property
    def logical(self) -> Mapping[Pair, str]:
        """The logical name of each OpenLineage name."""
        return {pair: name for name, pair in self.names.items()}

    @cached_property
    def subjects(self) -> Mapping[str, Subject]:
        """The dataset and the column (or nothing) that each finding's subject names; edges: their target."""
        found = {one.subject for one in (*self.findings, *self.accepted)}
        return {subject: _subject(subject, self.graph) for subject in found}

    @cached_property
    def finding_counts(self) -> Counter[Subject]:
        """How many findings each dataset has under an empty column, and each column."""
        counts: Counter[Subject] = Counter()
        for finding in self.findings:
            dataset, column = self.subjects[finding.subject]
            counts[dataset, ""] += 1
            if column:
                counts[dataset, column] += 1
        return counts

    @cached_property
    def gravest(self) -> Mapping[Subject, Gravity]:
        """The severity of the gravest finding of each dataset under an empty column, and of each column."""
        found: dict[Subject, Gravity] = {}
        for finding in sorted(self.findings, key=_rank):
            dataset, column = self.subjects[finding.subject]
            for subject in ((dataset, ""), (dataset, column)):
                found.setdefault(subject, gravity(finding))
        return found

    @cached_property
    def column_drift(self) -> Mapping[str, EdgeState]:
        """The state of the column edges that findings are about, by their text."""
        states: Mapping[Code, EdgeState] = {
            Code.COLUMN_EDGE_MISSING: "missing",
            Code.COLUMN_EDGE_UNEXPECTED: "undeclared",
        }
        return {
            one.subject: states[one.code] for one in (*self.findings, *self.accepted) if one.code in states
        }

    def column_state(self, edge: ColumnEdge) -> EdgeState:
        """Return the state of a column edge of `graph`."""
        drift = self.column_drift.get(str(edge))
        if drift:
            return drift
        if EVERY_COLUMN in {edge.source.column, edge.target.column}:
            return self.states.get((edge.source.dataset, edge.target.dataset), "observed")
        documented = self.documented.column_edge(edge.source, edge.target) is not None
        observed = self.observed.column_edge(edge.source, edge.target)
        if documented and observed:
            saved = observed.provenance and all(one.saved for one in observed.provenance)
            return "saved" if saved else "verified"
        if observed:
            return "observed"
        return "unobserved" if self.compared else "documented"

    @cached_property
    def edge_columns(self) -> Counter[tuple[str, str]]:
        """The number of column edges between two datasets."""
        return Counter((edge.source.dataset, edge.target.dataset) for edge in self.graph.column_edges)

    @cached_property
    def documented_columns(self) -> Mapping[str, set[str]]:
        """The columns of each dataset of which the map says what they are made from."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for target in self.documented.made_from:
            found[target.dataset].add(target.column)
        return dict(found)

    @cached_property
    def targets(self) -> Mapping[ColumnRef, Sequence[ColumnEdge]]:
        """The column edges out of each column."""
        found: defaultdict[ColumnRef, list[ColumnEdge]] = defaultdict(list)
        for edge in self.graph.column_edges:
            found[edge.source].append(edge)
        return dict(found)

    def file(self, place: Provenance) -> str:
        """Return the name of the map's file, without the folders of the machine that read it."""
        return Path(place.file).name


def gravity(finding: Finding) -> Gravity:
    """Return the severity of a finding as the API names it."""
    return _GRAVEST_FIRST.get(finding.severity, "info")


def _rank(finding: Finding) -> int:
    return [*_GRAVEST_FIRST.values(), "info"].index(gravity(finding))


def validated_run(saved: SavedValidation, events: RunEvents) -> RunLineage:
    """Return the lineage of a run that was compared with its map."""
    return RunLineage(
        saved.documented,
        saved.observed,
        {(one.edge.source, one.edge.target): _state(one) for one in saved.edges},
        saved.findings,
        saved.accepted,
        facts=saved.facts,
        events=events,
        names={logical: (namespace, name) for logical, namespace, name in saved.names},
        notes=saved.notes,
        compared=True,
    )


def observed_run(
    events: Iterable[Event], details: RunEvents, saved: SavedValidation | None, notes: Sequence[str] = ()
) -> RunLineage:
    """Return the lineage of a run that was not compared: beside an earlier run's map where there is one."""
    documented = saved.documented if saved else Graph()
    bindings = Bindings.of(saved.facts.bindings, documented.datasets) if saved else Bindings(())
    evidence = read_events(events, bindings)
    named = [one for job in evidence.jobs for one in (*job.inputs, *job.outputs)]
    return RunLineage(
        documented,
        evidence.graph,
        _provisional(documented, evidence.graph),
        facts=saved.facts if saved else None,
        events=details,
        names={one.logical: (one.namespace, one.name) for one in named},
        notes=(*notes, *evidence.problems),
    )


def _provisional(documented: Graph, observed: Graph) -> dict[tuple[str, str], EdgeState]:
    unexpected: EdgeState = "undeclared" if documented.edges else "observed"
    states: dict[tuple[str, str], EdgeState] = dict.fromkeys(observed.edges, unexpected)
    for pair in documented.edges:
        states[pair] = "verified" if pair in observed.edges else "documented"
    return states


def _state(verdict: EdgeVerdict) -> EdgeState:
    if verdict.verdict is Verdict.VERIFIED and verdict.through:
        return "through"
    if verdict.verdict is Verdict.VERIFIED and verdict.saved:
        return "saved"
    return _STATES[verdict.verdict]


def _subject(text: str, graph: Graph) -> Subject:
    """Return the dataset and the column that a text names; of an edge its target, else its source."""
    source, _, target = text.rpartition(" -> ")
    for part in (target, source):
        if part in graph.datasets:
            return part, ""
        dataset, _, column = part.rpartition(".")
        while dataset and dataset not in graph.datasets:
            dataset, _, rest = dataset.rpartition(".")
            column = f"{rest}.{column}"
        if dataset:
            return dataset, column
    return "", ""
