"""The graph of a run by table: lanes, nodes and edges."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph import CONSUMERS
from airflow_lineage_provider.reports.views.models import DatasetView, EdgeView, GraphView, Lane

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.graph import Dataset
    from airflow_lineage_provider.reports.views.lineage import RunLineage
    from airflow_lineage_provider.reports.views.models import Known, RunSummary, State

_BEFORE, _LAYERS, _AFTER = 0, 1, 2
_ANNOTATIONS = frozenset({"url", "refresh", "entity", "version", "approval"})


def graph_view(
    lineage: RunLineage, run: RunSummary, *, complete: bool, notes: Iterable[str] = ()
) -> GraphView:
    """Return the graph of a run, with the nodes in the order of the map."""
    lanes = _lanes(lineage)
    datasets = [dataset_view(lineage, one, lanes.of(one).id) for one in lineage.graph.datasets.values()]
    return GraphView(
        run=run,
        complete=complete,
        notes=[*lineage.notes, *notes],
        lanes=lanes.ordered(),
        datasets=datasets,
        edges=[edge_view(lineage, *pair) for pair in lineage.graph.edges],
    )


def lane_of(lineage: RunLineage, dataset: Dataset) -> str:
    """Return the id of the lane that a dataset is in."""
    return _lanes(lineage).of(dataset).id


def _lanes(lineage: RunLineage) -> _Lanes:
    lanes: _Lanes = lineage.made.get("lanes", lambda: _Lanes(lineage))
    return lanes


def dataset_view(lineage: RunLineage, dataset: Dataset, lane: str) -> DatasetView:
    """Return a node."""
    name = dataset.name
    observed = lineage.observed.datasets.get(name)
    columns = {**dataset.columns, **(observed.columns if observed else {})}
    return DatasetView(
        id=name,
        label=label_of(name, lineage.names.get(name)),
        lane=lane,
        system=_system(lineage, dataset),
        layer=dataset.layer or None,
        kind=dataset.kind,
        columns=len(columns) or len(lineage.graph.columns_of.get(name, ())),
        column_lineage=column_lineage(lineage, name),
        state=_state(lineage, name),
        findings=lineage.finding_counts[name, ""],
        gravest=lineage.gravest.get((name, "")),
        description=dataset.description or (observed.description if observed else "") or None,
        owners=list(dataset.owners),
        tags=[f"{key}: {value}" for key, value in dataset.properties if key not in _ANNOTATIONS],
    )


def edge_view(lineage: RunLineage, source: str, target: str) -> EdgeView:
    """Return an edge between two datasets, and what claims it."""
    claims: dict[str, None] = {}
    documented = lineage.documented.edges.get((source, target))
    for place in documented.provenance if documented else ():
        claims[f"{lineage.file(place)}:{place.line}"] = None
    observed = lineage.observed.edges.get((source, target))
    for place in observed.provenance if observed else ():
        tool = lineage.events.tools.get(place.run_id) or "observed"
        claims[f"{tool} (saved answer of {place.saved[:10]})" if place.saved else tool] = None
    return EdgeView(
        source=source,
        target=target,
        # An edge that a documented column edge alone implies has no verdict of its own.
        state=lineage.states.get((source, target), "verified" if observed and documented else "observed"),
        claims=list(claims),
        columns=lineage.edge_columns[source, target],
    )


def column_lineage(lineage: RunLineage, name: str) -> Known:
    """Return whether the origin of a dataset's columns is known; that of a source counts as known."""
    graph = lineage.observed if name in lineage.observed.upstream else lineage.documented
    if name not in graph.upstream:
        return "known"
    columns = graph.datasets[name].columns.values()
    if graph is lineage.observed:
        gaps = sum(bool(column.gap) for column in columns)
    else:
        gaps = sum(column.name not in lineage.documented_columns.get(name, ()) for column in columns)
    if not columns:
        return "part" if name in graph.column_made else "unknown"
    return "known" if not gaps else "unknown" if gaps == len(columns) else "part"


def label_of(name: str, pair: tuple[str, str] | None) -> str:
    """Return a short name: that of the map, or the last parts of a path."""
    if pair is None or name != f"{pair[0].rstrip('/')}/{pair[1].lstrip('/')}":
        return name
    short = pair[1].strip("/")
    return "/".join(short.split("/")[-2:]) if "/" in short else ".".join(short.split(".")[-2:])


def _state(lineage: RunLineage, name: str) -> State:
    pair = lineage.names.get(name)
    written = lineage.events.written.get(pair) if pair else None
    return written.state if written else "none"


def _system(lineage: RunLineage, dataset: Dataset) -> str:
    if dataset.name in lineage.documented.datasets:
        return dataset.system
    return system_name(dataset.system)


def _schema(name: str) -> str:
    """Return the schema of a table's OpenLineage name; empty for a path or a name without one."""
    parts = name.split(".")
    return parts[-2] if len(parts) > 1 and "/" not in name else ""


@lru_cache(maxsize=1_000)
def system_name(namespace: str) -> str:
    """Return a namespace for people: `duckdb: warehouse.duckdb` of `duckdb:///data/warehouse.duckdb`."""
    scheme, separator, rest = namespace.partition("://")
    if not separator:
        return namespace
    end = rest.rstrip("/").rsplit("/", 1)[-1]
    return f"{scheme}: {end}" if end else scheme


class _Lanes:
    """Lanes from left to right: source systems, layers, then the systems of consumers."""

    def __init__(self, lineage: RunLineage) -> None:
        self.lineage = lineage
        facts = lineage.facts
        self.sources: Mapping[str, str] = dict(facts.sources) if facts else {}
        self.layers: Mapping[str, str] = dict(facts.layers) if facts else {}
        self.found: dict[str, tuple[int, Lane]] = {}
        for dataset in lineage.graph.datasets.values():
            self.of(dataset)

    def of(self, dataset: Dataset) -> Lane:
        rank, key, label, kind = self._place(dataset)
        if key not in self.found:
            # Of layers the map gives the order, of systems their first dataset.
            at = [*self.layers].index(dataset.layer) if dataset.layer in self.layers else len(self.found)
            lane = Lane(id=key, label=label, kind="layer" if kind else "system", order=at)
            self.found[key] = (rank, lane)
        return self.found[key][1]

    def _place(self, dataset: Dataset) -> tuple[int, str, str, bool]:
        """Return the rank, the id and the label of the lane of a dataset, and whether it is a layer."""
        prefix = dataset.name.partition(".")[0]
        if dataset.layer or (prefix in self.layers and dataset.name not in self.lineage.documented.datasets):
            layer = dataset.layer or prefix
            return _LAYERS, f"layer:{layer}", self.layers.get(layer, layer), True
        if dataset.kind in CONSUMERS:
            label = _system(self.lineage, dataset) or dataset.kind
            return _AFTER, f"consumer:{label}", label, False
        if prefix in self.sources:
            return _BEFORE, f"source:{prefix}", self.sources[prefix], False
        label = _system(self.lineage, dataset) or "other"
        if schema := _schema(self.lineage.names.get(dataset.name, ("", ""))[1]):
            label = f"{label} {schema}"
        upstream = dataset.name in self.lineage.graph.upstream
        return (_LAYERS if upstream else _BEFORE), f"system:{label}", label, False

    def ordered(self) -> list[Lane]:
        placed = sorted(self.found.values(), key=lambda one: (one[0], one[1].kind == "system", one[1].order))
        return [lane.model_copy(update={"order": at}) for at, (_, lane) in enumerate(placed)]
