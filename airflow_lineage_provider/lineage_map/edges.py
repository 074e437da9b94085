"""The edges between datasets that a map documents, each with its path in the YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.lineage_map.model import Map

    Where = tuple[str | int, ...]


class DocumentedEdge(NamedTuple):
    """`target` is made from `source` by `job`; `where` is the path of keys in the YAML."""

    source: str
    target: str
    job: str
    where: Where


def documented_edges(content: Map) -> Iterator[DocumentedEdge]:
    """Yield the edges from sources, between tables and to consumers, in the order of the map."""
    for key, source in content.sources.items():
        for name, entry in source.datasets.items():
            where: Where = ("sources", key, "datasets", name, "to")
            for target in entry.to:
                yield DocumentedEdge(f"{key}.{name}", target, source.extraction.method, where)
    for target, sources, place in _made_from(content):
        for number, name in enumerate(sources):
            yield DocumentedEdge(name, target, "", (*place, "from", number))


def documented_names(content: Map) -> Iterator[str]:
    """Yield the names of all datasets that the map documents, those that only an edge names included."""
    for key, source in content.sources.items():
        yield from (f"{key}.{name}" for name in source.datasets)
    for target, _, _ in _made_from(content):
        yield target
    for edge in documented_edges(content):
        yield from (edge.source, edge.target)


def _made_from(content: Map) -> Iterator[tuple[str, tuple[str, ...], Where]]:
    for key, layer in content.layers.items():
        for name, table in layer.tables.items():
            yield f"{key}.{name}", table.sources, ("layers", key, "tables", name)
    for section in ("dashboards", "feature_views", "ml_models"):
        for name, consumer in getattr(content, section).items():
            yield name, consumer.sources, (section, name)
