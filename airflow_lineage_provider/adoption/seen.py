"""What a dbt manifest or the events of a run show, before a map names it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.graph import ColumnEdge, ColumnRef, Dataset, Edge, Graph
from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers import read_events, read_manifest
from airflow_lineage_provider.readers.manifest import logical_names, physical_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.readers.manifest_file import Manifest, ManifestNode

_FILES = ("file", "s3", "gs", "abfs", "abfss", "wasb", "wasbs", "hdfs", "dbfs")


@dataclass(frozen=True, slots=True)
class Seen:
    """A dataset by its OpenLineage name, such as `db.schema.table`.

    `namespace` is `*` where the evidence does not tell. `folder` is the path of a model's file below the
    folder of models, `source` the name of a dbt source.
    """

    namespace: str
    name: str
    kind: str = "table"
    folder: str = ""
    tags: tuple[str, ...] = ()
    source: str = ""

    @property
    def table(self) -> str:
        """The name without database and schema; of files the last part of the path."""
        return self.name.rstrip("/").rpartition("/" if self.kind == "files" else ".")[2]

    @property
    def database(self) -> str:
        """The database of a table; empty for anything else."""
        return "" if self.kind in {"files", "topic"} else self.name.partition(".")[0]

    @property
    def schema(self) -> str:
        """The schema of a table; empty for anything else."""
        return "" if self.kind in {"files", "topic"} else self.name.rpartition(".")[0].rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Sightings:
    """Datasets by a key, and the graph over these keys; consumers are in the graph alone."""

    datasets: Mapping[str, Seen]
    graph: Graph
    title: str = ""


def seen_in_manifest(manifest: Manifest, *, columns: bool) -> Sightings:
    """Return what a project would make, with the columns that its SQL gives where they are asked for.

    Raises ManifestError for a cycle.
    """
    nothing = Bindings()
    evidence = read_manifest(manifest, nothing, columns=columns)
    names = logical_names(manifest, nothing)
    # A source that a model of the project makes is that model.
    nodes = {**manifest.sources, **manifest.nodes}
    datasets = {names[key]: _of_node(node) for key, node in nodes.items() if key in names}
    kept = {name: seen for name, seen in datasets.items() if name in evidence.graph.datasets}
    return by_name(kept, evidence.graph, manifest.metadata.project_name or "")


def seen_in_run(events: Iterable[Mapping[str, Any]]) -> Sightings:
    """Return what the jobs of a run read and wrote."""
    evidence = read_events(events, Bindings())
    datasets = {
        one.logical: Seen(one.namespace, one.name, _kind(one.namespace))
        for job in evidence.jobs
        for one in (*job.inputs, *job.outputs)
        if one.logical in evidence.graph.datasets
    }
    return by_name(datasets, evidence.graph)


def together(first: Sightings, second: Sightings) -> Sightings:
    """Return both as one; of a dataset in both, `first` says what it is and `second` its namespace."""
    datasets = dict(second.datasets)
    for key, seen in first.datasets.items():
        other = datasets.get(key)
        datasets[key] = replace(seen, namespace=other.namespace, name=other.name) if other else seen
    graphs = (first.graph, second.graph)
    merged = Graph(
        (dataset for graph in graphs for dataset in graph.datasets.values()),
        (edge for graph in graphs for edge in graph.edges.values()),
        (edge for graph in graphs for edge in graph.column_edges),
    )
    return Sightings(datasets, merged, first.title or second.title)


def by_name(datasets: Mapping[str, Seen], graph: Graph, title: str = "") -> Sightings:
    """Return the sightings with OpenLineage names as keys, so that they agree between kinds of evidence."""
    keys = {name: seen.name.casefold() for name, seen in datasets.items()}
    namespaces: dict[str, set[str]] = {}
    for name, seen in datasets.items():
        namespaces.setdefault(keys[name], set()).add(seen.namespace)
    for name, seen in datasets.items():
        if len(namespaces[seen.name.casefold()]) > 1:
            keys[name] = f"{seen.namespace} {seen.name}".casefold()

    def key(name: str) -> str:
        return keys.get(name, name)

    return Sightings(
        {keys[name]: seen for name, seen in datasets.items()},
        Graph(
            (
                Dataset(key(one.name), one.kind, owners=one.owners, columns=one.columns)
                for one in graph.datasets.values()
            ),
            (Edge(key(edge.source), key(edge.target)) for edge in graph.edges.values()),
            (
                ColumnEdge(
                    ColumnRef(key(edge.source.dataset), edge.source.column),
                    ColumnRef(key(edge.target.dataset), edge.target.column),
                    edge.transformations,
                )
                for edge in graph.column_edges
            ),
        ),
        title,
    )


def _of_node(node: ManifestNode) -> Seen:
    folder = node.original_file_path.replace("\\", "/").partition("/")[2].rpartition("/")[0]
    tags = (node.config.tags,) if isinstance(node.config.tags, str) else tuple(node.config.tags)
    is_source = node.resource_type == "source"
    return Seen(
        "*", physical_name(node), node.resource_type, "" if is_source else folder, tags, node.source_name
    )


def _kind(namespace: str) -> str:
    scheme = namespace.partition(":")[0]
    return "topic" if scheme == "kafka" else "files" if scheme in _FILES else "table"
