"""What is published of a map and of the events of runs: one graph, its jobs, and its tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.graph import Graph
from airflow_lineage_provider.lineage_map import bindings_of
from airflow_lineage_provider.readers.datahub_urns import slug
from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.readers.events import read_events
from airflow_lineage_provider.systems.datahub.entities import EntityWriter
from airflow_lineage_provider.systems.datahub.names import catalog_names
from airflow_lineage_provider.systems.datahub.plan import plan
from airflow_lineage_provider.systems.datahub.runs import (
    assertions,
    check_results,
    documented_jobs,
    observed_jobs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_lineage_provider.graph import ColumnEdge, Dataset
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.systems.datahub.plan import CatalogSink, Planned
    from airflow_lineage_provider.systems.datahub.proposals import Proposal


@dataclass(frozen=True, slots=True)
class Publication:
    """A map in the names of an environment, and the events of runs that are published with it."""

    lineage_map: LineageMap
    environment: str | None = None
    events: Sequence[Mapping[str, Any]] = ()
    env: str = "PROD"
    instances: Mapping[str, str] | None = None

    @property
    def map_name(self) -> str:
        """The name that marks what publications of this map register."""
        document = self.lineage_map.content.document
        return slug(self.lineage_map.content.pipeline.dag_id or document.scope or document.title)

    def proposals(self) -> Iterator[Proposal]:
        """Yield every aspect, with its whole value.

        Raises MapError for an environment that the map does not have, and InputError for a dataset that no
        binding names.
        """
        bindings = bindings_of(self.lineage_map, self.environment)
        observed = read_events(self.events, bindings)
        graph = published_graph(read_map(self.lineage_map).graph, observed.graph)
        names = catalog_names(self.lineage_map, bindings, observed.jobs, self.env, self.instances)
        writer = EntityWriter(graph, names, self.map_name, _labels(self.lineage_map))
        yield from writer.proposals()
        yield from documented_jobs(self.lineage_map, graph, writer.urns, self.env, self.map_name)
        yield from observed_jobs(observed.jobs, writer.urns, self.env, self.map_name)
        yield from assertions(check_results(self.events, bindings), writer.urns, self.map_name)


def publish(
    publication: Publication, sinks: Iterable[CatalogSink], *, remove: bool = False, dry_run: bool = False
) -> dict[str, tuple[Planned, ...]]:
    """Write what differs to each sink; return it by the name of the sink.

    With `remove`, what the map no longer has is soft-deleted, as `plan` says. Raises as `proposals`, and what
    the sinks raise.
    """
    proposals = tuple(publication.proposals())
    changes = {}
    for sink in sinks:
        planned = plan(sink, proposals, publication.map_name, remove=remove)
        if not dry_run:
            sink.write([one.proposal for one in planned])
        changes[str(sink)] = planned
    return changes


def published_graph(documented: Graph, observed: Graph) -> Graph:
    """Return the union of both: types and transformations as they were observed, texts as documented."""
    datasets = {name: _dataset(d, observed.datasets.get(name)) for name, d in documented.datasets.items()}
    more = {name: dataset for name, dataset in observed.datasets.items() if name not in datasets}
    edges = [_column_edge(edge, observed) for edge in documented.column_edges]
    return Graph(
        (datasets | more).values(),
        (*documented.edges.values(), *observed.edges.values()),
        (*edges, *observed.column_edges),
    )


def _dataset(documented: Dataset, observed: Dataset | None) -> Dataset:
    if observed is None or not observed.columns:
        return documented
    known = documented.columns
    columns = {
        name: replace(one, description=known[name].description or one.description) if name in known else one
        for name, one in observed.columns.items()
    }
    return replace(documented, columns=columns)


def _column_edge(edge: ColumnEdge, observed: Graph) -> ColumnEdge:
    """Return a documented edge without the kind that is only assumed where a run showed the kind."""
    found = observed.column_edge(edge.source, edge.target)
    if found is None or not found.transformations:
        return edge
    return replace(edge, transformations=())


def _labels(lineage_map: LineageMap) -> dict[str, tuple[str, ...]]:
    return {
        f"{key}.{name}": table.tags
        for key, layer in lineage_map.content.layers.items()
        for name, table in layer.tables.items()
    }
